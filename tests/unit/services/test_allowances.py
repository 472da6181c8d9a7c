"""Which limits hold: the table's, as they were read last."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from tests.stores import ANA, NOON

from prosa.domain.limits import NONE, Cap, Rule, Scope
from prosa.services.limits import Allowances


class Table:
    """Its first reader hears late of what was there when he asked."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self.late = asyncio.Event()
        self.asked = asyncio.Event()

    async def all(self) -> Sequence[Rule]:
        found = list(self.rules)
        if not self.asked.is_set():
            self.asked.set()
            await self.late.wait()
        return found


async def test_what_was_read_first_does_not_come_last() -> None:
    table = Table()
    store: Any = SimpleNamespace(limits=table, rates=None)
    limits = Allowances(store, NONE, rates=store)
    limits.heard()
    await table.asked.wait()
    table.rules.append(Rule(Scope.USER, "ana", Cap(tokens_per_day=5), NOON, "root"))
    reading = asyncio.create_task(limits.open())
    await asyncio.sleep(0)
    table.late.set()
    await reading
    await asyncio.sleep(0)
    assert limits.of(ANA).tokens_per_day == 5
