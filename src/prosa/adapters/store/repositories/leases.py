"""By which clock leases and holds begin and end: nodes go by their database's, one process by its own."""

from typing import Any

from sqlalchemy import bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement

from prosa.adapters.store.tables import reservations, runs

_NOW = bindparam("now", type_=runs.c.lease_until.type)
_BEFORE = bindparam("before", type_=runs.c.lease_until.type)
_UNTIL = bindparam("until", type_=runs.c.lease_until.type)


class lease_end(ColumnElement[int]):  # noqa: N801 - reads as an operator in a statement
    """As far after the present moment as the parameter `until` is after the parameter `now`."""

    inherit_cache = False


class lease_over(ColumnElement[bool]):  # noqa: N801 - as above
    """The run's lease has ended. `now` says the present moment where the database does not."""

    inherit_cache = False


class held_since(ColumnElement[int]):  # noqa: N801 - as above
    """The present moment, which the parameter `now` says where the database does not."""

    inherit_cache = False


class held_for_long(ColumnElement[bool]):  # noqa: N801 - as above
    """The hold is older than the parameter `before` is before the parameter `now`."""

    inherit_cache = False


@compiles(lease_end)
def _end_of_this_clock(_element: lease_end, compiler: Any, **kw: Any) -> str:
    return str(compiler.process(_UNTIL, **kw))


@compiles(lease_end, "postgresql")
def _end_of_its_clock(_element: lease_end, compiler: Any, **kw: Any) -> str:
    until, now = compiler.process(_UNTIL, **kw), compiler.process(_NOW, **kw)
    return f"clock_timestamp() + ({until} - {now})"


@compiles(lease_over)
def _over_by_this_clock(_element: lease_over, compiler: Any, **kw: Any) -> str:
    return str(compiler.process(runs.c.lease_until < _NOW, **kw))


@compiles(lease_over, "postgresql")
def _over_by_its_clock(_element: lease_over, compiler: Any, **kw: Any) -> str:
    return f"{compiler.process(runs.c.lease_until, **kw)} < clock_timestamp()"


@compiles(held_since)
def _since_by_this_clock(_element: held_since, compiler: Any, **kw: Any) -> str:
    return str(compiler.process(_NOW, **kw))


@compiles(held_since, "postgresql")
def _since_by_its_clock(_element: held_since, _compiler: Any, **_kw: Any) -> str:
    return "clock_timestamp()"


@compiles(held_for_long)
def _long_by_this_clock(_element: held_for_long, compiler: Any, **kw: Any) -> str:
    return str(compiler.process(reservations.c.created_at < _BEFORE, **kw))


@compiles(held_for_long, "postgresql")
def _long_by_its_clock(_element: held_for_long, compiler: Any, **kw: Any) -> str:
    now, before = compiler.process(_NOW, **kw), compiler.process(_BEFORE, **kw)
    return f"{compiler.process(reservations.c.created_at, **kw)} < clock_timestamp() - ({now} - {before})"
