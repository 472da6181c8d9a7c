"""Spans to a collector, by OTLP over HTTP: in a thread of their own, and dropped where it can't keep up."""

import asyncio
import contextlib
import threading
from collections.abc import Mapping
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from prosa.domain.time import Instant
from prosa.kit.secrets import hidden
from prosa.ports.tracing import Attributes, Kind

PATH = "/v1/traces"
TIMEOUT = 5.0
"""Seconds that the collector has for a batch."""
LAST = 0.5
"""Seconds that it has for what is left at the end."""
DELAY = 2_000
"""Milliseconds that a span waits for others."""

_KINDS = {"server": SpanKind.SERVER, "client": SpanKind.CLIENT, "internal": SpanKind.INTERNAL}
_NOBODY = Context()


class Span:
    """Serves `ports.tracing.Span`."""

    __slots__ = ("inner",)

    def __init__(self, inner: trace.Span) -> None:
        self.inner = inner

    def end(
        self,
        attributes: Attributes,
        *,
        name: str | None = None,
        error: str | None = None,
        at: Instant | None = None,
    ) -> None:
        if name is not None:
            self.inner.update_name(name)
        self.inner.set_attributes(_told(attributes))
        if error is not None:
            self.inner.set_attribute("error.type", error)
            self.inner.set_status(Status(StatusCode.ERROR))
        self.inner.end(None if at is None else at * 1_000)


class Spans:
    """Serves `ports.tracing.Tracer`. `endpoint` is the collector's address, with or without `/v1/traces`;
    headers and sampling are those of OpenTelemetry's own variables."""

    def __init__(self, endpoint: str, version: str, exporter: SpanExporter | None = None) -> None:
        address = endpoint.rstrip("/")
        address = address if address.endswith(PATH) else address + PATH
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": "prosa", "service.version": version}),
            shutdown_on_exit=False,
        )
        exporter = exporter or OTLPSpanExporter(endpoint=address, timeout=TIMEOUT)
        self._provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=DELAY))
        self._tracer = self._provider.get_tracer("prosa", version)
        self._propagator = TraceContextTextMapPropagator()

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
        if isinstance(parent, Span):
            within = trace.set_span_in_context(parent.inner, _NOBODY)
        else:
            within = self._propagator.extract(carrier, _NOBODY) if carrier else _NOBODY
        begun = None if at is None else at * 1_000
        return Span(self._tracer.start_span(name, within, _KINDS[kind], _told(attributes), start_time=begun))

    async def close(self) -> None:
        """Sends what is left, if the collector takes it soon."""
        over, loop = asyncio.Event(), asyncio.get_running_loop()

        def work() -> None:
            self._provider.shutdown()
            with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits any more
                loop.call_soon_threadsafe(over.set)

        threading.Thread(target=work, name="prosa-spans", daemon=True).start()
        try:
            async with asyncio.timeout(LAST):
                await over.wait()
        except TimeoutError:
            return


def _told(attributes: Attributes) -> dict[str, str | int | float | bool]:
    return {name: hidden(value) if isinstance(value, str) else value for name, value in attributes.items()}
