"""Callers' credentials in what is written: cut out, whoever wrote them."""

import time

import pytest

from prosa.domain.access import new_secret, written
from prosa.kit.secrets import hidden
from prosa.transport.identity import Identity

KEY_ID = "01900000-0000-7000-8000-000000000000"
TOKEN = Identity("a-secret-of-more-than-thirty-two-bytes-for-tests", "c").sign({"sub": "ana", "exp": 2**40})


@pytest.mark.hostile(8)
@pytest.mark.parametrize(
    "line",
    ["authorization: Bearer {0}", "prosa, bearer.{0}", '{{"token": "{0}"}}', "prosa_session={0}; x=1", "{0}"],
)
def test_no_token_is_written(line: str) -> None:
    for token in (TOKEN, TOKEN.rpartition(".")[0] + ".", TOKEN.rpartition(".")[0]):
        told = hidden(line.format(token))
        assert told == line.format("…")


def test_of_a_key_its_public_part_stays() -> None:
    secret = new_secret()
    told = hidden(f"authorization: Bearer {written(KEY_ID, secret)}.")
    assert told == f"authorization: Bearer prosa-{KEY_ID.replace('-', '')}-…."
    assert secret not in told


@pytest.mark.parametrize(
    "line", ["prosa-files", "prosa-listener ended", "eyJ", "keyJar.x", "a.b.c", "Bearer of news"]
)
def test_plain_words_stay(line: str) -> None:
    assert hidden(line) == line


def test_a_long_line_takes_no_time() -> None:
    began = time.process_time()
    for piece in ("eyJ", "eyJ.", "prosa-", "eyJa." * 2, "prosa-0123456789abcdef"):
        hidden(piece * 20_000)
    assert time.process_time() - began < 0.5
