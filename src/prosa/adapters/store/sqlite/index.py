"""What waits for the full-text index goes into it, many messages at a time."""

from sqlalchemy import (
    Integer,
    Text,
    bindparam,
    case,
    column,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    table,
)

from prosa.adapters.store.repositories.search import INDEX, ROWS
from prosa.adapters.store.session import Session
from prosa.adapters.store.statement import Ask, Plan, Statement
from prosa.adapters.store.tables import messages
from prosa.domain.search import FINDABLE

BATCH = 512
"""Messages that go in together: the writer does nothing else for some milliseconds."""

MOST = 2000
"""So many are counted, and no more."""

_TICK = 12
"""Bits of a row's number that tell messages of the same microsecond apart."""

_SECOND = 32
"""Bits of a row's number that are about a second."""

_m = messages.c
_WAITING = table("search_waiting", column("message_id", Text))
_some = select(_WAITING.c.message_id).limit(literal(MOST, Integer)).subquery()
_COUNT = Statement(select(func.count()).select_from(_some))
_batch = select(_WAITING.c.message_id).order_by(_WAITING.c.message_id.desc()).limit(bindparam("limit"))
"""The newest first: what somebody has just said does not wait for what somebody imports."""

_first = _m.created_at.bitwise_lshift(literal(_TICK, Integer))
_after = (_m.created_at + literal(1, Integer)).bitwise_lshift(literal(_TICK, Integer))
_last = select(func.max(ROWS.c.id)).where(ROWS.c.id >= _first, ROWS.c.id < _after).scalar_subquery()
_next = func.coalesce(_last, _first - literal(1, Integer)) + func.row_number().over(
    partition_by=_m.created_at, order_by=_m.id
)
_aside = _after + func.random(type_=Integer).bitwise_and(literal((1 << _SECOND) - 1, Integer))
_number = case((_next < _after, _next), else_=_aside)
_NUMBER = Statement(
    insert(ROWS)
    .prefix_with("OR IGNORE")
    .from_select(["id", "message_id"], select(_number, _m.id).where(_m.id.in_(_batch)))
)
"""Rows in the order of the messages' making: what is newest is found first. Of one microsecond (an import may
know no times) those for which there are no numbers left get any of the next second's: two that draw the same
one are told apart by the next look."""
_ADD = Statement(
    insert(INDEX).from_select(
        ["rowid", "scope", "content"],
        select(
            ROWS.c.id,
            func.hex(_m.user_id).concat(literal(" ")).concat(
                func.replace(_m.conversation_id, literal("-"), literal(""))
            ),
            func.substr(_m.content, literal(1, Integer), literal(FINDABLE, Integer)),
        )
        .select_from(ROWS.join(messages, _m.id == ROWS.c.message_id))
        .where(ROWS.c.message_id.in_(_batch))
        .order_by(ROWS.c.id),
    )
)  # fmt: skip
_DONE = Statement(
    delete(_WAITING)
    .where(
        _WAITING.c.message_id.in_(_batch),
        exists().where(ROWS.c.message_id == _WAITING.c.message_id),
    )
    .returning(literal(1, Integer))
)


def _count() -> Plan[int]:
    rows = yield Ask(_COUNT)
    return int(rows[0][0])


def _add() -> Plan[bool]:
    yield Ask(_NUMBER, limit=BATCH)
    yield Ask(_ADD, limit=BATCH)
    return bool((yield Ask(_DONE, limit=BATCH)))


async def index(session: Session, least: int) -> None:
    """Puts all into the index that waits for it, if there are at least `least`."""
    while await session.read(_count) >= least and await session.write(_add):
        pass
