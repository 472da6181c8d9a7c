"""The examples of docs/guard.md are tables that are understood, and do what the page says."""

import re
import tomllib
from pathlib import Path

from tests.unit.services.guard.test_guard import others

from prosa import toml
from prosa.kit.pii import KINDS
from prosa.services.guard.guard import Book, Guard
from prosa.services.guard.tables import MaskingTable

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "guard.md").read_text(encoding="utf-8")
TABLES = toml.tables(tomllib.loads("\n".join(re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL))))


def test_the_tables() -> None:
    guard = Guard(Book(TABLES.routes, TABLES.masking, TABLES.moderation), None, others())
    usual, support = guard.plan(None), guard.plan("support")
    assert [check.name for check in usual.checks] == ["house", "openai"]
    assert [check.name for check in support.checks] == ["house", "judge"]
    assert usual.masking is not None
    assert {*usual.masking.kinds} == {*KINDS}
    assert usual.masking.restore
    assert support.masking == MaskingTable(on=("input", "output"))
    (house,) = support.rules
    assert [house.find(text) != [] for text in ("Secret  Project?", "PRJ-1234", "PRJ-12345", "secrets")] == [
        True, True, False, False,
    ]  # fmt: skip
