"""What the Postgres store makes of values and statements before the server sees them."""

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import bindparam, select, update

from prosa.adapters.store.statement import Json, Statement, Tell, insertion, owned
from prosa.adapters.store.tables import conversations, sign_ins

pytest.importorskip("asyncpg")

from prosa.adapters.store.postgres.connection import literal
from prosa.adapters.store.postgres.migrate import ITERATIONS, verifier
from prosa.adapters.store.postgres.steps import LONGEST_NOTICE, end, storable
from prosa.adapters.store.postgres.wording import merged, spelt_out

_USE = insertion(sign_ins, "id", "user_id", "used_at")
_RENAME = Statement(
    update(conversations)
    .where(owned(conversations), conversations.c.id == bindparam("key"))
    .values(title="x")
)


def test_merged_statements_count_their_parameters_on() -> None:
    sql = merged((_RENAME, _USE))
    assert sql.startswith("WITH w0 AS (UPDATE conversations")
    assert sql.endswith(") SELECT 1")
    used = len(_RENAME.postgres.values({"key": "1"}, {"principal": "ana"}))
    second = sql[sql.index("w1 AS") :]
    assert [f"${used + number}:" in second for number in range(4)] == [False, True, True, True]
    assert merged((_RENAME, _USE)) is sql


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_a_literal_ends_where_it_should(text: str) -> None:
    sql = literal(text)
    assert sql[0] == sql[-1] == "'"
    assert sql[1:-1].replace("''", "").count("'") == 0
    assert sql[1:-1].replace("''", "'") == text


def test_a_statement_is_spelt_out_with_its_values() -> None:
    lock = Statement(
        select(conversations.c.id).where(conversations.c.id == bindparam("id"), owned(conversations))
    )
    sql = spelt_out(lock, lock.postgres.values({"id": "o'brien"}, {"principal": "$1"}))
    assert "conversations.id = 'o''brien'::UUID AND conversations.user_id = '$1'::VARCHAR" in sql


def test_a_literal_has_no_nul() -> None:
    with pytest.raises(ValueError, match="NUL"):
        literal("a\0b")


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("a\0b", "a\ufffdb"),
        ("plain", "plain"),
        (r"said \u0000 in a text", r"said \u0000 in a text"),
        (r'{"a":"\u0000"}', r'{"a":"\u0000"}'),
        (Json(r'{"a":"\u0000"}'), r'{"a":"\ufffd"}'),
        (Json(r'{"a":"\\u0000"}'), r'{"a":"\\u0000"}'),
        (Json(r'{"a":"\\\u0000"}'), r'{"a":"\\\ufffd"}'),
        (b"\0", b"\0"),
        (None, None),
    ],
)
def test_storable(value: object, stored: object) -> None:
    assert storable(value) == stored


def test_end_tells_each_kind_once() -> None:
    assert end([]) == "COMMIT"
    told = [Tell("journal", ["a"]), Tell("stop", ["b"]), Tell("journal", ["c"])]
    assert end(told) == (
        "SELECT pg_notify('prosa', 'journal a c'); SELECT pg_notify('prosa', 'stop b'); COMMIT"
    )


def test_end_names_no_runs_where_they_are_too_many() -> None:
    assert end([Tell("journal", ["x" * 36] * 300)]) == "SELECT pg_notify('prosa', 'journal'); COMMIT"
    assert len(end([Tell("journal", ["x" * 36] * 200)])) < LONGEST_NOTICE


def test_verifier_is_that_of_the_password() -> None:
    """RFC 5802, section 3: the client's proof is checked against the stored key."""
    kind, salted, keys = verifier("secret").split("$")
    rounds, salt = salted.split(":")
    stored, server = (base64.b64decode(key) for key in keys.split(":"))
    password = hashlib.pbkdf2_hmac("sha256", b"secret", base64.b64decode(salt), int(rounds))
    assert (kind, int(rounds)) == ("SCRAM-SHA-256", ITERATIONS)
    assert stored == hashlib.sha256(hmac.digest(password, b"Client Key", "sha256")).digest()
    assert server == hmac.digest(password, b"Server Key", "sha256")
    assert verifier("secret") != verifier("secret")
    assert verifier("é") == "é"
