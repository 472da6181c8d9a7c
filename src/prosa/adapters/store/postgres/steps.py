"""How a plan runs on one connection: its beginning, each of its steps and its end are one round trip each."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import asyncpg

from prosa.adapters.store.postgres.connection import literal
from prosa.adapters.store.postgres.wording import abreast, merged, spelt_out
from prosa.adapters.store.statement import (
    Ask,
    Json,
    Lock,
    Many,
    Params,
    Plan,
    Reads,
    Row,
    Several,
    Statement,
    Step,
    Tell,
    Together,
)
from prosa.domain.errors import StoreUnavailable

T = TypeVar("T")

CHANNEL = "prosa"
LONGEST_NOTICE = 7999
"""Bytes of a NOTIFY, by Postgres' own limit."""


class Steps:
    """Executes one transaction, which `begin` begins; where that is empty, each step is one of its own.
    `bound` goes into every statement."""

    __slots__ = ("_begin", "_begun", "_bound", "_connection", "_told")

    def __init__(self, connection: asyncpg.Connection, begin: str, bound: Mapping[str, Any]) -> None:
        self._connection = connection
        self._begin = begin
        self._begun = False
        self._bound = bound
        self._told: list[Tell] = []

    async def run(self, plan: Plan[T]) -> T:
        """Runs `plan` to its end and commits it. An exception of a statement is raised at the plan's step.
        Raises StoreUnavailable where nothing was committed."""
        try:
            step = next(plan)
            while True:
                try:
                    rows = await self._take(step)
                except asyncpg.PostgresError as error:
                    step = plan.throw(error)
                else:
                    step = plan.send(rows)
        except StopIteration as returned:
            result: T = returned.value
        # Of a transaction that failed unnoticed, COMMIT makes a ROLLBACK without a word.
        if self._begun and await self._connection.execute(end(self._told)) != "COMMIT":
            raise StoreUnavailable
        return result

    async def _take(self, step: Step) -> Sequence[Row]:
        if self._begin and not self._begun:
            self._begun = True
            if isinstance(step, Lock):
                lock = spelt_out(step.statement, self._values(step))
                await self._connection.execute(f"{self._begin}; {lock}")
                return ()
            await self._connection.execute(self._begin)
        if isinstance(step, Ask):
            rows = await self._fetch(step.statement.postgres.sql, step)
            return () if isinstance(step, Lock) else rows
        if isinstance(step, Reads):
            asks = [ask for ask in step.asks if ask is not None]
            as_one = abreast(tuple(ask.statement for ask in asks))
            rows_of = iter(as_one.apart(await self._fetch(as_one.sql, *asks)))
            return [() if ask is None else next(rows_of) for ask in step.asks]
        if isinstance(step, Together):
            await self._fetch(merged(step.statements), *step.asks)
        elif isinstance(step, Several):
            for statements, sets in step.alike().items():
                rows = [self._values(*each.asks) for each in sets]
                await self._connection.executemany(merged(statements), rows)
        elif isinstance(step, Many):
            rows = [self._storable(step.statement, row) for row in step.rows]
            await self._connection.executemany(step.statement.postgres.sql, rows)
        else:
            self._told.append(step)
        return ()

    async def _fetch(self, sql: str, *asks: Ask) -> Sequence[Row]:
        rows: Sequence[Row] = await self._connection.fetch(sql, *self._values(*asks))
        return rows

    def _values(self, *asks: Ask) -> list[Any]:
        return [value for ask in asks for value in self._storable(ask.statement, ask.params)]

    def _storable(self, statement: Statement, params: Params) -> list[Any]:
        return [storable(value) for value in statement.postgres.values(params, self._bound)]


def end(told: list[Tell]) -> str:
    """COMMIT, and with it one NOTIFY for all that was told of each kind."""
    notices = []
    for kind in dict.fromkeys(tell.kind for tell in told):
        payload = " ".join([kind, *(each for tell in told if tell.kind == kind for each in tell.ids)])
        if len(payload) > LONGEST_NOTICE:
            payload = kind
        notices.append(f"SELECT pg_notify('{CHANNEL}', {literal(payload)}); ")
    return "".join(notices) + "COMMIT"


def storable(value: Any) -> Any:
    """Postgres has no place for the character NUL, neither in a text nor escaped in JSON. A model may well
    write one, and its answer must not be lost for it."""
    if type(value) is str:
        return value.replace("\0", "\ufffd") if "\0" in value else value
    if type(value) is Json and "\\u0000" in value:
        return _ESCAPED_NUL.sub(r"\1\\ufffd", value)
    return value


_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
