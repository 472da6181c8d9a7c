"""How statements are worded to spare round trips: several as one, or one with its values in it."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import SelectBase

from prosa.adapters.store.postgres.connection import literal
from prosa.adapters.store.statement import Row, Statement

_PARAMETER = re.compile(r"\$(\d+)")


@lru_cache(maxsize=256)
def merged(statements: tuple[Statement, ...]) -> str:
    """Writes that don't depend on each other as one statement: all see the same moment, each adds its
    parameters after those of the ones before."""
    parts = (f"w{place} AS ({sql})" for place, sql in enumerate(_counted_on(statements)))
    return f"WITH {', '.join(parts)} SELECT 1"


class Abreast:
    """Reads as one statement, which puts the first rows of all beside each other, then the second ones, and
    so on. All see the same moment, each adds its parameters after those of the ones before."""

    __slots__ = ("_parts", "sql")

    def __init__(self, statements: Sequence[Statement]) -> None:
        self.sql = _beside(_counted_on(statements))
        self._parts: list[tuple[int, slice]] = []
        here = 1
        for statement in statements:
            end = here + 1 + _width(statement)
            self._parts.append((here, slice(here + 1, end)))
            here = end

    def apart(self, rows: Sequence[Row]) -> list[list[Row]]:
        """The rows of each of the statements."""
        return [[row[part] for row in rows if row[here]] for here, part in self._parts]


abreast = lru_cache(maxsize=64)(Abreast)


def spelt_out(statement: Statement, values: Sequence[str]) -> str:
    """For a simple query, which takes no parameters."""
    return _PARAMETER.sub(lambda found: literal(values[int(found[1]) - 1]), statement.postgres.sql)


def _width(statement: Statement) -> int:
    """How many columns its rows have."""
    core: Any = statement.core if statement.instead is None else statement.instead
    assert isinstance(core, SelectBase)
    return len(core.selected_columns)


def _beside(reads: Sequence[str]) -> str:
    numbered = "SELECT row_number() OVER () AS nth, true AS here, read.* FROM ({}) AS read"
    parts = ", ".join(f"r{place} AS ({numbered.format(sql)})" for place, sql in enumerate(reads))
    others = "".join(f" FULL JOIN r{place} USING (nth)" for place in range(1, len(reads)))
    return f"WITH {parts} SELECT * FROM r0{others} ORDER BY nth"  # noqa: S608 - statements of our own


def _counted_on(statements: Sequence[Statement]) -> list[str]:
    """Their SQL; the parameters of each are numbered after those of the ones before."""
    worded, taken = [], 0
    for statement in statements:
        sql, used = _shifted(statement.postgres.sql, taken)
        worded.append(sql)
        taken += used
    return worded


def _shifted(sql: str, by: int) -> tuple[str, int]:
    """`sql` with `by` added to the number of each parameter, and how many it has."""
    used = max((int(number) for number in _PARAMETER.findall(sql)), default=0)
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + by}", sql), used
