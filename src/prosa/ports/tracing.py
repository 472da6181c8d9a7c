"""Where spans go: what took how long, within what."""

from collections.abc import Mapping
from typing import Any, Literal, Protocol

from prosa.domain.time import Instant

Attributes = Mapping[str, str | int | float | bool]
Kind = Literal["server", "client", "internal"]


class Span(Protocol):
    """Something that goes on."""

    def end(
        self,
        attributes: Attributes,
        *,
        name: str | None = None,
        error: str | None = None,
        at: Instant | None = None,
    ) -> None:
        """It is over (`at`: at this moment, which may be past); `error` is the code of what ended it."""
        ...


class Tracer(Protocol):
    """None of its methods waits for anything, or raises."""

    def start(
        self,
        name: str,
        kind: Kind,
        attributes: Attributes,
        *,
        parent: Any = None,
        carrier: Mapping[str, str] | None = None,
        at: Instant | None = None,
    ) -> Span:
        """Begins a span within `parent`, or within what a caller tells of in its headers (`traceparent`,
        `tracestate`)."""
        ...
