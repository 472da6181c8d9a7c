"""Reads every statement that a store executes and fails where one could see what is not the principal's."""

import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, Delete, Insert, Select, Table, Update
from sqlalchemy.dialects.postgresql.dml import OnConflictDoUpdate
from sqlalchemy.sql import ClauseElement, operators, visitors
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, BooleanClauseList, Grouping, TextClause
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import Alias, FromClause, Join

from prosa.adapters.store.statement import Statement, Totals
from prosa.adapters.store.tables import ENGINE, OPERATORS, OWNED

_OWNED = {table.name for table in OWNED}
_ENGINE = {table.name for table in ENGINE}
_OPERATORS = {table.name for table in OPERATORS}
_NAMES = re.compile(rf"\b({'|'.join(sorted(_OWNED | _OPERATORS))})\b")


class Unowned(AssertionError):
    """A statement that does not keep to its owner's rows."""


class Auditor:
    """An observer of statements. `faults` keeps what it raised, for a test whose code swallows it."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self._passed: set[tuple[int, bool]] = set()
        self._kept: list[Statement] = []  # so that no other statement gets the identity of a passed one

    def __call__(self, statement: Statement, principal: bool) -> None:
        key = (id(statement), principal)
        if key in self._passed:
            return
        found = list(faults(statement, principal=principal))
        if found:
            self.faults += found
            raise Unowned("; ".join(found))
        self._passed.add(key)
        self._kept.append(statement)


observer = Auditor()
"""Ready to be given to a store; it remembers what it has passed from test to test."""


def faults(statement: Statement, *, principal: bool) -> Iterator[str]:
    """What is wrong with a statement of a principal, or of the engine."""
    sql = statement.sqlite.sql
    named = set(_NAMES.findall(sql))
    if not principal:
        for name in sorted(named - _ENGINE - _OPERATORS):
            yield f"the engine touches {name}: {sql}"
        return
    for name in sorted(named & _OPERATORS):
        yield f"a principal touches {name}: {sql}"
    checked: set[str] = set()
    for core in (statement.core, statement.instead):
        for element in () if core is None else visitors.iterate(core):
            summed = isinstance(statement, Totals) and isinstance(element, Select) and _sums(element)
            for table, fault in _parts(element):
                checked.add(table.name)
                if fault and not summed:
                    yield f"{fault} on {table.name}: {sql}"
            if isinstance(element, TextClause) and element is not core:
                yield f"text that can't be read: {sql}"
    for name in sorted(named - checked - _OPERATORS):
        yield f"{name} is touched out of the auditor's sight: {sql}"


def _parts(element: object) -> Iterator[tuple[Table, str | None]]:
    """The owned tables that one SELECT, INSERT, UPDATE or DELETE touches, each with what is wrong there."""
    if isinstance(element, Select):
        for source in element.get_final_froms():
            yield from _sources(source, element.whereclause)
    elif isinstance(element, Update | Delete):
        yield from _sources(element.table, element.whereclause)
        if isinstance(element, Update) and isinstance(element.table, Table):
            changed = {getattr(column, "key", column) for column in (element._values or {})}
            if "user_id" in changed and element.table.name in _OWNED:
                yield element.table, "the owner is changed"
    elif isinstance(element, Insert) and isinstance(element.table, Table) and element.table.name in _OWNED:
        yield element.table, None if _inserts_own(element) else "no user_id = :principal in an INSERT"


def _sums(element: Select[Any]) -> bool:
    """Whether all that it tells of an owned table is a sum or a number."""
    return not any(_tells(column) for column in element.selected_columns)


def _tells(element: ClauseElement) -> bool:
    if isinstance(element, FunctionElement) and element.name in ("sum", "count"):
        return False
    if isinstance(element, Column) and element.table.name in _OWNED:
        return True
    return any(_tells(child) for child in element.get_children())


def _sources(source: FromClause, where: ClauseElement | None) -> Iterator[tuple[Table, str | None]]:
    if isinstance(source, Join):
        yield from _sources(source.left, where)
        yield from _sources(source.right, where)
        return
    table = source.element if isinstance(source, Alias) else source
    if isinstance(table, Table) and table.name in _OWNED:
        own = any(_is_own(each, source) for each in _conjuncts(where))
        yield table, None if own else "no user_id = :principal"


def _conjuncts(where: ClauseElement | None) -> Iterator[ClauseElement]:
    """The conditions that all must hold; what stands beneath an OR or a NOT is none."""
    if isinstance(where, Grouping):
        yield from _conjuncts(where.element)
    elif isinstance(where, BooleanClauseList) and where.operator is operators.and_:
        for each in where.clauses:
            yield from _conjuncts(each)
    elif where is not None:
        yield where


def _is_own(condition: ClauseElement, source: FromClause) -> bool:
    if not isinstance(condition, BinaryExpression) or condition.operator is not operators.eq:
        return False
    column, bound = condition.left, condition.right
    return (
        isinstance(bound, BindParameter)
        and bound.key == "principal"
        and getattr(column, "key", None) == "user_id"
        and getattr(column, "table", None) is source
    )


def _inserts_own(element: Insert) -> bool:
    """VALUES that bind the owner, and no ON CONFLICT that would write to a row already there, unless it is
    his."""
    values = {getattr(column, "key", column): value for column, value in (element._values or {}).items()}
    bound = values.get("user_id")
    conflict = getattr(element, "_post_values_clause", None)
    harmless = conflict is None or conflict.__visit_name__ == "on_conflict_do_nothing"
    if isinstance(conflict, OnConflictDoUpdate):
        mine = any(_is_own(each, element.table) for each in _conjuncts(conflict.update_whereclause))
        harmless = mine and "user_id" not in conflict.update_values_to_set
    return harmless and isinstance(bound, BindParameter) and bound.key == "principal"
