"""How a program says that a function of its own is a tool: `@prosa.tool`."""

from collections.abc import Callable
from typing import Any, TypeVar, overload

from msgspec import Struct

from prosa.domain.answers import Scope
from prosa.domain.errors import ToolFailed

Function = TypeVar("Function", bound=Callable[..., Any])

ToolError = ToolFailed
"""What a tool raises to tell the model a sentence: `raise prosa.ToolError("There is no such order.")`. Of any
other exception the model hears only that the tool failed."""

MARK = "__prosa_tool__"
TIMEOUT = 30.0
"""Seconds that a call may take where nobody says."""


class Mark(Struct, frozen=True):
    """What is known of a tool beside its function. Without `name` and `description`, the function's own."""

    name: str | None = None
    description: str | None = None
    always: bool = False
    needs_approval: bool = False
    timeout: float = TIMEOUT
    cache: float = 0.0
    cache_scope: Scope = "user"


@overload
def tool(function: Function, /) -> Function: ...


@overload
def tool(
    *,
    name: str | None = None,
    description: str | None = None,
    always: bool = False,
    needs_approval: bool = False,
    timeout: float = TIMEOUT,
    cache: float = 0.0,
    cache_scope: Scope = "user",
) -> Callable[[Function], Function]: ...


def tool(function: Any = None, /, **options: Any) -> Any:
    """Marks a function, sync or async, as a tool for `Prosa(tools=[...])`. It stays the function that it is.

    Models are told its name, its docstring, and its parameters by their annotations; Prosa fills a parameter
    that is annotated with `prosa.Caller`. Without `always` it is offered where a request names it; with
    `needs_approval` somebody allows each call; `timeout` is in seconds. With `cache` the result of a call
    holds for so many seconds, for whom `cache_scope` says: the same "user", users of the same "client", or
    the "public".

        @prosa.tool(timeout=5)
        def stock(item: str, warehouse: Literal["north", "south"] = "north") -> int:
            "How many of an item are in a warehouse."
    """
    mark = Mark(**options)

    def marked(function: Any) -> Any:
        setattr(function, MARK, mark)
        return function

    return marked if function is None else marked(function)


def mark_of(function: Callable[..., Any]) -> Mark:
    """What `@prosa.tool` said of it; of a function without it, what it says of itself."""
    found: Mark = getattr(function, MARK, Mark())
    return found
