"""A stretch of a branch, read at a price that is that of the stretch, however long the branch is.

Upwards each message names the next one. Downwards a message may have several children, of which one leads to
the head: what ends within the stretch leads nowhere. Only where two branches both go on beyond it, or where
the branch is not the one that it was, is the whole tree looked at.
"""

from collections.abc import Collection, Sequence
from operator import itemgetter
from typing import Literal

from sqlalchemy import ColumnElement, Integer, bindparam, literal, select

from prosa.adapters.store.repositories.conversations import NODES, present, tree_of
from prosa.adapters.store.repositories.rows import MESSAGE, to_message
from prosa.adapters.store.statement import Ask, Ids, Plan, Row, Statement, among, owned
from prosa.adapters.store.tables import messages
from prosa.domain.conversations import Message, MessageKind
from prosa.domain.errors import InvalidRequest, MessageNotFound
from prosa.domain.stretch import Place, Stretch
from prosa.domain.tree import Tree

Order = Literal["asc", "desc"]

_m = messages.c
_here = (_m.conversation_id == bindparam("conversation_id"), owned(messages))
_node = (_m.id, _m.parent_id, _m.kind)
_limit = bindparam("limit", type_=Integer)

_NODE = Statement(select(*_node).where(among(_m.id, "ids"), *_here))
_MESSAGES = Statement(select(*MESSAGE).where(among(_m.id, "ids"), *_here))
_CHILDREN = Statement(select(*_node).where(among(_m.parent_id, "ids"), *_here))
_FIRST = Statement(select(*_node).where(_m.parent_id.is_(None), *_here))

_up = (
    select(*_node, literal(1, Integer).label("depth"))
    .where(_m.id == bindparam("start"), *_here)
    .cte("up", recursive=True)
)
_up = _up.union_all(
    select(*_node, _up.c.depth + literal(1, Integer))
    .where(_m.id == _up.c.parent_id, owned(messages), _up.c.depth < _limit)
)  # fmt: skip
_UP = Statement(select(_up.c.id, _up.c.parent_id, _up.c.kind).order_by(_up.c.depth))


# Each step is by ids alone: where a condition on the conversation stood beside them, Postgres might read all
# of the conversation for each.
def _downwards(beginning: ColumnElement[bool]) -> Statement:
    """The nodes below, those of less depth first: both databases go down level by level, and no further than
    they are asked for rows."""
    down = (
        select(*_node, literal(1, Integer).label("depth"))
        .where(beginning, *_here)
        .cte("down", recursive=True)
    )
    down = down.union_all(
        select(*_node, down.c.depth + literal(1, Integer))
        .where(_m.parent_id == down.c.id, owned(messages), down.c.depth < _limit)
    )  # fmt: skip
    return Statement(
        select(down.c.id, down.c.parent_id, down.c.kind, down.c.depth).limit(bindparam("most", type_=Integer))
    )


_DOWN = _downwards(_m.parent_id == bindparam("start"))
_DOWN_FROM_ROOT = _downwards(_m.parent_id.is_(None))
WIDEST = 8
"""How many times more nodes than the stretch has are looked at on the way down, before all are."""


def stretch(
    conversation_id: str, head: str | None, order: Order, limit: int, place: Place | None
) -> Plan[Stretch]:
    """The plan of `ports.store.Messages.stretch`."""
    shown = head or (yield from present(conversation_id)).head_id
    if head is not None:
        yield from present(conversation_id)
        if not (yield Ask(_NODE, ids=Ids([head]), conversation_id=conversation_id)):
            raise MessageNotFound
    if shown is None:
        return Stretch((), (), None)
    ids = None
    if place is None or place.head == shown:
        walk = _upwards if order == "desc" else _towards
        ids = yield from walk(conversation_id, shown, limit + 1, place)
    if ids is None:
        ids = yield from _of_the_whole(conversation_id, shown, order, place)
    found = yield from _read(conversation_id, ids[:limit])
    siblings = yield from kin(conversation_id, found)
    following = Place(ids[limit - 1], shown) if len(ids) > limit else None
    return Stretch(found, siblings, following)


def _upwards(conversation_id: str, head: str, limit: int, place: Place | None) -> Plan[list[str] | None]:
    start: str | None = head
    if place is not None:
        rows = yield Ask(_NODE, ids=Ids([place.after]), conversation_id=conversation_id)
        if not rows:
            return None
        start = rows[0][1]
    if start is None:
        return []
    rows = yield Ask(_UP, start=start, limit=limit, conversation_id=conversation_id)
    return [row[0] for row in rows]


