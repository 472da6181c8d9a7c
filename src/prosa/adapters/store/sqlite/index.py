"""What waits for the full-text index goes into it or leaves it, many messages at a time."""

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

BATCH = 256
"""Messages that go in together: the writer does nothing else for some milliseconds."""

MOST = 2000
"""So many are counted, and no more."""

MERGED = 500
"""Pages of the index that are merged at a time."""

MOST_MERGES = 100_000

_TICK = 12
"""Bits of a row's number that tell messages of the same microsecond apart."""

_SECOND = 32
"""Bits of a row's number that are about a second."""

_m = messages.c
_WAITING = table("search_waiting", column("message_id", Text))
_LEAVING = table("search_leaving", *(column(name) for name in ("id", "scope", "content")))
_COMMANDS = table("search", *(column(name) for name in ("search", "rowid", "scope", "content")))
_some = select(_WAITING.c.message_id).limit(literal(MOST, Integer)).subquery()
_COUNT = Statement(select(func.count()).select_from(_some))
_batch = select(_WAITING.c.message_id).order_by(_WAITING.c.message_id.desc()).limit(bindparam("limit"))
"""The newest first: what somebody has just said does not wait for what somebody imports."""

_gone = select(_LEAVING.c.id).order_by(_LEAVING.c.id).limit(bindparam("limit"))
_TAKE_OUT = Statement(
    insert(_COMMANDS).from_select(
        ["search", "rowid", "scope", "content"],
        select(literal("delete"), _LEAVING.c.id, _LEAVING.c.scope, _LEAVING.c.content).where(
            _LEAVING.c.id.in_(_gone)
        ),
    )
)
_TAKEN_OUT = Statement(delete(_LEAVING).where(_LEAVING.c.id.in_(_gone)).returning(literal(1, Integer)))
_LEFT = Statement(select(exists().where(_LEAVING.c.id.is_not(None))))

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


_SEGMENTS = Statement(select(func.count(column("segid").distinct())).select_from(table("search_idx")))
_MERGE = Statement(
    insert(table("search", column("search"), column("rank"))).values(
        search=literal("merge"), rank=literal(-MERGED, Integer)
    )
)
"""A piece of what makes one segment of all: what was taken out is in none any more."""


def _due(least: int) -> Plan[bool]:
    """Whether there is something to do. What was deleted does not wait for more."""
    if (yield Ask(_LEFT))[0][0]:
        return True
    return int((yield Ask(_COUNT))[0][0]) >= least


def _add() -> Plan[bool]:
    # First all others leave: one that comes may get the number of one that was there.
    yield Ask(_TAKE_OUT, limit=BATCH)
    if (yield Ask(_TAKEN_OUT, limit=BATCH)):
        return True
    yield Ask(_NUMBER, limit=BATCH)
    yield Ask(_ADD, limit=BATCH)
    return bool((yield Ask(_DONE, limit=BATCH)))


def _merge() -> Plan[bool]:
    yield Ask(_MERGE)
    return int((yield Ask(_SEGMENTS))[0][0]) > 1


async def merge(session: Session) -> None:
    """Makes one segment of the index, in pieces: words of messages that are gone stay in it until then."""
    for _ in range(MOST_MERGES):
        if not await session.write(_merge):
            return


async def index(session: Session, least: int) -> None:
    """Brings the index up to date, if `least` messages or more wait for it, or one that is gone is in it."""
    while await session.read(_due, least) and await session.write(_add):
        pass
