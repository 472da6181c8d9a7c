"""How a plan runs on a sqlite3 connection."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import literal, select, union_all

from prosa.adapters.store.sqlite.connection import connect, run
from prosa.adapters.store.statement import Plan, Row, Statement, Upto

_TEXTS = Statement(
    union_all(
        *(select(literal(number).label("number"), literal("x" * 10).label("text")) for number in range(9))
    )
)


def _read(size: int) -> Plan[Sequence[Row]]:
    return (yield Upto(_TEXTS, 1, size))


def test_rows_are_taken_until_they_are_long_enough(tmp_path: Path) -> None:
    connection = connect(tmp_path / "a.db")
    found = [len(run(connection, _read(size), {})) for size in (1, 10, 11, 90, 1000)]
    connection.close()
    assert found == [1, 1, 2, 9, 9]