def _towards(conversation_id: str, head: str, limit: int, place: Place | None) -> Plan[list[str] | None]:
    """The first `limit` messages below the place on the way to `head`; None where more must be known."""
    most = WIDEST * limit
    if place is None:
        rows = yield Ask(_DOWN_FROM_ROOT, limit=limit, most=most, conversation_id=conversation_id)
    elif place.after == head:
        return []
    else:
        rows = yield Ask(_DOWN, start=place.after, limit=limit, most=most, conversation_id=conversation_id)
    return None if len(rows) == most else _leading(rows, head, limit)


def _leading(rows: Sequence[Row], head: str, limit: int) -> list[str] | None:
    """Those of `rows` (id, parent_id, kind, depth) that lead to `head`, if that can be seen."""
    parents = {row[0]: row[1] for row in rows}
    last = head
    if head not in parents:
        deepest = [row[0] for row in rows if row[3] == limit]
        if len(deepest) != 1:
            return None
        last = deepest[0]
    way: list[str] = []
    node: str | None = last
    while node is not None and node in parents:
        way.append(node)
        node = parents[node]
    way.reverse()
    return way


def _of_the_whole(conversation_id: str, head: str, order: Order, place: Place | None) -> Plan[list[str]]:
    """All that follows the place. Raises InvalidRequest where the branch has no such place (any more)."""
    tree = tree_of((yield Ask(NODES, conversation_id=conversation_id)))
    branch = tree.branch(head)
    if order == "desc":
        branch.reverse()
    if place is None:
        return branch
    if place.after not in branch:
        raise InvalidRequest("cursor is no longer in this branch. Start from the first page.")
    return branch[branch.index(place.after) + 1 :]


def placed(conversation_id: str, message_id: str) -> Plan[tuple[Message, list[str]]]:
    """The plan of `ports.store.Messages.placed`."""
    yield from present(conversation_id)
    found = yield from _read(conversation_id, [message_id])
    if not found:
        raise MessageNotFound
    return found[0], (yield from kin(conversation_id, found))[0]


def _read(conversation_id: str, ids: Sequence[str]) -> Plan[list[Message]]:
    if not ids:
        return []
    rows = yield Ask(_MESSAGES, ids=Ids(ids), conversation_id=conversation_id)
    found = {row[0]: row for row in rows}
    return [to_message(found[each]) for each in ids if each in found]


def kin(conversation_id: str, found: Sequence[Message]) -> Plan[list[list[str]]]:
    """The siblings of each of these messages of one conversation, as `Tree.siblings` has them."""
    if not found:
        return []
    nodes: dict[str, Row] = {each.id: (each.id, each.parent_id, each.kind) for each in found}
    parents: set[str | None] = {each.parent_id for each in found}
    looked: set[str | None] = {None, *nodes}  # in a broken tree there may be no such parent
    while missing := [each for each in parents if each is not None and each not in looked]:
        rows = yield Ask(_NODE, ids=Ids(missing), conversation_id=conversation_id)
        looked.update(missing)
        nodes.update({row[0]: row for row in rows})
        parents = _above_summaries(parents, nodes)
    parents = _above_summaries(parents, nodes)
    while parents:
        below = yield from _children(conversation_id, parents)
        nodes.update({row[0]: row for row in below})
        parents = {row[0] for row in below if row[2] == MessageKind.SUMMARY}
    return _siblings(nodes, found)


def _above_summaries(parents: Collection[str | None], nodes: dict[str, Row]) -> set[str | None]:
    """`parents`, and what stands above those of them that are summaries."""
    all_of_them = set(parents)
    for each in parents:
        node = each
        while node in nodes and nodes[node][2] == MessageKind.SUMMARY:
            node = nodes[node][1]
            all_of_them.add(node)
    return all_of_them


def _children(conversation_id: str, parents: Collection[str | None]) -> Plan[list[Row]]:
    named = [each for each in parents if each is not None]
    rows = list((yield Ask(_CHILDREN, ids=Ids(named), conversation_id=conversation_id))) if named else []
    return rows + (list((yield Ask(_FIRST, conversation_id=conversation_id))) if None in parents else [])


def _siblings(nodes: dict[str, Row], found: Sequence[Message]) -> list[list[str]]:
    """By a tree of what is known: it has all children of the parents of `found`."""
    known = sorted(nodes.values(), key=itemgetter(0))
    tops = [(row[0], row[1] if row[1] in nodes else None) for row in known]
    summaries = frozenset(row[0] for row in known if row[2] == MessageKind.SUMMARY)
    tree = Tree(tops, summaries)
    return [tree.siblings(each.id) for each in found]
