"""Tools that are Python functions of the program's own."""

import asyncio
import inspect
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

from prosa.adapters.tools.docstring import read
from prosa.adapters.tools.result import bounded, text_of
from prosa.adapters.tools.signature import Signature, unwrapped
from prosa.adapters.tools.threads import Threads
from prosa.domain.errors import InvalidArguments, MisconfiguredError, ToolFailed
from prosa.domain.models import ToolSpec
from prosa.kit.log import log
from prosa.ports.tools import Caller

MOST_OF_A_SENTENCE = 2_000
"""Bytes of what a function says when it raises ToolFailed."""


class FunctionTool:
    """`function`, sync or async, with its schema. Raises MisconfiguredError."""

    kind: Literal["function"] = "function"

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        name: str | None = None,
        description: str | None = None,
        always: bool = False,
        needs_approval: bool = False,
        timeout: float = 30.0,
    ) -> None:
        name = name or str(getattr(function, "__name__", type(function).__name__))
        if timeout <= 0:
            raise MisconfiguredError(f"The timeout of the tool {name} must be more than 0 seconds.")
        said = read(inspect.getdoc(unwrapped(function)))
        self._signature = Signature(name, function, said.parameters)
        self._function = function
        self._threads = None if _asynchronous(function) else Threads(name)
        self.spec = ToolSpec(name, said.text if description is None else description, self._signature.schema)
        self.always = always
        self.needs_approval = needs_approval
        self.timeout = timeout

    @property
    def told(self) -> bool:
        """Whether it asks who calls."""
        return self._signature.told

    async def call(self, arguments: dict[str, Any], caller: Caller) -> str:
        bound = self._signature.bind(arguments, caller)
        limit = asyncio.timeout(self.timeout)
        try:
            async with limit:
                return bounded(text_of(await self._run(bound)))
        except InvalidArguments:
            raise
        except ToolFailed as error:
            raise ToolFailed(bounded(str(error), MOST_OF_A_SENTENCE)) from None
        except Exception as error:  # noqa: BLE001 - an edge: its faults end the call, and nothing else
            if limit.expired() and isinstance(error, TimeoutError):
                raise ToolFailed(f"{self.spec.name} took longer than {self.timeout:g} seconds.") from None
            # What it says may be meant for nobody outside: the operator reads it, the model does not.
            log.warning("tool_failed", tool=self.spec.name, run=caller.run_id, exc_info=error)
            raise ToolFailed(f"{self.spec.name} failed.") from None

    async def _run(self, bound: dict[str, Any]) -> Any:
        if self._threads is None:
            return await self._function(**bound)
        return await self._threads.run(partial(self._function, **bound))

    async def close(self) -> None:
        """It holds nothing. A thread that still runs ends with the process."""


def _asynchronous(function: Any) -> bool:
    function = unwrapped(function)
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)
