"""The transaction that stores imported conversations: those that nobody has yet all together, in a few round
trips, and each of the others by itself."""

from collections.abc import Iterator, Mapping, Sequence, Set

import msgspec
from sqlalchemy import delete, select

from prosa.adapters.store.repositories.conversations import CONVERSATION_COLUMNS, conversation_params
from prosa.adapters.store.repositories.feedback import INSERT as FEEDBACK
from prosa.adapters.store.repositories.feedback import feedback_params
from prosa.adapters.store.repositories.planting import (
    ADD,
    FOUND,
    batches,
    plant,
    unless_taken,
    used_names,
)
from prosa.adapters.store.repositories.rows import from_message
from prosa.adapters.store.repositories.turnstile import IMPORTS
from prosa.adapters.store.session import Session
from prosa.adapters.store.statement import Ask, Ids, Lock, Many, Params, Plan, Statement, Tell, among, owned
from prosa.adapters.store.tables import conversations, messages
from prosa.domain.conversations import MessageKind
from prosa.domain.imports import Planted, Planting, Seedling

_c, _m = conversations.c, messages.c
_NAMED = Statement(select(_c.external_id).where(among(_c.external_id, "names"), owned(conversations)))
_ENTER = Statement(unless_taken(conversations, CONVERSATION_COLUMNS))
_THERE = Statement(select(_m.id, _m.conversation_id).where(among(_m.id, "ids"), owned(messages)))
_TAKE_BACK = Statement(delete(conversations).where(among(_c.id, "ids"), owned(conversations)))


def _plant(plantings: Sequence[Planting]) -> Plan[list[Planted]]:
    # The same file may be imported in another tab: what is stored there is not to be taken for what is here.
    yield Lock(IMPORTS)
    there = yield from _there(plantings)
    done: dict[int, Planted] = {}
    fresh: dict[int, Planting] = {}
    named: set[str] = set()
    for place, planting in enumerate(plantings):
        mine = set(_names(planting))
        whole = _whole(planting, there)
        if whole is not None:
            done[place] = Planted(whole, new=False, messages=0)
        elif there.keys().isdisjoint(mine) and named.isdisjoint(mine):
            fresh[place] = planting
        named |= mine
    stored = yield from _begin(list(fresh.values()))
    for place, planting in fresh.items():
        if planting.conversation.id in stored:
            done[place] = Planted(planting.conversation.id, new=True, messages=len(planting.seedlings))
    # What is there in part, or by ids of somebody else's, or twice among these.
    for place, planting in enumerate(plantings):
        if place not in done:
            done[place] = yield from plant(planting)
    return [done[place] for place in range(len(plantings))]


def _names(planting: Planting) -> Iterator[str]:
    """All that no other conversation may have as well."""
    yield planting.conversation.id
    yield planting.other
    if planting.conversation.external_id is not None:
        yield planting.conversation.external_id
    for each in planting.seedlings:
        yield each.message.id
        yield each.other
        if each.message.external_id is not None:
            yield each.message.external_id


def _there(plantings: Sequence[Planting]) -> Plan[dict[str, str]]:
    """Those of their ids that the owner has: each with its conversation."""
    ids = Ids([each for one in plantings for each in (one.conversation.id, one.other)])
    there = {row[0]: row[0] for row in (yield Ask(FOUND, ids=ids))}
    for batch in batches([each for one in plantings for each in one.seedlings]):
        ids = Ids([each for seedling in batch for each in (seedling.message.id, seedling.other)])
        there.update((row[0], row[1]) for row in (yield Ask(_THERE, ids=ids)))
    return there


def _whole(planting: Planting, there: Mapping[str, str]) -> str | None:
    """The conversation, where an earlier import has left nothing to do. A summary that it has not got is not
    wanted there."""
    stored = next(
        (each for each in sorted((planting.conversation.id, planting.other)) if each in there), None
    )
    if stored is None:
        return None
    missing = (
        each
        for each in planting.seedlings
        if each.message.kind is not MessageKind.SUMMARY
        and stored not in (there.get(each.message.id), there.get(each.other))
    )
    return stored if next(missing, None) is None else None


def _begin(fresh: Sequence[Planting]) -> Plan[set[str]]:
    """Stores those whose ids are nobody's, and answers which they are: of the others nothing is left."""
    if not fresh:
        return set()
    known = Ids([each for one in fresh if (each := one.conversation.external_id) is not None])
    taken = {row[0] for row in (yield Ask(_NAMED, names=known))} if known else set()
    begun = [
        msgspec.structs.replace(one.conversation, external_id=None)
        if one.conversation.external_id in taken
        else one.conversation
        for one in fresh
    ]
    yield Many(_ENTER, [conversation_params(each) for each in begun])
    ids = Ids([each.id for each in begun])
    stored = {row[0] for row in (yield Ask(FOUND, ids=ids))}
    return (yield from _fill([one for one in fresh if one.conversation.id in stored]))


def _fill(begun: Sequence[Planting]) -> Plan[set[str]]:
    """Stores their messages, and takes those back whose messages' ids are somebody else's."""
    seedlings = [each for one in begun for each in one.seedlings]
    stored: set[str] = set()
    for batch in batches(seedlings):
        used = yield from used_names(batch)
        yield Many(ADD, [_row(each, used) for each in batch])
        rows = yield Ask(_THERE, ids=Ids([each.message.id for each in batch]))
        stored.update(row[0] for row in rows)
    strange = {each.message.conversation_id for each in seedlings if each.message.id not in stored}
    if strange:
        yield Ask(_TAKE_BACK, ids=Ids(sorted(strange)))
    said = [each for each in seedlings if each.feedback and each.message.conversation_id not in strange]
    for batch in batches(said):
        yield Many(FEEDBACK, [feedback_params(each.feedback) for each in batch if each.feedback])
    kept = [one.conversation.id for one in begun if one.conversation.id not in strange]
    yield Tell("messages", kept)
    return set(kept)


def _row(seedling: Seedling, used: Set[str]) -> Params:
    message = seedling.message
    if message.external_id in used:
        message = msgspec.structs.replace(message, external_id=None)
    return from_message(message)


class Imports:
    """Serves `ports.store.Imports`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def plant(self, plantings: Sequence[Planting]) -> list[Planted]:
        return await self._session.write(_plant, plantings)
