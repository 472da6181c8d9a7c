"""`prosa audit verify`: what it prints of a log that is whole, and of one that is not."""

import sqlite3
from pathlib import Path

from tests.unit.test_cli import prosa


def test_from_whole_to_broken(tmp_path: Path) -> None:
    assert prosa(tmp_path, "audit", "verify").stdout == "The audit log is whole: 0 rows.\n"
    said = prosa(tmp_path, "audit", "verify").stdout.splitlines()
    assert said[0] == "The audit log is whole: 1 rows."
    head = said[1].removeprefix("Head: ")
    assert prosa(tmp_path, "audit", "verify", "--head", head).returncode == 0
    wrong = prosa(tmp_path, "audit", "verify", "--head", "1:" + "0" * 64)
    assert (wrong.returncode, "does not hold from row 1 on" in wrong.stdout) == (3, True)
    connection = sqlite3.connect(tmp_path / "prosa.db")
    with connection:
        connection.execute("DROP TRIGGER audit_log_deleted")
        connection.execute("DELETE FROM audit_log WHERE id = 2")
    connection.close()
    broken = prosa(tmp_path, "audit", "verify")
    assert (broken.returncode, "does not hold from row 2 on" in broken.stdout) == (3, True)
    for words in (("--head", "x"), ("--head", "1:")):
        refused = prosa(tmp_path, "audit", "verify", *words)
        assert (refused.returncode, "--head is what an earlier check printed" in refused.stderr) == (1, True)
    nobody = prosa(tmp_path, "audit", "verify", "--url", "http://127.0.0.1:9")
    assert (nobody.returncode, "no Prosa answers" in nobody.stderr) == (1, True)
