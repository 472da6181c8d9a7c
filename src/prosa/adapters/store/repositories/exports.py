"""A principal's conversations and messages in the order of their making, piece by piece."""

from collections.abc import Sequence

from sqlalchemy import Integer, bindparam, func, literal, select, type_coerce

from prosa.adapters.store.repositories.branch import size
from prosa.adapters.store.repositories.rows import CONVERSATION, MESSAGE, to_conversation, to_message
from prosa.adapters.store.session import Session
from prosa.adapters.store.statement import Ask, Ids, Plan, Row, Statement, among, owned
from prosa.adapters.store.tables import conversations, messages
from prosa.domain.conversations import Conversation, Message

PIECE = 1_000_000
"""How much text is read at once (SQLite counts characters): more only where one message has more."""
MOST = 500
"""Messages that are read at once."""
FIRST = "00000000-0000-0000-0000-000000000000"

_c, _m = conversations.c, messages.c
_here = (_m.conversation_id == bindparam("conversation_id"), owned(messages))
_listed = (_c.ticket_id.is_(None), owned(conversations))
_COUNT = Statement(select(func.count()).select_from(conversations).where(*_listed))
_CONVERSATIONS = Statement(
    select(*CONVERSATION)
    .where(_c.id > bindparam("after"), *_listed)
    .order_by(_c.id)
    .limit(bindparam("limit"))
)
_sizes = select(_m.id, type_coerce(size(), Integer)).where(*_here)
_SIZES = Statement(_sizes.where(_m.id > bindparam("after")).order_by(_m.id).limit(literal(MOST, Integer)))
_SIZES_OF = Statement(_sizes.where(among(_m.id, "ids")))
_SOME = Statement(select(*MESSAGE).where(among(_m.id, "ids"), *_here).order_by(_m.id))

_up = (
    select(_m.id, _m.parent_id, literal(1, Integer).label("depth"))
    .where(_m.id == bindparam("message_id"), *_here)
    .cte("up", recursive=True)
)
_up = _up.union_all(
    select(_m.id, _m.parent_id, _up.c.depth + literal(1, Integer))
    .where(_m.id == _up.c.parent_id, _up.c.depth < bindparam("limit", type_=Integer), owned(messages))
)  # fmt: skip
_ABOVE = Statement(select(_up.c.id).order_by(_up.c.depth))


def _count() -> Plan[int]:
    rows = yield Ask(_COUNT)
    return int(rows[0][0])


def _conversations(after: str | None, limit: int) -> Plan[list[Conversation]]:
    rows = yield Ask(_CONVERSATIONS, after=after or FIRST, limit=limit)
    return [to_conversation(row) for row in rows]


def _messages(conversation_id: str, after: str | None) -> Plan[list[Message]]:
    sizes = yield Ask(_SIZES, conversation_id=conversation_id, after=after or FIRST)
    return (yield from _read(conversation_id, _piece(sizes)))


def _some(conversation_id: str, message_ids: Sequence[str]) -> Plan[list[Message]]:
    wanted = message_ids[:MOST]
    rows = yield Ask(_SIZES_OF, conversation_id=conversation_id, ids=Ids(wanted))
    sizes = {row[0]: row[1] for row in rows}
    piece = _piece([(each, sizes[each]) for each in wanted if each in sizes])
    found = {each.id: each for each in (yield from _read(conversation_id, piece))}
    return [found[each] for each in piece if each in found]


def _read(conversation_id: str, message_ids: Sequence[str]) -> Plan[list[Message]]:
    rows = yield Ask(_SOME, conversation_id=conversation_id, ids=Ids(message_ids))
    return [to_message(row) for row in rows]


def _piece(sizes: Sequence[Row]) -> list[str]:
    """The first of these messages (id, size), as far as one piece goes."""
    taken: list[str] = []
    left = PIECE
    for message_id, length in sizes:
        left -= length
        if taken and left < 0:
            break
        taken.append(message_id)
    return taken


def _above(conversation_id: str, message_id: str, limit: int) -> Plan[list[str]]:
    rows = yield Ask(_ABOVE, conversation_id=conversation_id, message_id=message_id, limit=limit)
    return [row[0] for row in rows]


class Exports:
    """Serves `ports.store.Exports`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def count(self) -> int:
        return await self._session.read(_count)

    async def conversations(self, after: str | None, limit: int) -> list[Conversation]:
        return await self._session.read(_conversations, after, limit)

    async def messages(self, conversation_id: str, after: str | None) -> list[Message]:
        return await self._session.read(_messages, conversation_id, after)

    async def some(self, conversation_id: str, message_ids: Sequence[str]) -> list[Message]:
        return await self._session.read(_some, conversation_id, message_ids)

    async def above(self, conversation_id: str, message_id: str, limit: int) -> list[str]:
        return await self._session.read(_above, conversation_id, message_id, limit)
