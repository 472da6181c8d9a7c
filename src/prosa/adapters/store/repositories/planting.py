"""An imported conversation on its way into the store: what is there stays, what is missing is added."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects import postgresql

from prosa.adapters.store.repositories.conversations import (
    CONVERSATION_COLUMNS,
    NODES,
    conversation_params,
    locked,
    tree_of,
)
from prosa.adapters.store.repositories.feedback import INSERT as FEEDBACK
from prosa.adapters.store.repositories.feedback import feedback_params
from prosa.adapters.store.repositories.messages import MOVE_HEAD
from prosa.adapters.store.repositories.rows import from_message
from prosa.adapters.store.statement import Ask, Ids, Many, Params, Plan, Statement, Tell, among, owned
from prosa.adapters.store.tables import conversations, messages
from prosa.domain.conversations import Conversation, Message, MessageKind
from prosa.domain.imports import IdsTaken, Planted, Planting, Seedling

BATCH = 500
"""Rows that are handed to the driver at once: their parameters are in memory together."""

_c, _m = conversations.c, messages.c
_here = (_m.conversation_id == bindparam("conversation_id"), owned(messages))


def unless_taken(table: Any, names: Sequence[str]) -> Any:
    """INSERT that does nothing where the key is in use, whoever has it."""
    values: dict[str, Any] = {name: bindparam("principal" if name == "user_id" else name) for name in names}
    return postgresql.insert(table).values(values).on_conflict_do_nothing(index_elements=["id"])


FOUND = Statement(select(_c.id).where(among(_c.id, "ids"), owned(conversations)).order_by(_c.id))
_BEGIN = Statement(unless_taken(conversations, CONVERSATION_COLUMNS).returning(_c.id))
_NAMED = Statement(select(_c.id).where(_c.external_id == bindparam("external_id"), owned(conversations)))
_THERE = Statement(select(_m.id).where(among(_m.id, "ids"), *_here))
_USED = Statement(select(_m.external_id).where(among(_m.external_id, "names"), owned(messages)))
ADD = Statement(unless_taken(messages, Message.__struct_fields__))
_TAKE_BACK = Statement(delete(messages).where(among(_m.id, "ids"), *_here))


def plant(planting: Planting) -> Plan[Planted]:
    """Raises IdsTaken."""
    found = yield from _found(planting)
    stored = found or (yield from _begin(planting))
    before = yield from locked(stored)
    ids = yield from _present(stored, planting.seedlings)
    left_out = _left_out(planting.seedlings, ids) if found else frozenset()
    names = _names(planting.seedlings, ids, left_out)
    fresh = [
        each
        for each in planting.seedlings
        if each.message.id not in left_out and names[each.message.id] not in ids
    ]
    if fresh:
        yield from _add(stored, fresh, names)
        yield from _show(before, planting, names)
        yield Tell("messages", [stored])
    return Planted(stored, not found, len(fresh))


def _found(planting: Planting) -> Plan[str | None]:
    """The id of the conversation, where an earlier import (or its own making) left it."""
    rows = yield Ask(FOUND, ids=Ids([planting.conversation.id, planting.other]))
    return rows[0][0] if rows else None


def _left_out(seedlings: Sequence[Seedling], present: set[str]) -> frozenset[str]:
    """New summaries in a conversation that is there: what would hang below them hangs elsewhere already."""
    return frozenset(
        each.message.id
        for each in seedlings
        if each.message.kind is MessageKind.SUMMARY and present.isdisjoint((each.message.id, each.other))
    )


def _names(
    seedlings: Sequence[Seedling], present: Collection[str], left_out: Collection[str]
) -> dict[str, str | None]:
    """The id in the store for each of the file's; of a summary that is left out, that of what is above it."""
    names: dict[str, str | None] = {}
    for each in seedlings:
        message = each.message
        if message.id in left_out:
            names[message.id] = None if message.parent_id is None else names[message.parent_id]
        else:
            names[message.id] = each.other if each.other in present else message.id
    return names


