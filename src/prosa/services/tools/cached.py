"""A tool whose results hold for a while: the same call in that time is not made again."""

import time
from typing import Any, Literal

import msgspec

from prosa.domain.answers import Scope, owner_of
from prosa.domain.errors import MisconfiguredError
from prosa.domain.models import ToolSpec
from prosa.kit.clock import Clock
from prosa.kit.recent import Recent
from prosa.ports.tools import Caller, Tool
from prosa.services import meters

MOST = 1_000
"""Results of one tool."""


class CachedTool:
    """A Tool around a Tool. Results are kept for `seconds`, in this process, and shared within `scope`; what
    fails is not kept. A tool that is `told` of its caller has them for each caller and conversation."""

    def __init__(
        self,
        inner: Tool,
        seconds: float,
        scope: Scope,
        clock: Clock = time.monotonic,
        *,
        told: bool = False,
    ) -> None:
        """Raises MisconfiguredError where others would share what a tool says to one of them."""
        if told and scope != "user":
            raise MisconfiguredError(
                f"The tool {inner.spec.name} is told who calls it, so that others can't share its results. "
                "Leave cache_scope out, or the caller."
            )
        self._inner = inner
        self._scope = scope
        self._told = told
        self._results: Recent[str] = Recent(MOST, seconds, clock)

    @property
    def spec(self) -> ToolSpec:
        return self._inner.spec

    @property
    def kind(self) -> Literal["function", "http"]:
        return self._inner.kind

    @property
    def always(self) -> bool:
        return self._inner.always

    @property
    def needs_approval(self) -> bool:
        return self._inner.needs_approval

    @property
    def timeout(self) -> float:
        return self._inner.timeout

    async def call(self, arguments: dict[str, Any], caller: Caller) -> str:
        owner = owner_of(caller.principal, self._scope)
        given = msgspec.json.encode(arguments, order="deterministic")
        where = (caller.principal, caller.conversation_id) if self._told else None
        key = (owner.user_id, owner.client_id, caller.language, given, where)
        result = self._results.get(key)
        meters.cached("tools", "miss" if result is None else "hit").inc()
        if result is None:
            result = await self._inner.call(arguments, caller)
            self._results.put(key, result)
        return result

    def forget(self) -> None:
        """Somebody's are to be gone: nobody's are kept."""
        self._results.clear()

    async def close(self) -> None:
        await self._inner.close()
