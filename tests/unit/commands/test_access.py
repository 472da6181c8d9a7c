"""`prosa api-keys`, `prosa suspend` and what `prosa doctor` says is weak."""

from pathlib import Path

import pytest
from tests.unit.test_cli import SECRET, prosa


def test_a_key_from_its_making_to_its_end(tmp_path: Path) -> None:
    assert prosa(tmp_path, "api-keys", "list").stdout.startswith("There are no API keys.")
    made = prosa(
        tmp_path, "api-keys", "add", "--user", "ana", "--client", "acme", "--name", "laptop", "--days", "9"
    )
    key, told = made.stdout.split()[1], made.stdout.splitlines()[-1]
    assert key.startswith("prosa-")
    assert told.endswith("for ana. It is not shown again.")
    identity = told.split()[1]
    [_, line] = prosa(tmp_path, "api-keys", "list", "--user", "ana").stdout.splitlines()
    assert line.split()[:6] == [identity, "ana", "acme", "laptop", "chat", f"…{key[-4:]}"]
    assert prosa(tmp_path, "api-keys", "list", "--user", "bia").stdout.startswith("There are no API keys.")
    assert prosa(tmp_path, "api-keys", "revoke", identity).stdout == f"Revoked {identity}.\n"
    assert " revoked" in prosa(tmp_path, "api-keys", "list").stdout
    for wrong in ("x", "01900000-0000-7000-8000-000000000000"):
        refused = prosa(tmp_path, "api-keys", "revoke", wrong)
        assert (refused.returncode, "There is no such API key" in refused.stderr) == (1, True)
    assert not any(key[-43:].encode() in each.read_bytes() for each in tmp_path.iterdir())


def test_suspended_and_let_in_again(tmp_path: Path) -> None:
    assert prosa(tmp_path, "suspensions").stdout == "Nobody is suspended.\n"
    assert prosa(tmp_path, "suspend", "--user", "ana", "--reason", "spam").stdout == (
        "The user ana is suspended.\n"
    )
    assert prosa(tmp_path, "suspend", "--client", "acme", "--only-admin").stdout == (
        "The client acme is no operator any more.\n"
    )
    _, ana, acme = prosa(tmp_path, "suspensions").stdout.splitlines()
    assert (ana.split()[0], ana.split()[-1], acme.split()[1:3]) == ("ana", "spam", ["acme", "admin"])
    assert prosa(tmp_path, "unsuspend", "--user", "ana").stdout == "The user ana is let in again.\n"
    for words in (
        ("suspend",),
        ("unsuspend", "--user", "a", "--client", "b"),
        ("unsuspend", "--user", "ana"),
    ):
        assert prosa(tmp_path, *words).returncode == 1


def test_the_doctor_knows_strong_keys_without_an_end(tmp_path: Path) -> None:
    def said() -> str:
        return prosa(tmp_path, "doctor").stdout

    said()
    assert not (tmp_path / "prosa.db").exists()
    host = prosa(tmp_path, "api-keys", "add", "--user", "shop", "--name", "shop", "--scope", "embed")
    kid = host.stdout.split("kid:")[1].split()[0]
    assert kid.startswith("embed-")
    prosa(tmp_path, "api-keys", "add", "--user", "op", "--name", "short", "--scope", "admin", "--days", "3")
    told = [line for line in said().splitlines() if "never expires" in line]
    assert len(told) == 1
    assert "(shop) has the scope embed" in told[0]


WEAK = [
    ({}, "There are no tokens"),
    ({"PROSA_JWKS_URL": "http://id.example/keys"}, "plain http: who sits in between can sign"),
    ({"PROSA_JWKS_URL": "https://id.example/keys"}, "PROSA_JWT_ISSUER is not set"),
    ({"PROSA_JWKS_URL": "https://id.example/keys"}, "Neither PROSA_JWT_AUDIENCE nor PROSA_JWT_AZP"),
    ({"PROSA_JWKS_URL": "https://id.example/keys", "PROSA_JWT_SECRET": SECRET}, "beside PROSA_JWKS_URL"),
    ({"PROSA_ALLOWED_ORIGINS": "*"}, "* allows none"),
    ({"PROSA_ALLOWED_ORIGINS": "http://app.example"}, "plain http (http://app.example)"),
    ({"PROSA_FRAME_ANCESTORS": "*"}, "PROSA_FRAME_ANCESTORS is *"),
    ({}, "spend without limit"),
    ({"PROSA_LOG_CONTENT": "true"}, "PROSA_LOG_CONTENT is on"),
    ({"PROSA_METRICS": "open", "PROSA_HOST": "0.0.0.0", "PROSA_JWT_SECRET": SECRET}, "PROSA_METRICS is open"),
    ({"PROSA_OTLP_ENDPOINT": "http://collector.example"}, "PROSA_OTLP_ENDPOINT is plain http"),
]


@pytest.mark.parametrize(("given", "words"), WEAK, ids=[words for _, words in WEAK])
def test_the_doctor_says_what_is_weak(tmp_path: Path, given: dict[str, str], words: str) -> None:
    done = prosa(tmp_path, "doctor", **given)
    assert [line for line in done.stdout.splitlines() if line.startswith("! ") and words in line], done.stdout
    assert SECRET not in done.stdout


def test_the_doctor_says_nothing_of_what_is_strong(tmp_path: Path) -> None:
    done = prosa(
        tmp_path, "doctor", PROSA_JWKS_URL="https://id.example/keys", PROSA_JWT_ISSUER="https://id.example",
        PROSA_JWT_AZP="https://app.example", PROSA_MAX_TOKENS_PER_DAY="100000", PROSA_ALLOWED_ORIGINS="https://app.example",
        PROSA_FRAME_ANCESTORS="https://app.example",
    )  # fmt: skip
    assert "! " not in done.stdout


def test_secrets_in_a_file_that_others_may_read(tmp_path: Path) -> None:
    file = tmp_path / "prosa.toml"
    file.write_text(f'jwt_secret = "{SECRET}"\nport = 9000\n')
    file.chmod(0o644)
    assert "prosa.toml holds PROSA_JWT_SECRET, and others" in prosa(tmp_path, "doctor").stdout
    file.chmod(0o600)
    assert "and others" not in prosa(tmp_path, "doctor").stdout
