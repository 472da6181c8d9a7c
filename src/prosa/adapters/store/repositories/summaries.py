"""Summaries of branches: who may write one, what it is made from, and its place in the tree."""

from sqlalchemy import bindparam, delete, null, or_, select, update

from prosa.adapters.store.repositories.branch import branch
from prosa.adapters.store.repositories.conversations import NODES, locked, tree_of
from prosa.adapters.store.repositories.rows import from_message, to_shown
from prosa.adapters.store.session import Session
from prosa.adapters.store.statement import Ask, Plan, Statement, Tell, Together, insertion, owned
from prosa.adapters.store.tables import conversations, messages
from prosa.domain.context import Shown
from prosa.domain.conversations import Message
from prosa.domain.time import Instant

_c, _m = conversations.c, messages.c
_here = (_m.conversation_id == bindparam("conversation_id"), owned(messages))
_this = (_c.id == bindparam("key"), owned(conversations))

_CLAIM = Statement(
    update(conversations)
    .where(
        *_this,
        or_(_c.summary_until.is_(None), _c.summary_until < bindparam("now", type_=_c.summary_until.type)),
    )
    .values(summary_until=bindparam("until"))
    .returning(_c.id)
)
_until = _c.summary_until == bindparam("until", type_=_c.summary_until.type)
_LET_GO = Statement(update(conversations).where(*_this, _until).values(summary_until=null()))
_NO_CLAIM = Statement(update(conversations).where(*_this).values(summary_until=null()))
_CLAIMED = Statement(select(_c.id).where(*_this, _until))
_ABOVE = Statement(select(_m.parent_id).where(_m.id == bindparam("id"), *_here))
_INSERT = insertion(messages, *Message.__struct_fields__)
_HANG = Statement(
    update(messages).where(_m.id == bindparam("key"), *_here).values(parent_id=bindparam("parent"))
)
_LIFT = Statement(
    update(messages).where(_m.parent_id == bindparam("key"), *_here).values(parent_id=bindparam("parent"))
)
_REMOVE = Statement(delete(messages).where(_m.id == bindparam("key"), *_here))


def dissolved(conversation_id: str, summary_id: str) -> Plan[None]:
    """Takes a summary out of the tree: what hung under it hangs where it hung."""
    rows = yield Ask(_ABOVE, id=summary_id, conversation_id=conversation_id)
    for (parent,) in rows:
        yield Ask(_LIFT, key=summary_id, parent=parent, conversation_id=conversation_id)
        yield Ask(_REMOVE, key=summary_id, conversation_id=conversation_id)


def dissolved_below(conversation_id: str, message_id: str) -> Plan[None]:
    """Takes out all summaries that tell of a message: what they tell is not true any more. So is what is
    being written."""
    yield Ask(_NO_CLAIM, key=conversation_id)
    nodes = yield Ask(NODES, conversation_id=conversation_id)
    tree = tree_of(nodes)
    if tree.summaries and message_id in tree:
        for each in tree.subtree(message_id):
            if each in tree.summaries and each != message_id:
                yield from dissolved(conversation_id, each)


def _claim(conversation_id: str, now: Instant, until: Instant) -> Plan[bool]:
    return bool((yield Ask(_CLAIM, key=conversation_id, now=now, until=until)))


def _let_go(conversation_id: str, until: Instant) -> Plan[None]:
    yield Ask(_LET_GO, key=conversation_id, until=until)


def _branch(conversation_id: str, leaf: str) -> Plan[list[Shown]]:
    rows = yield from branch(conversation_id, leaf)
    return [to_shown(row) for row in reversed(rows)]


def _insert(summary: Message, child: str, until: Instant) -> Plan[bool]:
    conversation = yield from locked(summary.conversation_id)
    if not (yield Ask(_CLAIMED, key=conversation.id, until=until)):
        return False
    rows = yield Ask(_ABOVE, id=child, conversation_id=conversation.id)
    if not rows or rows[0][0] != summary.parent_id:
        return False
    yield Together(
        Ask(_INSERT, **from_message(summary)),
        Ask(_HANG, key=child, parent=summary.id, conversation_id=conversation.id),
    )
    yield Tell("messages", [conversation.id])
    return True


class Summaries:
    """Serves `ports.store.Summaries`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def claim(self, conversation_id: str, now: Instant, until: Instant) -> bool:
        return await self._session.write(_claim, conversation_id, now, until)

    async def let_go(self, conversation_id: str, until: Instant) -> None:
        await self._session.write(_let_go, conversation_id, until)

    async def branch(self, conversation_id: str, leaf: str) -> list[Shown]:
        return await self._session.read(_branch, conversation_id, leaf)

    async def insert(self, summary: Message, child: str, until: Instant) -> bool:
        return await self._session.write(_insert, summary, child, until)
