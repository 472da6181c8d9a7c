"""Prompt templates: one's own, and those that all of a client share."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from prosa.domain.errors import InvalidRequest
from prosa.domain.ids import new_id, parse_id
from prosa.domain.principal import Principal
from prosa.domain.templates import NoClient, Template, Value, Variable, checked, fill
from prosa.domain.time import now
from prosa.kit.pages import from_cursor, to_cursor
from prosa.ports.store import Store


class Draft(Struct, frozen=True):
    """What a new template starts with."""

    name: str
    content: str
    description: str | None = None
    variables: tuple[Variable, ...] = ()
    shared: bool = False


class Templates:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(self, principal: Principal, draft: Draft) -> Template:
        """Raises InvalidRequest, NoClient."""
        if draft.shared and not principal.client_id:
            raise NoClient
        owner = principal.desk if draft.shared else principal
        moment = now()
        template = Template(
            id=new_id(),
            user_id=owner.user_id,
            client_id=principal.client_id,
            name=draft.name,
            description=draft.description,
            content=draft.content,
            variables=checked(draft.variables),
            created_at=moment,
            updated_at=moment,
        )
        await self._store.of(owner).templates.add(template)
        return template

    async def get(self, principal: Principal, template_id: str) -> Template:
        """Raises TemplateNotFound."""
        return await self._store.of(principal).templates.get(template_id)

    async def page(
        self, principal: Principal, limit: int, cursor: str | None
    ) -> tuple[list[Template], str | None]:
        """At most `limit` of one's own and of the shared ones, the newest first, and the next page's cursor.
        Raises InvalidRequest."""
        before = _place(cursor)
        found = await self._store.of(principal).templates.page(limit + 1, before)
        if principal.client_id:
            found += await self._store.of(principal.desk).templates.page(limit + 1, before)
            found.sort(key=lambda template: template.id, reverse=True)
        return found[:limit], to_cursor(found[limit - 1].id) if len(found) > limit else None

    async def update(self, principal: Principal, template_id: str, changes: dict[str, Any]) -> Template:
        """Raises TemplateNotFound, InvalidRequest."""
        if "variables" in changes:
            checked(changes["variables"])
        return await self._store.of(principal).templates.update(template_id, changes, now())

    async def delete(self, principal: Principal, template_id: str) -> None:
        """Raises TemplateNotFound."""
        await self._store.of(principal).templates.delete(template_id)

    async def fill(self, principal: Principal, template_id: str, values: Mapping[str, Value]) -> str:
        """Raises TemplateNotFound, InvalidRequest."""
        return fill(await self.get(principal, template_id), values)


def _place(cursor: str | None) -> str | None:
    if cursor is None:
        return None
    match from_cursor(cursor):
        case [str(identity)] if parse_id(identity) is not None:
            return identity
    raise InvalidRequest("cursor must be the nextCursor of an earlier answer.")
