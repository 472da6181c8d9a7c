"""How attempts are entered into the ledger: once each, whoever tells of them, and however often."""

from typing import Any

import msgspec
from sqlalchemy import BindParameter, ColumnElement, and_, bindparam
from sqlalchemy.dialects import postgresql

from prosa.adapters.store.statement import Ask, Json, Params, Statement, owned
from prosa.adapters.store.tables import ai_usage
from prosa.domain.ending import Entry

MEASURED = (
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "cached_tokens",
    "reasoning_tokens",
    "cache_write_tokens",
    "cost",
    "estimated",
)
"""Columns of the ledger that a report may change once more."""

_decoder = msgspec.json.Decoder(Entry)


def _entering(owner: BindParameter[str], *conditions: ColumnElement[bool]) -> Statement:
    """Once for each attempt, however often it is tried; but what a provider reported stands in for what
    somebody estimated before."""
    values: dict[str, BindParameter[Any]] = {column.name: bindparam(column.name) for column in ai_usage.c}
    entered = postgresql.insert(ai_usage).values(values | {"user_id": owner})
    return Statement(
        entered.on_conflict_do_update(
            index_elements=["run_id", "attempt"],
            set_={name: entered.excluded[name] for name in MEASURED},
            where=and_(ai_usage.c.estimated, ~entered.excluded.estimated, *conditions),
        )
    )


_ENTER = _entering(bindparam("user_id"))
_ENTER_OWN = _entering(bindparam("principal"), owned(ai_usage))


def enter(entry: Entry) -> Ask:
    """The engine's, for whoever it is."""
    return Ask(_ENTER, **_columns(entry))


def enter_own(entry: Entry) -> Ask:
    """A principal's, for himself."""
    return Ask(_ENTER_OWN, **_columns(entry))


def as_taken(entry: Entry) -> Json:
    """An entry that is not in the ledger yet, to be kept beside what is held for it."""
    return Json(msgspec.json.encode(entry).decode())


def from_taken(stored: str) -> Entry:
    return _decoder.decode(stored)


def _columns(entry: Entry) -> Params:
    params = msgspec.structs.asdict(entry)
    usage = params.pop("usage")
    return {**params, **msgspec.structs.asdict(usage), "total_tokens": usage.total_tokens}