def _begin(planting: Planting) -> Plan[str]:
    """Stores the conversation without its messages. Raises IdsTaken."""
    conversation = planting.conversation
    if conversation.external_id is not None and (yield Ask(_NAMED, external_id=conversation.external_id)):
        conversation = msgspec.structs.replace(conversation, external_id=None)
    for each in (conversation.id, planting.other):
        params = conversation_params(msgspec.structs.replace(conversation, id=each, head_id=None))
        if (yield Ask(_BEGIN, **params)):
            return each
    raise IdsTaken


def _present(conversation_id: str, seedlings: Sequence[Seedling]) -> Plan[set[str]]:
    """Those of the ids of `seedlings`, and of their other ids, that the conversation has."""
    present: set[str] = set()
    for batch in batches(seedlings):
        ids = Ids([each for seedling in batch for each in (seedling.message.id, seedling.other)])
        present.update(row[0] for row in (yield Ask(_THERE, conversation_id=conversation_id, ids=ids)))
    return present


def _add(conversation_id: str, fresh: Sequence[Seedling], names: dict[str, str | None]) -> Plan[None]:
    """Stores `fresh` by their `names`; those whose names are somebody else's by their other ids, which then
    stand in `names`. Raises IdsTaken."""
    for _ in range(2):
        for batch in batches(fresh):
            used = yield from used_names(batch)
            yield Many(ADD, [_row(conversation_id, each.message, names, used) for each in batch])
        present = yield from _present(conversation_id, fresh)
        taken = [each for each in fresh if names[each.message.id] not in present]
        if not taken:
            yield from _judge(conversation_id, fresh, names)
            return
        # Some of the rest hang below them: all are stored anew.
        for batch in batches(fresh):
            ids = Ids([name for each in batch if (name := names[each.message.id]) is not None])
            yield Ask(_TAKE_BACK, conversation_id=conversation_id, ids=ids)
        names.update({each.message.id: each.other for each in taken})
    raise IdsTaken


def _judge(conversation_id: str, fresh: Sequence[Seedling], names: Mapping[str, str | None]) -> Plan[None]:
    """Stores what was thought of them."""
    said = [each.feedback for each in fresh if each.feedback is not None]
    for start in range(0, len(said), BATCH):
        rows = (
            msgspec.structs.replace(each, message_id=names[each.message_id], conversation_id=conversation_id)
            for each in said[start : start + BATCH]
        )
        yield Many(FEEDBACK, [feedback_params(each) for each in rows])


def used_names(batch: Sequence[Seedling]) -> Plan[set[str]]:
    """The external ids among those of `batch` that the owner's messages have already."""
    known = [each.message.external_id for each in batch if each.message.external_id is not None]
    if not known:
        return set()
    return {row[0] for row in (yield Ask(_USED, names=Ids(known)))}


def _row(conversation_id: str, message: Message, names: Mapping[str, str | None], used: set[str]) -> Params:
    return from_message(
        msgspec.structs.replace(
            message,
            id=names[message.id],
            conversation_id=conversation_id,
            parent_id=None if message.parent_id is None else names[message.parent_id],
            external_id=None if message.external_id in used else message.external_id,
        )
    )


def _show(before: Conversation, planting: Planting, names: Mapping[str, str | None]) -> Plan[None]:
    """The head: of a conversation that was there it stays, unless the branch has grown beyond it."""
    head = before.head_id
    if head is None:
        wanted = planting.conversation.head_id
        head = None if wanted is None else names[wanted]
    elif any(names.get(each.message.parent_id or "") == head for each in planting.seedlings):
        nodes = yield Ask(NODES, conversation_id=before.id)
        head = tree_of(nodes).leaf(head)
    updated = max(before.updated_at, planting.conversation.updated_at)
    yield Ask(MOVE_HEAD, key=before.id, head_id=head, updated_at=updated)


def batches(seedlings: Sequence[Seedling]) -> Iterator[Sequence[Seedling]]:
    for start in range(0, len(seedlings), BATCH):
        yield seedlings[start : start + BATCH]
