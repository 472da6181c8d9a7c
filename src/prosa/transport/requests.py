"""What is logged and traced of each request: which one it was, how it ended, how long it took; no content."""

import re
import time

from starlette.types import Scope

from prosa.domain.ids import new_id
from prosa.kit.log import log
from prosa.ports.tracing import Span
from prosa.services.tracing import tracing
from prosa.transport.identity import header

LEFT = 499
"""The status of a request whose caller left before there was an answer."""

FAULT, CLOSES = 500, 1000
"""The statuses that tell of faults of ours; from the second on they are close codes."""

PROBES = frozenset({"/health", "/ready", "/metrics"})
"""What machines ask all the time."""

_ID = re.compile(r"[A-Za-z0-9._:+/=@-]{1,128}")


def request_id(given: str | None) -> str:
    """What the caller calls the request, if that can stand in a line; else a name of ours."""
    return given if given is not None and _ID.fullmatch(given) else new_id()


def route_of(scope: Scope) -> str:
    """The path with names in place of ids; "-" where there is nothing."""
    return getattr(scope.get("endpoint"), "route", "-")


def tell_of(scope: Scope, status: int, begun: float) -> None:
    """One line; `begun` is of `time.perf_counter`, `status` of HTTP or the close code of a socket."""
    route = route_of(scope)
    took = round((time.perf_counter() - begun) * 1_000, 1)
    method = scope.get("method", "WS")
    if route in PROBES:
        log.debug("request", method=method, route=route, status=status, ms=took)
    else:
        log.info("request", method=method, route=route, status=status, ms=took)


def traced(scope: Scope) -> Span | None:
    """A span for the request, within the caller's where it tells of one."""
    told = {name: header(scope, name.encode()) for name in ("traceparent", "tracestate")}
    carrier = {name: value for name, value in told.items() if value is not None}
    return tracing.request(scope.get("method", "GET"), carrier)


def end(span: Span, scope: Scope, status: int) -> None:
    route = route_of(scope)
    attributes = {"http.route": route, "http.response.status_code": status, "url.scheme": scope["scheme"]}
    name = f"{scope.get('method', 'GET')} {route}"
    span.end(attributes, name=name, error=str(status) if status >= FAULT and status < CLOSES else None)
