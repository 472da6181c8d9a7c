"""`prosa erase`: it asks, it erases where no server runs, and it prints a receipt."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.test_cli import environment, prosa

EXPORT = (
    '{"format": "prosa", "version": 1, "conversations": [{"id": "01900000-0000-7000-8000-000000000001", '
    '"title": "canary", "messages": []}]}'
)


def test_from_the_question_to_the_receipt(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(EXPORT)
    brought = prosa(tmp_path, "import", "x.json", "--user", "ana", PROSA_JWT_SECRET="0123456789abcdef" * 4)
    assert brought.returncode == 0, brought.stderr
    asked = subprocess.run(
        [sys.executable, "-m", "prosa", "erase", "--user", "ana"], cwd=tmp_path, env=environment(),
        input="n\n", capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (asked.returncode, "can't be undone" in asked.stdout) == (1, True)
    done = prosa(tmp_path, "erase", "--user", "ana", "--yes")
    assert done.returncode == 0, done.stderr
    first, *counts = done.stdout.splitlines()
    assert first.startswith("Erased user ana. Receipt ")
    assert "  conversations: 1" in counts
    connection = sqlite3.connect(tmp_path / "prosa.db")
    assert connection.execute("SELECT count(*) FROM conversations").fetchall() == [(0,)]
    deeds = connection.execute("SELECT actor, action, target FROM audit_log ORDER BY id").fetchall()
    connection.close()
    assert deeds == [("prosa:cli", "import", "user:ana"), ("prosa:cli", "erase", "user:ana")]
    assert not any(b"canary" in each.read_bytes() for each in tmp_path.glob("prosa.db*"))
    again = prosa(tmp_path, "erase", "--client", "acme", "--yes")
    assert again.stdout.startswith("Erased client acme. Receipt ")


@pytest.mark.parametrize("words", [(), ("--user", "a", "--client", "b")])
def test_either_a_user_or_a_client(tmp_path: Path, words: tuple[str, ...]) -> None:
    refused = prosa(tmp_path, "erase", *words, "--yes")
    assert (refused.returncode, "name either a user or a client" in refused.stderr) == (1, True)
