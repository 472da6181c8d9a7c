"""A statement written in SQLAlchemy Core, compiled once for each database and executed by its driver."""

from collections.abc import Generator, Mapping, Sequence
from functools import cached_property
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy import ARRAY, Table, Text, bindparam, insert
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ClauseElement, ColumnElement
from sqlalchemy.sql.compiler import SQLCompiler

Params = Mapping[str, Any]
Row = Sequence[Any]

_SQLITE = sqlite.dialect(paramstyle="qmark")
_POSTGRES = asyncpg.dialect()  # type: ignore[no-untyped-call]


class Compiled:
    """A statement as one database takes it: `sql`, and which parameters stand at its placeholders."""

    __slots__ = ("_constants", "_pick", "sql")

    def __init__(self, core: ClauseElement, dialect: Any) -> None:
        compiled = core.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)
        self.sql = str(compiled)
        order = tuple(compiled.positiontup or ())
        self._pick = itemgetter(*order) if len(order) > 1 else lambda known: [known[name] for name in order]
        self._constants = {name: value for name, value in compiled.params.items() if value is not None}

    def values(self, params: Params, bound: Params) -> Sequence[Any]:
        """The values in the order of the placeholders. `bound` beats `params`: nobody names another owner."""
        return self._pick({**self._constants, **params, **bound})


class Statement:
    """`core` with named bind parameters. Values that stand in `core` itself become constants. What Postgres
    is asked in another way is asked with `instead`."""

    def __init__(self, core: ClauseElement, instead: ClauseElement | None = None) -> None:
        self.core = core
        self.instead = instead

    @cached_property
    def sqlite(self) -> Compiled:
        return Compiled(self.core, _SQLITE)

    @cached_property
    def postgres(self) -> Compiled:
        return Compiled(self.core if self.instead is None else self.instead, _POSTGRES)


class Totals(Statement):
    """Sums and numbers of many owners' rows, and nothing that tells of one: a principal may see those."""


class Ask:
    """A step of a plan: execute `statement`, answer with its rows."""

    __slots__ = ("params", "statement")

    def __init__(self, statement: Statement, **params: Any) -> None:
        self.statement = statement
        self.params = params


class Upto(Ask):
    """A step of a plan: as `Ask`, but where the database hands out one row at a time, no more of them than
    until the texts in `column` are `size` characters long together."""

    __slots__ = ("column", "size")

    def __init__(self, statement: Statement, column: int, size: int, **params: Any) -> None:
        super().__init__(statement, **params)
        self.column = column
        self.size = size


class Lock(Ask):
    """A step of a plan: until the end of the transaction nobody else changes the rows; answers with nothing.
    As the first step it comes with the beginning of the transaction; SQLite has one writer anyway."""


class Many:
    """A step of a plan: execute `statement` once for each of `rows`, answer with nothing."""

    __slots__ = ("rows", "statement")

    def __init__(self, statement: Statement, rows: Sequence[Params]) -> None:
        self.statement = statement
        self.rows = rows


class Together:
    """A step of a plan: writes that don't depend on each other, in one round trip where the database can."""

    __slots__ = ("asks",)

    def __init__(self, *asks: Ask) -> None:
        self.asks = asks

    @property
    def statements(self) -> tuple[Statement, ...]:
        return tuple(ask.statement for ask in self.asks)


class Several:
    """A step of a plan: writes for several things, of which none depends on another; the `alike` ones in one
    round trip where the database can."""

    __slots__ = ("sets",)

    def __init__(self, sets: Sequence[Together]) -> None:
        self.sets = sets

    def alike(self) -> dict[tuple[Statement, ...], list[Together]]:
        """The sets by their statements."""
        found: dict[tuple[Statement, ...], list[Together]] = {}
        for each in self.sets:
            found.setdefault(each.statements, []).append(each)
        return found


class Reads:
    """A step of a plan: reads that don't depend on each other, in one round trip where the database can.
    Answers with the rows of each; None asks for nothing, and there are no rows of it."""

    __slots__ = ("asks",)

    def __init__(self, *asks: Ask | None) -> None:
        self.asks = asks


class Tell:
    """A step of a plan: once this transaction is committed, all nodes hear `kind` and these ids."""

    __slots__ = ("ids", "kind")

    def __init__(self, kind: str, ids: Sequence[str]) -> None:
        self.kind = kind
        self.ids = ids


