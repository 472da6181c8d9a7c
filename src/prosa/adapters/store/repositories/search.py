"""Search over one principal's messages. The two databases find them in ways of their own."""

from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    Integer,
    Text,
    and_,
    bindparam,
    column,
    func,
    literal,
    or_,
    select,
    table,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement

from prosa.adapters.store.session import Session
from prosa.adapters.store.statement import Ask, Plan, Row, Statement, owned
from prosa.adapters.store.tables import conversations, messages
from prosa.domain.errors import MessageNotFound
from prosa.domain.models import Role
from prosa.domain.search import FINDABLE, LOOKED_AT, Found, Phrase, Sought, Spot
from prosa.domain.time import Instant

_m, _c = messages.c, conversations.c

INDEX = table("search", column("rowid", Integer), column("scope", Text), column("content", Text))
ROWS = table("search_rows", column("id", Integer), column("message_id", Text))
"""SQLite's index, and which of its rows are which messages': the later a message, the greater its row."""


class _matches(ColumnElement[bool]):  # noqa: N801 - reads as an operator in a statement
    """The message has all that is looked for."""

    inherit_cache = False
    owner = bindparam("principal", type_=Text())
    expression = bindparam("expression", type_=Text())
    phrases = bindparam("phrases", type_=ARRAY(Text()))
    open_end = bindparam("open_end", type_=Boolean())


@compiles(_matches)
def _matches_in_sqlite(element: _matches, compiler: Any, **kw: Any) -> str:
    owner, rest = compiler.process(element.owner, **kw), compiler.process(element.expression, **kw)
    # Whose they are is asked of the index itself, so that nobody pays for what others wrote.
    return f"search MATCH 'scope : \"' || hex({owner}) || '\"' || {rest}"


@compiles(_matches, "postgresql")
def _matches_in_postgres(element: _matches, compiler: Any, **kw: Any) -> str:
    phrases, open_end = compiler.process(element.phrases, **kw), compiler.process(element.open_end, **kw)
    # The query is made once, and not for each message, in a SELECT of its own.
    return f"messages.search @@ (SELECT prosa_query({phrases}, {open_end}))"


_shown = (
    _m.conversation_id, _c.title, _m.id, _m.role, _m.created_at,
    func.substr(_m.content, literal(1, Integer), literal(LOOKED_AT, Integer)),
    func.length(_m.content) > literal(LOOKED_AT, Integer),
)  # fmt: skip
_there = messages.join(conversations, _c.id == _m.conversation_id)
_rules = (_matches(), owned(messages), owned(conversations), _m.kind == literal("message"))
_in_sqlite = (
    select(*_shown, ROWS.c.id, literal(""))
    .select_from(INDEX.join(ROWS, ROWS.c.id == INDEX.c.rowid).join(_there, _m.id == ROWS.c.message_id))
    .where(*_rules)
    .order_by(INDEX.c.rowid.desc())
    .limit(bindparam("limit"))
)
_by_index = _m.user_id.collate("C") == bindparam("principal")
"""Says what `owned` says, as the index of searches has it: no other statement is to be led to it."""
_in_postgres = (
    select(*_shown, _m.created_at, _m.id)
    .select_from(_there)
    .where(*_rules, _by_index)
    .order_by(_m.created_at.desc(), _m.id.desc())
    .limit(bindparam("limit"))
)
_CONDITIONS = {
    "conversation_id": _m.conversation_id == bindparam("conversation_id"),
    "role": _m.role == bindparam("role"),
    "since": _m.created_at >= bindparam("since"),
    "until": _m.created_at < bindparam("until"),
}
_BEFORE_IN_SQLITE = INDEX.c.rowid < bindparam("place", type_=Integer())
_BEFORE_IN_POSTGRES = or_(
    _m.created_at < bindparam("place", type_=_m.created_at.type),
    and_(_m.created_at == bindparam("place", type_=_m.created_at.type), _m.id < bindparam("id")),
)
_TEXT = Statement(
    select(func.substr(_m.content, literal(1, Integer), literal(FINDABLE, Integer))).where(
        _m.id == bindparam("id"), owned(messages)
    )
)


@cache
def _page_of(names: frozenset[str], *, goes_on: bool) -> Statement:
    conditions = [_CONDITIONS[name] for name in sorted(names)]
    return Statement(
        _in_sqlite.where(*conditions, *([_BEFORE_IN_SQLITE] if goes_on else [])),
        _in_postgres.where(*conditions, *([_BEFORE_IN_POSTGRES] if goes_on else [])),
    )


def expression_of(phrases: tuple[Phrase, ...], conversation_id: str | None) -> str:
    """What follows the owner in the expression that FTS5 reads."""
    within = "" if conversation_id is None else f' AND scope : "{conversation_id.replace("-", "")}"'
    said = " AND ".join(
        '"{}"{}'.format(each.text.replace('"', '""'), " *" if each.open_end else "") for each in phrases
    )
    return f"{within} AND content : ({said})"


def _page(sought: Sought, limit: int, before: Spot | None) -> Plan[list[Found]]:
    given = {name: value for name in _CONDITIONS if (value := getattr(sought, name)) is not None}
    params: dict[str, Any] = given | {
        "limit": limit,
        "expression": expression_of(sought.phrases, sought.conversation_id),
        "phrases": [each.text for each in sought.phrases],
        "open_end": sought.phrases[-1].open_end,
    }
    if sought.role is not None:
        params["role"] = str(sought.role)
    if before is not None:
        params["place"], params["id"] = before
    rows = yield Ask(_page_of(frozenset(given), goes_on=before is not None), **params)
    return [_found(row) for row in rows]


def _found(row: Row) -> Found:
    conversation_id, title, message_id, role, created_at, text, cut, number, name = row
    return Found(
        conversation_id=conversation_id,
        title=title,
        message_id=message_id,
        role=Role(role),
        created_at=Instant(created_at),
        text=text,
        cut=bool(cut),
        place=(number, name),
    )


def _text(message_id: str) -> Plan[str]:
    rows = yield Ask(_TEXT, id=message_id)
    if not rows:
        raise MessageNotFound
    return str(rows[0][0])


class Search:
    """Serves `ports.store.Search`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def page(self, sought: Sought, limit: int, before: Spot | None) -> list[Found]:
        if not sought.phrases:
            return []
        return await self._session.read(_page, sought, limit, before)

    async def text(self, message_id: str) -> str:
        return await self._session.read(_text, message_id)
