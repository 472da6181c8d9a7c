"""Messages of one principal's conversations."""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import bindparam, delete, null, select, update

from prosa.adapters.store.repositories.conversations import NODES, locked, present, tree_of
from prosa.adapters.store.repositories.files import PRUNE
from prosa.adapters.store.repositories.rows import MESSAGE, from_counts, from_message, from_parts, to_message
from prosa.adapters.store.repositories.stretch import Order, placed, stretch
from prosa.adapters.store.repositories.summaries import dissolved, dissolved_below
from prosa.adapters.store.session import Session
from prosa.adapters.store.statement import (
    Ask,
    Ids,
    Many,
    Params,
    Plan,
    Statement,
    Tell,
    Together,
    among,
    insertion,
    owned,
)
from prosa.adapters.store.tables import conversations, messages, runs
from prosa.domain.content import worded
from prosa.domain.context import Counts
from prosa.domain.conversations import (
    Conversation,
    ConversationStatus,
    Message,
    MessageHasReplies,
    MessageStatus,
)
from prosa.domain.errors import ConversationClosed, MessageNotFound, RunInProgress
from prosa.domain.stretch import Place, Stretch
from prosa.domain.time import Instant
from prosa.domain.tree import Tree

_m = messages.c
_here = (_m.conversation_id == bindparam("conversation_id"), owned(messages))

INSERT = insertion(messages, *Message.__struct_fields__)
GET = Statement(select(*MESSAGE).where(_m.id == bindparam("id"), *_here))
_MANY = Statement(select(*MESSAGE).where(among(_m.id, "ids"), *_here))
_REWRITE = Statement(
    update(messages)
    .where(_m.id == bindparam("key"), *_here)
    .values(
        content=bindparam("content"),
        parts=bindparam("new_parts", type_=_m.parts.type),
        tokens=null(),
    )
)
_COUNT = Statement(
    update(messages).where(_m.id == bindparam("key"), *_here).values(tokens=bindparam("counts"))
)
_DELETE = Statement(delete(messages).where(among(_m.id, "ids"), *_here))
_DELETE_RUNS = Statement(
    delete(runs).where(
        among(runs.c.message_id, "ids"),
        runs.c.conversation_id == bindparam("conversation_id"),
        owned(runs),
    )
)
_CLEAR = Statement(delete(messages).where(*_here))
_CLEAR_RUNS = Statement(
    delete(runs).where(runs.c.conversation_id == bindparam("conversation_id"), owned(runs))
)
_OPEN_RUN = Statement(select(_m.id, _m.run_id).where(_m.status == MessageStatus.IN_PROGRESS.value, *_here))
MOVE_HEAD = Statement(
    update(conversations)
    .where(conversations.c.id == bindparam("key"), owned(conversations))
    .values(head_id=bindparam("head_id"), updated_at=bindparam("updated_at"))
)


def _get(conversation_id: str, message_id: str) -> Plan[Message]:
    rows = yield Ask(GET, id=message_id, conversation_id=conversation_id)
    if not rows:
        raise MessageNotFound
    return to_message(rows[0])


def _tree(conversation_id: str) -> Plan[tuple[Tree, str | None]]:
    conversation = yield from present(conversation_id)
    rows = yield Ask(NODES, conversation_id=conversation_id)
    return tree_of(rows), conversation.head_id


def _many(conversation_id: str, message_ids: Sequence[str]) -> Plan[dict[str, Message]]:
    rows = yield Ask(_MANY, ids=Ids(message_ids), conversation_id=conversation_id)
    return {row[0]: to_message(row) for row in rows}


def settled(message: Message) -> Message:
    """`message`, unless a run is still writing it: then raises RunInProgress."""
    if message.status is MessageStatus.IN_PROGRESS and message.run_id is not None:
        raise RunInProgress(message.run_id)
    return message


def _unclosed(conversation_id: str) -> Plan[Conversation]:
    """The conversation, locked, if it takes messages."""
    conversation = yield from locked(conversation_id)
    if conversation.status is ConversationStatus.CLOSED:
        raise ConversationClosed
    return conversation


def _append(message: Message, *, at_head: bool) -> Plan[Message]:
    conversation = yield from _unclosed(message.conversation_id)
    parent = conversation.head_id if at_head else message.parent_id
    if parent is not None:
        settled((yield from _get(conversation.id, parent)))
    stored = msgspec.structs.replace(message, parent_id=parent)
    yield Together(
        Ask(INSERT, **from_message(stored)),
        Ask(MOVE_HEAD, key=conversation.id, head_id=stored.id, updated_at=stored.created_at),
    )
    yield Tell("messages", [conversation.id])
    return stored


