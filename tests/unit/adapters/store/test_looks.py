"""What operators ask of many rows is answered from indices alone: no table is read for it from end to end."""

import re
from pathlib import Path

import pytest
from tests.sqlite import furnish

from prosa.adapters.store.repositories.accounts import _clients_of, _days_of, _messages_of, _users_of
from prosa.adapters.store.repositories.flow import _FLOW
from prosa.adapters.store.repositories.traffic import _FAILURES
from prosa.adapters.store.sqlite.connection import connect
from prosa.adapters.store.statement import Statement

ALL: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("statement", "edges"),
    [
        (_FLOW, 0),
        (_FAILURES, 0),
        (_messages_of(ALL), 0),
        (_days_of(ALL), 2),
        (_users_of(ALL), 2),
        (_clients_of(ALL), 2),
    ],
    ids=["flow", "failures", "messages", "days", "users", "clients"],
)
def test_indices_are_all_that_is_read(tmp_path: Path, statement: Statement, edges: int) -> None:
    """`edges` is how many times the entries of less than a day are looked up for what lies beside the sums."""
    path = tmp_path / "prosa.db"
    furnish(path)
    connection = connect(path)
    sql = re.sub(r"\?", "1", statement.sqlite.sql)
    steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]
    connection.close()
    read = [step for step in steps if re.search(r"\b(runs|ai_usage|messages|model_sums|user_sums)\b", step)]
    assert read
    assert [step for step in read if step.startswith("SCAN")] == []
    looked_up = [step for step in read if "COVERING INDEX" not in step and "PRIMARY KEY" not in step]
    assert len(looked_up) == edges