ABROAD = frozenset({"journal", "stop", "keys", "access", "limits"})
"""Kinds that only other nodes need to hear: at home, whoever tells has seen to it already."""


Writes = Many | Together | Several
Step = Ask | Reads | Writes | Tell
T = TypeVar("T")
Plan = Generator[Step, Sequence[Row], T]
"""What a transaction does, without saying on which database: it yields steps, is sent their rows, and returns
its result. It is run as a whole in one transaction; an exception undoes it."""


def owned(table: Table) -> ColumnElement[bool]:
    """The predicate that every statement of a principal carries for every owned table it touches."""
    return table.c.user_id == bindparam("principal")


class Ids(list[str]):
    """Ids as one bind parameter: an array on Postgres, a JSON list on SQLite."""


class Json(str):
    """JSON as one bind parameter: what Postgres can't keep of it is mended in its escaped form."""

    __slots__ = ()


class among(ColumnElement[bool]):  # noqa: N801 - reads as an operator in a statement
    """`column` is one of the `Ids` bound as `name`; names of other programs' where it is no UUID's column."""

    inherit_cache = False

    def __init__(self, column: ColumnElement[str], name: str) -> None:
        self.column = column
        self.ids = bindparam(name, type_=ARRAY(column.type.dialect_impl(_POSTGRES)))
        self.plain = bindparam(name, type_=Text())


@compiles(among)
def _among_in_sqlite(element: among, compiler: Any, **kw: Any) -> str:
    column, ids = compiler.process(element.column, **kw), compiler.process(element.plain, **kw)
    return f"{column} IN (SELECT value FROM json_each({ids}))"  # noqa: S608 - a compiler's output


@compiles(among, "postgresql")
def _among_in_postgres(element: among, compiler: Any, **kw: Any) -> str:
    column, ids = compiler.process(element.column, **kw), compiler.process(element.ids, **kw)
    return f"{column} = ANY ({ids})"


class contains(ColumnElement[bool]):  # noqa: N801 - as above
    """The text of `column` has the one bound as `name` in it, as it stands: nothing in it is a sign."""

    inherit_cache = False

    def __init__(self, column: ColumnElement[str], name: str) -> None:
        self.column = column
        self.part = bindparam(name, type_=Text())


@compiles(contains)
def _contains_in_sqlite(element: contains, compiler: Any, **kw: Any) -> str:
    return f"instr({compiler.process(element.column, **kw)}, {compiler.process(element.part, **kw)}) > 0"


@compiles(contains, "postgresql")
def _contains_in_postgres(element: contains, compiler: Any, **kw: Any) -> str:
    return f"strpos({compiler.process(element.column, **kw)}, {compiler.process(element.part, **kw)}) > 0"


class begins(ColumnElement[bool]):  # noqa: N801 - as above
    """The text of `column` begins with the one bound as `name`, to the letter."""

    inherit_cache = False

    def __init__(self, column: ColumnElement[str], name: str) -> None:
        self.column = column
        self.start = bindparam(name, type_=Text())


@compiles(begins)
def _begins_in_sqlite(element: begins, compiler: Any, **kw: Any) -> str:
    """As a stretch of the column's index, up to the next text that begins otherwise: SQLite compares texts
    character by character."""
    column = compiler.process(element.column, **kw)
    start, most, last = (compiler.process(element.start, **kw) for _ in range(3))
    return (
        f"({column} >= {start} AND {column} < "
        f"substr({most}, 1, length({most}) - 1) || char(unicode(substr({last}, -1)) + 1))"
    )


@compiles(begins, "postgresql")
def _begins_in_postgres(element: begins, compiler: Any, **kw: Any) -> str:
    return f"starts_with({compiler.process(element.column, **kw)}, {compiler.process(element.start, **kw)})"


def insertion(table: Table, *columns: str, **others: ColumnElement[Any]) -> Statement:
    """INSERT of `columns`, bound by their own names, and of `others`; `user_id` is bound to `principal`."""
    values: dict[str, Any] = {name: bindparam("principal" if name == "user_id" else name) for name in columns}
    return Statement(insert(table).values(values | others))
