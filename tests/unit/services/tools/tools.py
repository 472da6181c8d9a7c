"""A tool of the tests' own."""

from typing import Any, Literal

from prosa.domain.models import ToolSpec
from prosa.ports.tools import Caller


class EchoTool:
    """Says its arguments. `closed` counts."""

    kind: Literal["function"] = "function"
    needs_approval = False
    timeout = 1.0

    def __init__(
        self, name: str, *, always: bool = False, fault: Exception | None = None, **schema: Any
    ) -> None:
        self.spec = ToolSpec(name, f"Tool {name}.", {"type": "object", **schema})
        self.always = always
        self.closed = 0
        self._fault = fault

    async def call(self, arguments: dict[str, Any], caller: Caller) -> str:
        return f"{caller.principal.user_id}: {arguments}"

    async def close(self) -> None:
        self.closed += 1
        if self._fault is not None:
            raise self._fault
