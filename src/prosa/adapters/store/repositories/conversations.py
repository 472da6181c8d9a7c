"""Conversations of one principal."""

from typing import Any

import msgspec
from sqlalchemy import and_, bindparam, delete, or_, select, update

from prosa.adapters.store.repositories.rows import CONVERSATION, to_conversation
from prosa.adapters.store.session import Session
from prosa.adapters.store.statement import Ask, Json, Params, Plan, Statement, Tell, insertion, owned
from prosa.adapters.store.tables import conversations, messages
from prosa.domain.conversations import Conversation
from prosa.domain.errors import ConversationNotFound, MessageNotFound
from prosa.domain.time import Instant
from prosa.domain.tree import Tree

_t = conversations.c
_INSERT = insertion(conversations, *Conversation.__struct_fields__)
_mine = select(*CONVERSATION).where(owned(conversations))
_GET = Statement(_mine.where(_t.id == bindparam("id")))
_LOCK = Statement(_mine.where(_t.id == bindparam("id")).with_for_update())
_BY_EXTERNAL_ID = Statement(_mine.where(_t.external_id == bindparam("external_id")))
_newest = (
    _mine.where(_t.ticket_id.is_(None)).order_by(_t.updated_at.desc(), _t.id.desc()).limit(bindparam("limit"))
)
_FIRST_PAGE = Statement(_newest)
_NEXT_PAGE = Statement(
    _newest.where(
        or_(
            _t.updated_at < bindparam("updated_at"),
            and_(_t.updated_at == bindparam("updated_at"), _t.id < bindparam("id")),
        )
    )
)
_UPDATE = Statement(
    update(conversations)
    .where(_t.id == bindparam("key"), owned(conversations))
    .values({name: bindparam(name) for name in
             ("title", "system_prompt", "provider", "model", "status", "head_id", "metadata", "updated_at")})
)  # fmt: skip
NODES = Statement(
    select(messages.c.id, messages.c.parent_id)
    .where(messages.c.conversation_id == bindparam("conversation_id"), owned(messages))
    .order_by(messages.c.id)
)
"""The tree of a conversation: each message's id and its parent's."""
_DELETE = Statement(
    delete(conversations).where(_t.id == bindparam("id"), owned(conversations)).returning(_t.id)
)


def conversation_params(conversation: Conversation) -> dict[str, Any]:
    params = msgspec.structs.asdict(conversation)
    params["status"] = str(conversation.status)
    params["metadata"] = Json(msgspec.json.encode(conversation.metadata).decode())
    return params


def present(conversation_id: str) -> Plan[Conversation]:
    """The conversation as it is, not locked."""
    rows = yield Ask(_GET, id=conversation_id)
    if not rows:
        raise ConversationNotFound
    return to_conversation(rows[0])


def locked(conversation_id: str) -> Plan[Conversation]:
    """The conversation, locked until the end of the transaction."""
    rows = yield Ask(_LOCK, id=conversation_id)
    if not rows:
        raise ConversationNotFound
    return to_conversation(rows[0])


def _by_external_id(external_id: str) -> Plan[Conversation | None]:
    rows = yield Ask(_BY_EXTERNAL_ID, external_id=external_id)
    return to_conversation(rows[0]) if rows else None


def create(conversation: Conversation) -> Plan[tuple[Conversation, bool]]:
    """The plan of `ports.store.Conversations.create`."""
    if conversation.external_id is not None:
        found = yield from _by_external_id(conversation.external_id)
        if found is not None:
            return found, False
    yield Ask(_INSERT, **conversation_params(conversation))
    return conversation, True


def _page(statement: Statement, params: Params) -> Plan[list[Conversation]]:
    rows = yield Ask(statement, **params)
    return [to_conversation(row) for row in rows]


def _update(conversation_id: str, changes: dict[str, Any], now: Instant) -> Plan[Conversation]:
    before = yield from locked(conversation_id)
    if changes.get("head_id") is not None:
        rows = yield Ask(NODES, conversation_id=conversation_id)
        tree = Tree((row[0], row[1]) for row in rows)
        if changes["head_id"] not in tree:
            raise MessageNotFound
        changes = changes | {"head_id": tree.leaf(changes["head_id"])}
    after = msgspec.structs.replace(before, **changes, updated_at=now)
    yield Ask(_UPDATE, key=conversation_id, **conversation_params(after))
    yield Tell("conversations", [conversation_id])
    return after


def _delete(conversation_id: str) -> Plan[None]:
    if not (yield Ask(_DELETE, id=conversation_id)):
        raise ConversationNotFound
    yield Tell("conversations", [conversation_id])


class Conversations:
    """Serves `ports.store.Conversations`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def create(self, conversation: Conversation) -> tuple[Conversation, bool]:
        return await self._session.write(create, conversation)

    async def get(self, conversation_id: str) -> Conversation:
        return await self._session.read(present, conversation_id)

    async def by_external_id(self, external_id: str) -> Conversation | None:
        return await self._session.read(_by_external_id, external_id)

    async def page(self, limit: int, before: tuple[Instant, str] | None) -> list[Conversation]:
        if before is None:
            return await self._session.read(_page, _FIRST_PAGE, {"limit": limit})
        updated_at, last = before
        params = {"limit": limit, "updated_at": updated_at, "id": last}
        return await self._session.read(_page, _NEXT_PAGE, params)

    async def update(self, conversation_id: str, changes: dict[str, Any], now: Instant) -> Conversation:
        return await self._session.write(_update, conversation_id, changes, now)

    async def delete(self, conversation_id: str) -> None:
        await self._session.write(_delete, conversation_id)
