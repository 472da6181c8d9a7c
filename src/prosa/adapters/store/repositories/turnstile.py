"""Lets one transaction of an owner at a time past, until it ends."""

from typing import Any

from sqlalchemy import bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ClauseElement, Executable

from prosa.adapters.store.statement import Statement


class _Turnstile(Executable, ClauseElement):
    """SQLite has one writer anyway."""

    inherit_cache = False


@compiles(_Turnstile, "postgresql")
def _in_postgres(_element: _Turnstile, compiler: Any, **kw: Any) -> str:
    owner = compiler.process(bindparam("principal"), **kw)
    return f"SELECT pg_advisory_xact_lock(hashtextextended({owner}, 0))"


@compiles(_Turnstile, "sqlite")
def _in_sqlite(_element: _Turnstile, _compiler: object, **_kw: object) -> str:
    return "SELECT 1"


TURNSTILE = Statement(_Turnstile())