def _seed(given: Sequence[Message]) -> Plan[None]:
    conversation = yield from _unclosed(given[0].conversation_id)
    parent = conversation.head_id
    if parent is not None:
        settled((yield from _get(conversation.id, parent)))
    rows: list[Params] = []
    for message in given:
        stored = msgspec.structs.replace(message, conversation_id=conversation.id, parent_id=parent)
        rows.append(from_message(stored))
        parent = message.id
    yield Many(INSERT, rows)
    yield Ask(MOVE_HEAD, key=conversation.id, head_id=parent, updated_at=given[-1].created_at)
    yield Tell("messages", [conversation.id])


def _rewrite(conversation_id: str, message_id: str, content: str, now: Instant) -> Plan[Message]:
    conversation = yield from locked(conversation_id)
    message = settled((yield from _get(conversation_id, message_id)))
    parts = worded(message.parts, content)
    yield Together(
        Ask(
            _REWRITE,
            key=message_id,
            conversation_id=conversation_id,
            content=content,
            new_parts=from_parts(parts),
        ),
        Ask(MOVE_HEAD, key=conversation_id, head_id=conversation.head_id, updated_at=now),
    )
    yield from dissolved_below(conversation_id, message_id)
    yield Tell("messages", [conversation_id])
    return msgspec.structs.replace(message, content=content, parts=parts, tokens=None)


def _delete(conversation_id: str, message_id: str, now: Instant, *, subtree: bool) -> Plan[None]:
    yield from locked(conversation_id)
    tree, head = yield from _tree(conversation_id)
    if message_id not in tree:
        raise MessageNotFound
    if message_id in tree.summaries:
        yield from dissolved(conversation_id, message_id)
        yield Tell("messages", [conversation_id])
        return
    if not subtree and tree.replies(message_id):
        raise MessageHasReplies
    gone = tree.felled(message_id)
    running = yield Ask(_OPEN_RUN, conversation_id=conversation_id)
    for message, run in running:
        if message in gone:
            raise RunInProgress(run)
    head = tree.head_without(message_id, head)
    yield Together(
        Ask(_DELETE, ids=Ids(gone), conversation_id=conversation_id),
        Ask(_DELETE_RUNS, ids=Ids(gone), conversation_id=conversation_id),
        Ask(MOVE_HEAD, key=conversation_id, head_id=head, updated_at=now),
    )
    yield Ask(PRUNE, conversation_id=conversation_id)
    yield Tell("messages", [conversation_id])


def _count(conversation_id: str, counted: Mapping[str, Counts]) -> Plan[None]:
    rows = [
        {"key": each, "conversation_id": conversation_id, "counts": from_counts(counts)}
        for each, counts in counted.items()
    ]
    yield Many(_COUNT, rows)


def _clear(conversation_id: str, now: Instant) -> Plan[None]:
    yield from locked(conversation_id)
    yield Together(
        Ask(_CLEAR, conversation_id=conversation_id),
        Ask(_CLEAR_RUNS, conversation_id=conversation_id),
        Ask(MOVE_HEAD, key=conversation_id, head_id=None, updated_at=now),
    )
    yield Ask(PRUNE, conversation_id=conversation_id)
    yield Tell("messages", [conversation_id])


class Messages:
    """Serves `ports.store.Messages`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def tree(self, conversation_id: str) -> tuple[Tree, str | None]:
        return await self._session.read(_tree, conversation_id)

    async def get(self, conversation_id: str, message_id: str) -> Message:
        return await self._session.read(_get, conversation_id, message_id)

    async def many(self, conversation_id: str, message_ids: Sequence[str]) -> dict[str, Message]:
        return await self._session.read(_many, conversation_id, message_ids)

    async def stretch(
        self, conversation_id: str, head: str | None, order: Order, limit: int, place: Place | None
    ) -> Stretch:
        return await self._session.read(stretch, conversation_id, head, order, limit, place)

    async def placed(self, conversation_id: str, message_id: str) -> tuple[Message, list[str]]:
        return await self._session.read(placed, conversation_id, message_id)

    async def append(self, message: Message, *, at_head: bool) -> Message:
        return await self._session.write(_append, message, at_head=at_head)

    async def seed(self, messages: Sequence[Message]) -> None:
        if messages:
            await self._session.write(_seed, messages)

    async def rewrite(self, conversation_id: str, message_id: str, content: str, now: Instant) -> Message:
        return await self._session.write(_rewrite, conversation_id, message_id, content, now)

    async def count(self, conversation_id: str, counted: Mapping[str, Counts]) -> None:
        if counted:
            await self._session.write(_count, conversation_id, counted)

    async def delete(
        self, conversation_id: str, message_id: str, now: Instant, *, subtree: bool = True
    ) -> None:
        await self._session.write(_delete, conversation_id, message_id, now, subtree=subtree)

    async def clear(self, conversation_id: str, now: Instant) -> None:
        await self._session.write(_clear, conversation_id, now)
