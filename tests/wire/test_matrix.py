"""The matrix of routes and foreign ids notices where one check is missing: here one is taken out at a time."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from sqlalchemy import Delete, Select, Update, true
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BinaryExpression, BindParameter
from tests.wire import test_isolation as isolation
from tests.wire.house import House
from tests.wire.operations import ALL, name_of

from prosa.adapters.store.statement import _SQLITE, Compiled, Statement
from prosa.domain.principal import Principal
from prosa.transport.operation import Operation

OPERATIONS = {name_of(operation): operation for operation in ALL}

Take = Callable[[pytest.MonkeyPatch], None]


def whoever(element: Any, **_: Any) -> Any:
    """`true` in place of "its owner is the caller"."""
    if isinstance(element, BinaryExpression) and element.operator is operators.eq:
        bound = element.right
        if isinstance(bound, BindParameter) and bound.key == "principal":
            return true()
    return None


def owner_of(*repositories: str) -> Take:
    """Takes the owner's predicate out of the statements of a repository, or of several that check one thing
    twice."""

    def take(monkeypatch: pytest.MonkeyPatch) -> None:
        modules = [import_module(f"prosa.adapters.store.repositories.{name}") for name in repositories]
        changed = 0
        for statement in (each for module in modules for each in vars(module).values()):
            if isinstance(statement, Statement) and isinstance(statement.core, Select | Update | Delete):
                core = Compiled(visitors.replacement_traverse(statement.core, {}, whoever), _SQLITE)
                changed += core.sql != statement.sqlite.sql
                monkeypatch.setitem(statement.__dict__, "sqlite", core)
        assert changed

    return take


def role(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Principal, "is_operator", property(lambda _: True))


TAKEN: list[tuple[str, Take]] = [
    ("GET /api/conversations/{conversationId}", owner_of("conversations")),
    ("PATCH /api/conversations/{conversationId}", owner_of("conversations")),
    ("DELETE /api/conversations/{conversationId}", owner_of("conversations")),
    (
        "GET /api/conversations/{conversationId}/messages/{messageId}",
        owner_of("messages", "stretch", "conversations"),
    ),
    ("GET /api/conversations/{conversationId}/messages", owner_of("messages", "stretch", "conversations")),
    ("GET /api/chat/runs/{runId}", owner_of("runs")),
    ("POST /api/chat/runs/{runId}/stop", owner_of("runs")),
    ("GET /api/files/{fileId}", owner_of("files")),
    ("DELETE /api/files/{fileId}", owner_of("files")),
    ("GET /api/templates/{templateId}", owner_of("templates")),
    ("GET /api/tickets/{ticketId}", owner_of("tickets")),
    ("DELETE /api/admin/api-keys/{apiKeyId}", role),
    ("POST /api/admin/keys/{keyId}/rotate", role),
]


@pytest.mark.hostile(11)
@pytest.mark.parametrize(("name", "take"), TAKEN, ids=[name for name, _ in TAKEN])
async def test_a_check_that_is_missing_is_noticed(
    guarded: House, monkeypatch: pytest.MonkeyPatch, name: str, take: Take
) -> None:
    operation: Operation = OPERATIONS[name]
    take(monkeypatch)
    with pytest.raises(AssertionError):
        await isolation.test_another_users_ids_do_not_exist(guarded, operation)


@pytest.mark.hostile(11)
@pytest.mark.parametrize("name", sorted({name for name, _ in TAKEN}))
async def test_nothing_is_noticed_where_none_is_missing(guarded: House, name: str) -> None:
    await isolation.test_another_users_ids_do_not_exist(guarded, OPERATIONS[name])


@pytest.mark.hostile(11)
def test_a_route_without_an_entry_is_noticed() -> None:
    unknown = Operation("GET", "/api/unheard-of/{conversationId}", "", None)  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match="no example of GET /api/unheard-of"):
        isolation.example_of(unknown)
