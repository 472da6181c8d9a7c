"""Lets one transaction of an owner and of a kind at a time past, until it ends."""

from typing import Any

from sqlalchemy import Text, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ClauseElement, Executable

from prosa.adapters.store.statement import Statement


class _Turnstile(Executable, ClauseElement):
    """SQLite has one writer anyway."""

    inherit_cache = False

    def __init__(self, kind: str) -> None:
        self.kind = kind


@compiles(_Turnstile, "postgresql")
def _in_postgres(element: _Turnstile, compiler: Any, **kw: Any) -> str:
    owner = compiler.process(bindparam("principal", type_=Text()), **kw)
    return f"SELECT pg_advisory_xact_lock(hashtextextended('{element.kind} ' || {owner}, 0))"


@compiles(_Turnstile, "sqlite")
def _in_sqlite(_element: _Turnstile, _compiler: object, **_kw: object) -> str:
    return "SELECT 1"


UPLOADS = Statement(_Turnstile("upload"))
IMPORTS = Statement(_Turnstile("import"))
