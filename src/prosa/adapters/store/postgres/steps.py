"""How a plan runs on one connection: each of its steps is one round trip."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import asyncpg

from prosa.adapters.store.statement import Ask, Json, Many, Plan, Row, Statement, Step, Tell, Together

T = TypeVar("T")

_PARAMETER = re.compile(r"\$(\d+)")


class Steps:
    """Executes the steps of one transaction. `bound` goes into every statement; `told` is what the other
    nodes must hear once it is committed."""

    __slots__ = ("_bound", "_connection", "told")

    def __init__(self, connection: asyncpg.Connection, bound: Mapping[str, Any]) -> None:
        self._connection = connection
        self._bound = bound
        self.told: list[Tell] = []

    async def run(self, plan: Plan[T]) -> T:
        """Runs `plan` to its end. An exception of a statement is raised at the plan's step."""
        try:
            step = next(plan)
            while True:
                try:
                    rows = await self._take(step)
                except asyncpg.PostgresError as error:
                    step = plan.throw(error)
                else:
                    step = plan.send(rows)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]

    async def _take(self, step: Step) -> Sequence[Row]:
        if isinstance(step, Ask):
            return await self._fetch(step.statement.postgres.sql, self._values(step.statement, step.params))
        if isinstance(step, Together):
            asked = tuple(ask.statement for ask in step.asks)
            values = [value for ask in step.asks for value in self._values(ask.statement, ask.params)]
            await self._fetch(merged(asked), values)
        elif isinstance(step, Many):
            rows = [self._values(step.statement, row) for row in step.rows]
            await self._connection.executemany(step.statement.postgres.sql, rows)
        else:
            self.told.append(step)
        return ()

    async def _fetch(self, sql: str, values: Sequence[Any]) -> Sequence[Row]:
        return await self._connection.fetch(sql, *values)  # type: ignore[no-any-return]

    def _values(self, statement: Statement, params: Mapping[str, Any]) -> list[Any]:
        return [storable(value) for value in statement.postgres.values(params, self._bound)]


@lru_cache(maxsize=256)
def merged(statements: tuple[Statement, ...]) -> str:
    """Writes that don't depend on each other as one statement: all see the same moment, each adds its
    parameters after those of the ones before."""
    parts: list[str] = []
    taken = 0
    for index, statement in enumerate(statements):
        sql, used = _shifted(statement.postgres.sql, taken)
        parts.append(f"w{index} AS ({sql})")
        taken += used
    return f"WITH {', '.join(parts)} SELECT 1"


def _shifted(sql: str, by: int) -> tuple[str, int]:
    """`sql` with `by` added to the number of each parameter, and how many it has."""
    used = max((int(number) for number in _PARAMETER.findall(sql)), default=0)
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + by}", sql), used


def storable(value: Any) -> Any:
    """Postgres has no place for the character NUL, neither in a text nor escaped in JSON. A model may well
    write one, and its answer must not be lost for it."""
    if type(value) is str:
        return value.replace("\0", "\ufffd") if "\0" in value else value
    if type(value) is Json and "\\u0000" in value:
        return _ESCAPED_NUL.sub(r"\1\\ufffd", value)
    return value


_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
