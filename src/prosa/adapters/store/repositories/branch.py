"""The branch that ends at a message, read as cheaply as its conversation allows."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Integer, bindparam, literal, select, type_coerce
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement

from prosa.adapters.store.statement import Ask, Plan, Row, Statement, Upto, owned
from prosa.adapters.store.tables import messages
from prosa.domain.conversations import MessageKind
from prosa.domain.errors import MessageNotFound

WINDOW_BYTES = 2_000_000
"""How far back a branch is read at most (SQLite counts characters): more than windows are in practice."""

_m = messages.c


class size(ColumnElement[int]):  # noqa: N801 - reads as a function in a statement
    """How long a message is: in bytes where the database knows them without reading the text."""

    inherit_cache = False


@compiles(size)
def _size_in_characters(_element: size, compiler: Any, **kw: Any) -> str:
    content, parts = compiler.process(_m.content, **kw), compiler.process(_m.parts, **kw)
    return f"length({content}) + coalesce(length({parts}), 0)"


@compiles(size, "postgresql")
def _size_in_bytes(_element: size, compiler: Any, **kw: Any) -> str:
    content, parts = compiler.process(_m.content, **kw), compiler.process(_m.parts, **kw)
    return f"octet_length({content}) + coalesce(octet_length({parts}::text), 0)"


_fields = (_m.id, _m.parent_id, _m.role, _m.content, _m.status, _m.run_id, _m.parts, _m.kind, _m.tokens)
_walk = (
    select(*_fields, literal(0, Integer).label("depth"), type_coerce(size(), Integer).label("size"))
    .where(_m.id == bindparam("leaf"), _m.conversation_id == bindparam("conversation_id"), owned(messages))
    .cte("walk", recursive=True)
)
_walk = _walk.union_all(
    select(*_fields, _walk.c.depth + literal(1, Integer), _walk.c.size + size()).where(
        _m.id == _walk.c.parent_id,
        owned(messages),
        _walk.c.size < literal(WINDOW_BYTES, Integer),
        _walk.c.kind != literal(MessageKind.SUMMARY.value),
    )
)
_BRANCH = Statement(select(*(_walk.c[column.name] for column in _fields)).order_by(_walk.c.depth))
"""The branch that ends at `leaf`, newest message first."""


class _short(ColumnElement[str]):  # noqa: N801 - as above
    """A column of a message; null for a long message where the database would hand out all rows at once."""

    inherit_cache = False

    def __init__(self, column: ColumnElement[str]) -> None:
        self.column = column


@compiles(_short)
def _short_or_not(element: _short, compiler: Any, **kw: Any) -> str:
    return str(compiler.process(element.column, **kw))


@compiles(_short, "postgresql")
def _short_only(element: _short, compiler: Any, **kw: Any) -> str:
    length, column = compiler.process(size(), **kw), compiler.process(element.column, **kw)
    return f"CASE WHEN {length} <= {SHORT} THEN {column} END"


RECENT, SHORT = 200, 10_000
_NEWEST = Statement(
    select(*(_short(column) if column.name in ("content", "parts") else column for column in _fields))
    .where(_m.conversation_id == bindparam("conversation_id"), owned(messages))
    .order_by(_m.id.desc())
    .limit(literal(RECENT, Integer))
)
"""The newest messages of all branches: half the price of a walk, where they hold the whole branch and none of
them is long. They are read as far as a walk would go: 200 of the longest would be 80 MB."""


def newest(conversation_id: str) -> Ask:
    """What `within` looks for a branch in."""
    return Upto(_NEWEST, 3, WINDOW_BYTES, conversation_id=conversation_id)


def branch(conversation_id: str, leaf: str) -> Plan[list[Row]]:
    """The rows (id, parent_id, role, content, status, run_id, parts, kind, tokens) from `leaf` to the nearest
    summary or the first message, as far as `WINDOW_BYTES` go. Raises MessageNotFound."""
    return (yield from within((yield newest(conversation_id)), conversation_id, leaf))


def within(rows: Sequence[Row], conversation_id: str, leaf: str) -> Plan[list[Row]]:
    """As `branch`, where the `newest` rows are known."""
    found = _chain(rows, leaf)
    if found is None:
        found = list((yield Ask(_BRANCH, leaf=leaf, conversation_id=conversation_id)))
    if not found:
        raise MessageNotFound
    return found


def _chain(newest: Sequence[Row], leaf: str) -> list[Row] | None:
    """The branch that ends at `leaf`, newest first, if it lies whole in `newest`, at least down to a summary,
    and none of its texts is left out; else None."""
    branch = []
    wanted: str | None = leaf
    for row in newest:
        if row[0] == wanted:
            if row[3] is None:
                return None
            branch.append(row)
            if row[7] == MessageKind.SUMMARY:
                return branch
            wanted = row[1]
    return branch if wanted is None else None
