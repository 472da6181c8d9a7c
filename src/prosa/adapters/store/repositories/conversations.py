"""Conversations of one principal."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import and_, bindparam, delete, or_, select, update

from prosa.adapters.store.repositories.rows import CONVERSATION, to_conversation
from prosa.adapters.store.session import Session
from prosa.adapters.store.statement import (
    Ask,
    Json,
    Lock,
    Plan,
    Row,
    Statement,
    Tell,
    contains,
    insertion,
    owned,
)
from prosa.adapters.store.tables import conversations, messages
from prosa.domain.conversations import EVERY, Conversation, Filter, MessageKind, TitleBy
from prosa.domain.errors import ConversationNotFound, MessageNotFound
from prosa.domain.time import Instant
from prosa.domain.tree import Tree
from prosa.kit.text import folded

LONGEST_KEY = 120
"""Characters of a title that a list is searched by."""

QUIET = frozenset({"pinned", "archived"})
"""What may change of a conversation without its becoming the newest."""

_t = conversations.c
CONVERSATION_COLUMNS = (*Conversation.__struct_fields__, "title_key", "answer_provider", "answer_model")
"""The columns that `conversation_params` gives values for."""

_INSERT = insertion(conversations, *CONVERSATION_COLUMNS)
_mine = select(*CONVERSATION).where(owned(conversations))
GET = Statement(_mine.where(_t.id == bindparam("id")))
LOCK = Statement(select(_t.id).where(_t.id == bindparam("id"), owned(conversations)).with_for_update())
_BY_EXTERNAL_ID = Statement(_mine.where(_t.external_id == bindparam("external_id")))
_newest = (
    _mine.where(_t.ticket_id.is_(None)).order_by(_t.updated_at.desc(), _t.id.desc()).limit(bindparam("limit"))
)
_CONDITIONS = {
    "before": or_(
        _t.updated_at < bindparam("updated_at"),
        and_(_t.updated_at == bindparam("updated_at"), _t.id < bindparam("id")),
    ),
    "archived": _t.archived == bindparam("archived"),
    "pinned": _t.pinned == bindparam("pinned"),
    "status": _t.status == bindparam("status"),
    "since": _t.updated_at >= bindparam("since"),
    "until": _t.updated_at < bindparam("until"),
    "provider": _t.answer_provider == bindparam("provider"),
    "model": _t.answer_model == bindparam("model"),
    "client_id": _t.client_id == bindparam("client_id"),
    "title": contains(_t.title_key, "title"),
}
_changing = update(conversations).where(_t.id == bindparam("key"), owned(conversations))
_UPDATE = Statement(
    _changing.values({name: bindparam(name) for name in
             ("title", "system_prompt", "provider", "model", "status", "head_id", "metadata", "updated_at",
              "pinned", "archived", "title_by", "title_key")})
)  # fmt: skip
_ANSWERED_BY = Statement(
    _changing.values(answer_provider=bindparam("answer_provider"), answer_model=bindparam("answer_model"))
)
_waits = or_(_t.title_by == TitleBy.EXCERPT.value, and_(_t.title.is_(None), _t.title_by.is_(None)))
_CLAIM_TITLE = Statement(_changing.where(_waits).values(title_by=TitleBy.ASKED.value).returning(_t.id))
_ENTITLE = Statement(
    _changing.where(_t.title_by == TitleBy.ASKED.value)
    .values(title=bindparam("new_title"), title_key=bindparam("new_key"), title_by=TitleBy.MODEL.value)
    .returning(_t.id)
)
NODES = Statement(
    select(messages.c.id, messages.c.parent_id, messages.c.kind)
    .where(messages.c.conversation_id == bindparam("conversation_id"), owned(messages))
    .order_by(messages.c.id)
)
"""The tree of a conversation: each message's id, its parent's, and its kind."""
_DELETE = Statement(
    delete(conversations).where(_t.id == bindparam("id"), owned(conversations)).returning(_t.id)
)


@cache
def _listing(names: frozenset[str]) -> Statement:
    """A page of those for which the conditions of these names hold."""
    return Statement(_newest.where(*(_CONDITIONS[name] for name in sorted(names))))


def key_of(title: str | None) -> str | None:
    """What a list is searched by of a title."""
    return None if title is None else folded(title)[:LONGEST_KEY]


def conversation_params(conversation: Conversation) -> dict[str, Any]:
    params = msgspec.structs.asdict(conversation)
    params["status"] = str(conversation.status)
    params["title_by"] = None if conversation.title_by is None else str(conversation.title_by)
    params["title_key"] = key_of(conversation.title)
    params["answer_provider"], params["answer_model"] = conversation.provider, conversation.model
    params["metadata"] = Json(msgspec.json.encode(conversation.metadata).decode())
    return params


def tree_of(nodes: Sequence[Row]) -> Tree:
    """From the rows of `NODES`."""
    summaries = frozenset(row[0] for row in nodes if row[2] == MessageKind.SUMMARY)
    return Tree(((row[0], row[1]) for row in nodes), summaries)


def present(conversation_id: str) -> Plan[Conversation]:
    """The conversation as it is, not locked."""
    return found((yield Ask(GET, id=conversation_id)))


def locked(conversation_id: str) -> Plan[Conversation]:
    """The conversation, locked until the end of the transaction."""
    yield Lock(LOCK, id=conversation_id)
    return (yield from present(conversation_id))


def found(rows: Sequence[Row]) -> Conversation:
    """The conversation in what was asked for with `GET`. Raises ConversationNotFound."""
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


def _page(limit: int, before: tuple[Instant, str] | None, wanted: Filter) -> Plan[list[Conversation]]:
    named = {name: value for name in Filter.__struct_fields__ if (value := getattr(wanted, name)) is not None}
    params: dict[str, Any] = {**named, "limit": limit}
    if wanted.status is not None:
        params["status"] = str(wanted.status)
    if wanted.title is not None:
        params["title"] = key_of(wanted.title)
    if before is not None:
        params["updated_at"], params["id"] = before
        named["before"] = before
    rows = yield Ask(_listing(frozenset(named)), **params)
    return [to_conversation(row) for row in rows]


def _update(conversation_id: str, changes: dict[str, Any], now: Instant) -> Plan[Conversation]:
    before = yield from locked(conversation_id)
    if "head_id" in changes:
        rows = yield Ask(NODES, conversation_id=conversation_id)
        tree = tree_of(rows)
        if changes["head_id"] is not None and changes["head_id"] not in tree:
            raise MessageNotFound
        changes = changes | {"head_id": tree.leaf(changes["head_id"])}
    if "title" in changes:
        changes = changes | {"title_by": None}
    moment = before.updated_at if changes and changes.keys() <= QUIET else now
    after = msgspec.structs.replace(before, **changes, updated_at=moment)
    yield Ask(_UPDATE, key=conversation_id, **conversation_params(after))
    if changes.keys() & {"provider", "model"}:
        yield Ask(_ANSWERED_BY, key=conversation_id, **conversation_params(after))
    yield Tell("conversations", [conversation_id])
    return after


def _claim_title(conversation_id: str) -> Plan[bool]:
    return bool((yield Ask(_CLAIM_TITLE, key=conversation_id)))


def _entitle(conversation_id: str, title: str) -> Plan[bool]:
    given = yield Ask(_ENTITLE, key=conversation_id, new_title=title, new_key=key_of(title))
    if given:
        yield Tell("conversations", [conversation_id])
    return bool(given)


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

    async def page(
        self, limit: int, before: tuple[Instant, str] | None, wanted: Filter = EVERY
    ) -> list[Conversation]:
        return await self._session.read(_page, limit, before, wanted)

    async def update(self, conversation_id: str, changes: dict[str, Any], now: Instant) -> Conversation:
        return await self._session.write(_update, conversation_id, changes, now)

    async def claim_title(self, conversation_id: str) -> bool:
        return await self._session.write(_claim_title, conversation_id)

    async def entitle(self, conversation_id: str, title: str) -> bool:
        return await self._session.write(_entitle, conversation_id, title)

    async def delete(self, conversation_id: str) -> None:
        await self._session.write(_delete, conversation_id)
