"""Tools as prosa.toml declares them: `[tools.<name>]` with an address to call, or a function to import."""

import re
from decimal import Decimal
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct
from msgspec.structs import force_setattr

from prosa.domain.answers import Scope

Seconds = Annotated[float, Meta(gt=0, le=3600)]
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Field = Literal["user_id", "client_id", "conversation_id", "run_id", "call_id", "language"]

_FUNCTION = re.compile(r"[\w.]+:[\w.]+")
_MOST = 64 * 1024
_OF_ADDRESSES = {
    "method": "GET", "parameters": {}, "headers": {}, "query": {}, "allow_private": False, "max_bytes": _MOST,
}  # fmt: skip
"""By what they are where nobody says."""


class Source(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a value comes from: `{ env = "WEATHER_KEY", prefix = "Bearer " }`, a secret of the environment,
    or `{ caller = "user_id" }`, what the call itself brings."""

    env: str | None = None
    prefix: str = ""
    caller: Field | None = None

    def __post_init__(self) -> None:
        if bool(self.env) == (self.caller is not None) or (self.caller and self.prefix):
            raise ValueError('a value is a text, { env = "…", prefix = "…" } or { caller = "…" }')


class ToolTable(Struct, frozen=True, forbid_unknown_fields=True):
    """One table. With `url` it is an HTTP tool, with `function` ("shop.tools:stock") a Python function; what
    a function does not say here, its `@prosa.tool` says. With `cache` results hold for so many seconds."""

    url: str | None = None
    function: str | None = None
    description: str | None = None
    always: bool | None = None
    needs_approval: bool | None = None
    timeout: Seconds | None = None
    cache: Annotated[float, Meta(ge=0, le=86_400)] | None = None
    cache_scope: Scope | None = None
    method: Method = "GET"
    parameters: dict[str, Any] = {}
    headers: dict[str, str | Source] = {}
    query: dict[str, str | Source] = {}
    allow_private: bool = False
    max_bytes: Annotated[int, Meta(ge=1, le=1024 * 1024)] = _MOST

    def __post_init__(self) -> None:
        if (self.url is None) == (self.function is None):
            raise ValueError("needs either a url or a function")
        if self.function is not None and not _FUNCTION.fullmatch(self.function):
            raise ValueError('a function is written "module:name"')
        wrong = [name for name, default in _OF_ADDRESSES.items() if getattr(self, name) != default]
        if self.function is not None and wrong:
            raise ValueError(f"{', '.join(wrong)}: a function has none of these")
        if self.url is not None and not self.description:
            raise ValueError("needs a description: it is how models know when to call it")
        force_setattr(self, "parameters", _binary(self.parameters))


def _binary(value: Any) -> Any:
    """prosa.toml is read with exact decimals, for its prices; a schema has JSON's numbers."""
    if isinstance(value, dict):
        return {name: _binary(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_binary(each) for each in value]
    return float(value) if isinstance(value, Decimal) else value
