"""Where one owner's prompt templates are kept."""

from typing import Any, Protocol

from prosa.domain.templates import Template
from prosa.domain.time import Instant


class Templates(Protocol):
    async def add(self, template: Template) -> None: ...

    async def get(self, template_id: str) -> Template:
        """Raises TemplateNotFound."""
        ...

    async def page(self, limit: int, before: str | None) -> list[Template]:
        """The newest first; `before` is the id of the last one seen."""
        ...

    async def update(self, template_id: str, changes: dict[str, Any], now: Instant) -> Template:
        """Sets the named fields (name, description, content, variables). Raises TemplateNotFound."""
        ...

    async def delete(self, template_id: str) -> None:
        """Raises TemplateNotFound."""
        ...
