"""Tools as prosa.toml declares them: `[tools.<name>]` with an address to call, or a function to import."""

from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

_CLOSED = ConfigDict(frozen=True, extra="forbid")

_OF_ADDRESSES = frozenset({"method", "parameters", "headers", "query", "allow_private", "max_bytes"})


class FromEnvironment(BaseModel):
    """`{ env = "WEATHER_KEY", prefix = "Bearer " }`: a secret, never shown."""

    model_config = _CLOSED

    env: str = Field(min_length=1)
    prefix: str = ""


class FromCaller(BaseModel):
    """`{ caller = "user_id" }`: what the call itself brings."""

    model_config = _CLOSED

    caller: Literal["user_id", "client_id", "conversation_id", "run_id", "call_id", "language"]


def _which(value: object) -> str:
    if isinstance(value, str):
        return "text"
    return (
        "caller"
        if isinstance(value, FromCaller) or (isinstance(value, dict) and "caller" in value)
        else "env"
    )


Value = Annotated[
    Annotated[str, Tag("text")]
    | Annotated[FromEnvironment, Tag("env")]
    | Annotated[FromCaller, Tag("caller")],
    Discriminator(_which),
]


def _binary(value: Any) -> Any:
    """prosa.toml is read with exact decimals, for its prices; a schema has JSON's numbers."""
    if isinstance(value, dict):
        return {name: _binary(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_binary(each) for each in value]
    return float(value) if isinstance(value, Decimal) else value


class DeclaredTool(BaseModel):
    """One table. With `url` it is an HTTP tool, with `function` ("shop.tools:stock") a Python function; what
    a function does not say here, its `@prosa.tool` says."""

    model_config = _CLOSED

    url: str | None = None
    function: str | None = Field(default=None, pattern=r"^[\w.]+:[\w.]+$")
    description: str | None = None
    always: bool | None = None
    needs_approval: bool | None = None
    timeout: float | None = Field(default=None, gt=0, le=3600)
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    parameters: Annotated[dict[str, Any], BeforeValidator(_binary)] = {}
    headers: dict[str, Value] = {}
    query: dict[str, Value] = {}
    allow_private: bool = False
    max_bytes: int = Field(default=64 * 1024, ge=1, le=1024 * 1024)

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.url is None) == (self.function is None):
            raise ValueError("needs either a url or a function")
        if self.function is not None and (wrong := _OF_ADDRESSES & self.model_fields_set):
            raise ValueError(f"{', '.join(sorted(wrong))}: a function has none of these")
        if self.url is not None and not self.description:
            raise ValueError("needs a description: it is how models know when to call it")
        return self
