"""The tools of the server, by their names, and which of them a request is offered."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AsyncExitStack

from prosa.domain.errors import MisconfiguredError, NoSuchTool
from prosa.domain.models import ToolSpec
from prosa.ports.tools import Tool
from prosa.services.tools.cached import CachedTool
from prosa.services.tools.schemas import UnusableSchema, checker

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
"""What every provider takes as a tool's name."""

LONGEST_DESCRIPTION = 16 * 1024


def complaint(spec: ToolSpec) -> str | None:
    """Why models can't be offered this tool, the server's or a client's, as a sentence; None if they can."""
    if not NAME.fullmatch(spec.name):
        return f"A tool can't be called {spec.name[:100]!r}. Use 1 to 64 letters of ASCII, digits, - and _."
    if len(spec.description) > LONGEST_DESCRIPTION:
        return f"The description of the tool {spec.name} is longer than {LONGEST_DESCRIPTION} characters."
    try:
        checker(spec.parameters)
    except UnusableSchema as error:
        return f"The parameters of the tool {spec.name} can't be used: {error}."
    return None


class Toolbox:
    """Raises MisconfiguredError where two tools share a name, or one has a name or a schema that can't be."""

    def __init__(self, tools: Iterable[Tool] = ()) -> None:
        self._tools: dict[str, Tool] = {}
        for tool in tools:
            name = tool.spec.name
            if wrong := complaint(tool.spec):
                raise MisconfiguredError(wrong)
            if name in self._tools:
                raise MisconfiguredError(f"Two tools are called {name}. Give one of them another name.")
            self._tools[name] = tool

    def __iter__(self) -> Iterator[Tool]:
        return iter(self._tools.values())

    def find(self, name: str) -> Tool | None:
        return self._tools.get(name)

    def specs(self, names: Sequence[str] | None = None) -> tuple[ToolSpec, ...]:
        """The tools called `names`, each once; where `names` is None, those that are always offered.

        Raises NoSuchTool.
        """
        if names is None:
            return tuple(tool.spec for tool in self._tools.values() if tool.always)
        for name in names:
            if name not in self._tools:
                raise NoSuchTool(name)
        return tuple(self._tools[name].spec for name in dict.fromkeys(names))

    def forget(self) -> None:
        """Keeps no results any more of what was called before."""
        for tool in self:
            if isinstance(tool, CachedTool):
                tool.forget()

    async def close(self) -> None:
        """Closes every tool, whatever became of the others."""
        async with AsyncExitStack() as left:
            for tool in self._tools.values():
                left.push_async_callback(tool.close)
