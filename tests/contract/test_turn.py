"""What a turn asks of the store: as few statements on SQLite, as few round trips to Postgres, as can be."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.sqlite import furnish
from tests.stores import ANA, Ears, conversation, turn

from prosa.adapters.store.postgres.steps import Steps
from prosa.adapters.store.sqlite.store import SqliteStore
from prosa.adapters.store.statement import Statement, Tell
from prosa.domain.ids import new_id
from prosa.domain.limits import Limits
from prosa.ports.store import Store

STATEMENTS = 15
"""Of a turn within a limit, in a conversation that has begun, with one entry in the ledger and one row of the
journal; one of them is the test's own look at the run."""

STEPS = 7
"""Round trips of it between the BEGIN and the COMMIT of its two transactions, and of the test's own look."""

DAILY = Limits(tokens_per_day=1_000_000)


async def test_a_turn_takes_so_many_statements_on_sqlite(tmp_path: Path) -> None:
    asked = Counter[Statement]()
    furnish(tmp_path / "prosa.db")
    store = SqliteStore(tmp_path / "prosa.db", observe=lambda statement, _: asked.update([statement]))
    await store.open(Ears())
    try:
        await _second_turn(store, asked)
    finally:
        await store.close()
    assert asked.total() <= STATEMENTS, [statement.sqlite.sql for statement in asked]


@pytest.mark.parametrize("place", ["postgres"], indirect=True)
async def test_a_turn_takes_so_many_round_trips_to_postgres(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = Counter[str]()
    take = Steps._take

    async def counting(self: Steps, step: Any) -> Any:
        if not isinstance(step, Tell):
            taken[type(step).__name__] += 1
        return await take(self, step)

    monkeypatch.setattr(Steps, "_take", counting)
    await _second_turn(store, taken)
    assert taken.total() <= STEPS, taken


async def _second_turn(store: Store, counted: Counter[Any]) -> None:
    chat, _ = await store.of(ANA).conversations.create(conversation())
    for said in ("one", "two"):
        counted.clear()
        question, answer = new_id(), new_id()
        await turn(store, chat, said, limits=DAILY, user_message_id=question, message_id=answer)
