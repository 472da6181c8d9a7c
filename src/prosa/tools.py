"""The tools of the server: those that a program brings, and those that prosa.toml declares."""

import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import structs

from prosa.config import secret, tables
from prosa.declared import Source, ToolTable
from prosa.domain.answers import Scope
from prosa.domain.errors import MisconfiguredError
from prosa.domain.models import ToolSpec
from prosa.ports.tools import Tool
from prosa.services.tools.cached import CachedTool
from prosa.services.tools.marks import Mark, mark_of
from prosa.services.tools.registry import Toolbox

if TYPE_CHECKING:
    from prosa.adapters.tools.http import Given


def toolbox(tools: Iterable[Tool | Callable[..., Any]] = ()) -> Toolbox:
    """The server's tools: `tools`, then those of prosa.toml. Raises MisconfiguredError."""
    declared = [_declared(name, table) for name, table in tables().tools.items()]
    return Toolbox([*(_tool(each) for each in tools), *declared])


def _tool(given: Any) -> Tool:
    if hasattr(given, "spec"):
        own: Tool = given
        return own
    if not callable(given):
        raise MisconfiguredError(f"A tool must be a function; {type(given).__name__} is none.")
    return _function(given, mark_of(given))


def _function(function: Callable[..., Any], mark: Mark) -> Tool:
    from prosa.adapters.tools.function import FunctionTool

    given = structs.asdict(mark)
    seconds, scope = given.pop("cache"), given.pop("cache_scope")
    made = FunctionTool(function, **given)
    return _keeping(made, seconds, scope, told=made.told)


def _keeping(tool: Tool, seconds: float, scope: Scope, *, told: bool) -> Tool:
    return CachedTool(tool, seconds, scope, told=told) if seconds > 0 else tool


def _declared(name: str, table: ToolTable) -> Tool:
    """The tool of one table of prosa.toml."""
    said = {
        field: getattr(table, field)
        for field in ("description", "always", "needs_approval", "timeout", "cache", "cache_scope")
        if getattr(table, field) is not None
    }
    if table.function is not None:
        function = _imported(name, table.function)
        return _function(function, structs.replace(mark_of(function), name=name, **said))
    from prosa.adapters.tools.http import Endpoint, HttpTool, Of

    endpoint = Endpoint(
        url=table.url or "",
        method=table.method,
        headers={key: _given(name, value) for key, value in table.headers.items()},
        query={key: _given(name, value) for key, value in table.query.items()},
        most=table.max_bytes,
        allow_private=table.allow_private,
    )
    seconds, scope = said.pop("cache", 0.0), said.pop("cache_scope", "user")
    spec = ToolSpec(name, said.pop("description"), table.parameters)
    told = any(isinstance(each, Of) for each in (*endpoint.headers.values(), *endpoint.query.values()))
    return _keeping(HttpTool(spec, endpoint, **said), seconds, scope, told=told)


def _given(tool: str, value: str | Source) -> "Given":
    from prosa.adapters.tools.http import Of, Plain, Secret

    if isinstance(value, str):
        return Plain(value)
    if value.caller is not None:
        return Of(value.caller)
    return Secret(secret(value.env or "", f"[tools.{tool}]"), value.prefix)


def _imported(tool: str, path: str) -> Callable[..., Any]:
    """The function at `module:name`; modules beside prosa.toml count. Raises MisconfiguredError."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
    module, _, names = path.partition(":")
    try:
        found = attrgetter(names)(import_module(module))
    except (ImportError, AttributeError) as error:
        raise MisconfiguredError(f"The function of [tools.{tool}] can't be imported: {error}.") from None
    if not callable(found):
        raise MisconfiguredError(f"{path}, named in [tools.{tool}], is no function.")
    function: Callable[..., Any] = found
    return function
