"""How attempts are entered into the ledger: once each, whoever tells of them, and however often."""

from typing import Any

import msgspec
from sqlalchemy import and_, bindparam
from sqlalchemy.dialects import postgresql

from prosa.adapters.store.statement import Ask, Json, Params, Statement
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


_VALUES: dict[str, Any] = {column.name: bindparam(column.name) for column in ai_usage.c}
_entered = postgresql.insert(ai_usage).values(_VALUES)
_ENTER = Statement(
    _entered.on_conflict_do_update(
        index_elements=["run_id", "attempt"],
        set_={name: _entered.excluded[name] for name in MEASURED},
        where=and_(ai_usage.c.estimated, ~_entered.excluded.estimated),
    )
)
"""Once for each attempt; but what a provider reported stands in for what somebody estimated before."""
_ENTER_OWN = Statement(
    postgresql.insert(ai_usage).values(_VALUES | {"user_id": bindparam("principal")}).on_conflict_do_nothing()
)
"""Once for each attempt, however often it is tried."""


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
