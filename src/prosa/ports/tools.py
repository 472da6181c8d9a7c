"""Whatever a model can have called: a function of the program's, an address that the operator allowed."""

from typing import Any, Literal, Protocol

from msgspec import Struct

from prosa.domain.models import ToolSpec
from prosa.domain.principal import Principal


class Caller(Struct, frozen=True):
    """On whose behalf a tool acts: for whom, in which run and conversation, at which call of the model's, and
    in which language its user reads ("en", "pt")."""

    principal: Principal
    run_id: str = ""
    conversation_id: str = ""
    call_id: str = ""
    language: str = "en"


class Tool(Protocol):
    @property
    def spec(self) -> ToolSpec:
        """What models are told of it."""
        ...

    @property
    def kind(self) -> Literal["function", "http"]: ...

    @property
    def always(self) -> bool:
        """Whether it is offered where a request names no tools; else only to those that name it."""
        ...

    @property
    def needs_approval(self) -> bool:
        """Whether somebody has to allow each call before it is made."""
        ...

    @property
    def timeout(self) -> float:
        """Seconds that a call may take; `call` holds to it by itself."""
        ...

    async def call(self, arguments: dict[str, Any], caller: Caller) -> str:
        """The result as the model is told it: text, or JSON text, bounded in size.

        `arguments` fit the spec's schema (`services.tools.arguments` saw to it). Raises `ToolFailed`, whose
        sentence the model may read.
        """
        ...

    async def close(self) -> None:
        """Frees what the tool holds: connections. Safe to call twice."""
        ...
