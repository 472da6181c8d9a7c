"""`prosa keys`: what it takes, what it prints, and that a key is never a word of the command."""

import asyncio
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from tests.copies import ran
from tests.unit.test_cli import environment, prosa

CANARY = "canary-0123456789-abcdefghij-4321"


def piped(folder: Path, said: str, *words: str, **given: str) -> subprocess.CompletedProcess[str]:
    return ran(["keys", *words], environment(**given), folder, said)


def test_from_the_first_to_the_last(tmp_path: Path) -> None:
    assert prosa(tmp_path, "keys", "list").stdout == (
        "There are no stored keys. Add one with `prosa keys add <provider>`.\n"
    )
    added = piped(tmp_path, f"  {CANARY} \n", "add", "openai", "--label", "a b", "--weight", "3")
    key = added.stdout.split()[1]
    assert added.stdout == f"Added {key} (openai, …4321).\n"
    head, line = prosa(tmp_path, "keys", "list").stdout.splitlines()
    assert head.split()[:3] == ["id", "provider", "key"]
    assert line.split() == [key, "openai", "…4321", "a", "b", "3", "active", "never", "0", "0", "$0"]
    rotated = piped(tmp_path, "short\n", "rotate", key)
    after = rotated.stdout.split()[1]
    assert rotated.stdout == f"Added {after} (openai) in the place of {key}, which is retired.\n"
    assert prosa(tmp_path, "keys", "rotate", "--master").stdout == "Sealed 1 keys anew.\n"
    assert prosa(tmp_path, "keys", "retire", after).stdout == f"Retired {after}.\n"
    assert prosa(tmp_path, "keys", "list").stdout.startswith("There are no stored keys.")
    every = prosa(tmp_path, "keys", "list", "--all").stdout
    assert (key in every, after in every, every.count(" retired ")) == (True, True, 2)
    assert (tmp_path / "prosa.db.key").stat().st_mode & 0o777 == 0o600
    assert not any(CANARY.encode() in each.read_bytes() for each in tmp_path.iterdir())


def test_a_terminal_is_asked_and_shows_nothing(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    command = subprocess.Popen(
        [sys.executable, "-m", "prosa", "keys", "add", "openai"], cwd=tmp_path, env=environment(),
        stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    while b"Key: " not in shown:
        shown += os.read(ours, 1024)
    os.write(ours, f"{CANARY}\n".encode())
    printed, _ = command.communicate(timeout=60)
    os.close(ours)
    assert command.returncode == 0
    assert b"4321" in printed
    assert b"canary" not in shown + printed


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("add", "openai", CANARY), 2, "unexpected extra argument"),
        (("add", "openai", "--weight", "0"), 2, "--weight"),
        (("add", "nobody"), 1, "There is no provider called nobody."),
        (("add", "openai"), 1, "characters that no key has"),
        (("rotate",), 1, "name either a key or --master"),
        (("rotate", "x", "--master"), 1, "name either a key or --master"),
        (("rotate", "x"), 1, "no provider key with this id"),
        (("retire", "x"), 1, "no provider key with this id"),
        (("list", "--url", "http://127.0.0.1:9"), 1, "no Prosa answers at http://127.0.0.1:9"),
    ],
)
def test_what_does_not_do(tmp_path: Path, words: tuple[str, ...], status: int, told: str) -> None:
    done = piped(tmp_path, "a key\n", *words)
    assert done.returncode == status
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "prosa.db.key").exists()


def test_with_the_master_key_lost_keys_can_still_be_retired(tmp_path: Path) -> None:
    key = piped(tmp_path, "the-key\n", "add", "openai").stdout.split()[1]
    (tmp_path / "prosa.db.key").unlink()
    refused = piped(tmp_path, "k\n", "add", "openai")
    assert (refused.returncode, "another master key" in refused.stderr) == (1, True)
    assert key in prosa(tmp_path, "keys", "list").stdout
    assert prosa(tmp_path, "keys", "retire", key).returncode == 0
    assert piped(tmp_path, "k\n", "add", "openai").returncode == 0


def test_one_old_master_key_alone_says_nothing(tmp_path: Path) -> None:
    done = prosa(tmp_path, "keys", "list", PROSA_SECRET_KEY_OLD="0123456789abcdef" * 4)
    assert (done.returncode, "PROSA_SECRET_KEY is not" in done.stderr) == (1, True)


def test_an_operators_token(tmp_path: Path) -> None:
    from prosa.transport.identity import Identity

    secret = "a-secret-of-more-than-thirty-two-bytes-for-tests"
    for words, operator in (((), False), (("--admin",), True)):
        printed = prosa(tmp_path, "token", "--user", "me", *words, PROSA_JWT_SECRET=secret).stdout
        token, link = printed.split()[1], printed.split("#sign-in=")[1].split()[0]
        scope = {"headers": [(b"authorization", f"Bearer {token}".encode())]}
        assert asyncio.run(Identity(secret, "c").of(scope)).principal.is_operator is operator
        assert ("roles" in Identity(secret, "c").claims(link)) is operator
