"""One sqlite3 connection as Prosa wants it, and how it runs a plan."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from prosa.adapters.store.statement import (
    ABROAD,
    Ask,
    Ids,
    Lock,
    Many,
    Params,
    Plan,
    Reads,
    Row,
    Several,
    Statement,
    Tell,
    Together,
    Upto,
    Writes,
)

T = TypeVar("T")
Observer = Callable[[Statement, bool], None]
"""Told of every statement before it is executed, and whether a principal is bound to it."""

sqlite3.register_adapter(Ids, lambda ids: msgspec.json.encode(ids).decode())

CACHE = 4_000
"""KiB of pages that a connection may keep, the writer and each reader for itself. A reader's are good for one
transaction: SQLite forgets them once somebody has written."""


def connect(path: Path) -> sqlite3.Connection:
    """WAL with `synchronous=NORMAL`: a killed process loses nothing that was committed. What is deleted is
    written over."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=5000",
                   f"cache_size=-{CACHE}", "temp_store=MEMORY", "secure_delete=ON",
                   "wal_autocheckpoint=4000"):  # fmt: skip
        connection.execute(f"PRAGMA {pragma}").close()
    return connection


def truncate(path: Path) -> bool:
    """Puts all of the log into the file and empties it; False where somebody still reads from it."""
    connection = connect(path)
    try:
        (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy
    finally:
        connection.close()


def run(
    connection: sqlite3.Connection,
    plan: Plan[T],
    bound: Mapping[str, Any],
    observe: Observer | None = None,
    told: list[Tell] | None = None,
) -> T:
    """Runs `plan` to its end in the transaction that is open; `bound` goes into every statement, and into
    `told` what this process must hear once all is committed. An exception of a statement is raised at the
    plan's step."""
    try:
        step = next(plan)
        while True:
            if isinstance(step, Tell):
                if told is not None and step.kind not in ABROAD:
                    told.append(step)
                step = plan.send(())
                continue
            try:
                rows = _execute(connection, step, bound, observe)
            except sqlite3.Error as error:
                step = plan.throw(error)
            else:
                step = plan.send(rows)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


def _execute(
    connection: sqlite3.Connection,
    step: Ask | Reads | Writes,
    bound: Mapping[str, Any],
    observe: Observer | None,
) -> Sequence[Row]:
    if observe is not None:
        for statement in _statements(step):
            observe(statement, "principal" in bound)
    if isinstance(step, Lock):
        return ()
    if isinstance(step, Ask):
        return _ask(connection, step, bound)
    if isinstance(step, Reads):
        return [() if ask is None else _ask(connection, ask, bound) for ask in step.asks]
    _write(connection, step, bound)
    return ()


def _write(connection: sqlite3.Connection, step: Writes, bound: Mapping[str, Any]) -> None:
    if isinstance(step, Together):
        for ask in step.asks:
            _ask(connection, ask, bound)
    elif isinstance(step, Many):
        _many(connection, step.statement, step.rows, bound)
    else:
        for statements, sets in step.alike().items():
            for place, statement in enumerate(statements):
                _many(connection, statement, [each.asks[place].params for each in sets], bound)


def _many(
    connection: sqlite3.Connection, statement: Statement, rows: Sequence[Params], bound: Mapping[str, Any]
) -> None:
    compiled = statement.sqlite
    connection.executemany(compiled.sql, [compiled.values(row, bound) for row in rows])


def _ask(connection: sqlite3.Connection, ask: Ask, bound: Mapping[str, Any]) -> list[Row]:
    compiled = ask.statement.sqlite
    cursor = connection.execute(compiled.sql, compiled.values(ask.params, bound))
    return _upto(cursor, ask) if type(ask) is Upto else cursor.fetchall()


def _upto(cursor: sqlite3.Cursor, ask: Upto) -> list[Row]:
    rows, column, left = [], ask.column, ask.size
    for row in cursor:
        rows.append(row)
        left -= len(row[column])
        if left <= 0:
            break
    cursor.close()
    return rows


def _statements(step: Ask | Reads | Writes) -> list[Statement]:
    if isinstance(step, Ask | Many):
        return [step.statement]
    sets = step.sets if isinstance(step, Several) else (step,)
    return [ask.statement for each in sets for ask in each.asks if ask is not None]
