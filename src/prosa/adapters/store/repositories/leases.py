"""By which clock leases begin and end: many nodes go by their database's, one process by its own."""

from typing import Any

from sqlalchemy import bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement

from prosa.adapters.store.tables import runs

_NOW = bindparam("now", type_=runs.c.lease_until.type)
_UNTIL = bindparam("until", type_=runs.c.lease_until.type)


class lease_end(ColumnElement[int]):  # noqa: N801 - reads as an operator in a statement
    """As far after the present moment as the parameter `until` is after the parameter `now`."""

    inherit_cache = False


class lease_over(ColumnElement[bool]):  # noqa: N801 - as above
    """The run's lease has ended. `now` says the present moment where the database does not."""

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
