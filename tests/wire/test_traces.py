"""Traces: a request, its run, the attempts and the tools, one within the other, and not a word of content."""

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from tests.wire.house import House, furnished

from prosa.adapters.telemetry.spans import LAST, Spans
from prosa.domain.errors import RateLimited
from prosa.domain.models import (
    Asked,
    Finish,
    FinishReason,
    Queued,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    Usage,
    UsageReport,
)
from prosa.services.tracing import tracing

CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
WORDS = "a palavra secreta"
Seen = Callable[[], list[ReadableSpan]]


@pytest.fixture
def seen() -> Iterator[Seen]:
    """The spans that have ended, in the order of their beginning."""
    exporter = InMemorySpanExporter()
    tracer = tracing.tracer = Spans("http://127.0.0.1:9", "1", exporter)

    def spans() -> list[ReadableSpan]:
        tracer._provider.force_flush()
        return sorted(exporter.get_finished_spans(), key=lambda span: span.start_time or 0)

    yield spans
    tracing.tracer = None
    tracer._provider.shutdown()


def one(spans: list[ReadableSpan], name: str) -> ReadableSpan:
    (found,) = (span for span in spans if span.name == name)
    return found


def within(inner: ReadableSpan, outer: ReadableSpan) -> bool:
    return inner.parent is not None and inner.parent.span_id == outer.context.span_id


async def test_a_turn_is_one_trace(local: House, seen: Seen) -> None:
    chat = await local.conversation()
    local.script = [
        Queued(2), Asked("mistral", "a"), Asked("fake", "b", None, RateLimited.code),
        WORDS, UsageReport(Usage(9, 4)), Finish(FinishReason.STOP),
    ]  # fmt: skip
    await local.post(
        "/api/chat/send", {"conversationId": chat, "content": WORDS}, headers={"traceparent": CALLER}
    )
    spans = [span for span in seen() if f"{span.context.trace_id:032x}" == CALLER[3:35]]
    request, run = one(spans, "POST /api/chat/send"), one(spans, "invoke_agent prosa")
    first, second = one(spans, "chat a"), one(spans, "chat b")
    assert len(spans) == 4
    assert request.parent is not None
    assert f"{request.parent.span_id:016x}" == CALLER[36:52]
    assert within(run, request)
    assert within(first, run)
    assert within(second, run)
    assert (
        request.attributes.items()
        >= {"http.route": "/api/chat/send", "http.response.status_code": 200}.items()
    )
    assert run.attributes.items() >= {
        "gen_ai.operation.name": "invoke_agent", "gen_ai.conversation.id": chat, "prosa.run.status": "completed",
        "gen_ai.usage.input_tokens": 9, "gen_ai.usage.output_tokens": 4, "gen_ai.response.model": "b",
    }.items()  # fmt: skip
    assert (
        first.attributes.items()
        >= {"gen_ai.provider.name": "mistral_ai", "error.type": "rate_limited"}.items()
    )
    assert (
        second.attributes.items() >= {"gen_ai.usage.input_tokens": 9, "gen_ai.usage.output_tokens": 4}.items()
    )
    assert second.attributes["gen_ai.response.time_to_first_chunk"] >= 0
    assert "error.type" not in second.attributes
    assert run.start_time <= second.start_time <= second.end_time <= run.end_time
    told = "".join(span.to_json() for span in spans)
    assert "palavra" not in told
    assert {name for span in spans for name in span.attributes if name.startswith("gen_ai.")} <= {
        value for value in vars(gen_ai_attributes).values() if isinstance(value, str)
    }


async def test_a_tool_is_a_span_of_its_run(tmp_path: Any, seen: Seen) -> None:
    def weather(city: str) -> str:
        """The weather."""
        raise ValueError(city)

    def script(request: Any) -> list[Any]:
        if request.turns[-1].role == "tool":
            return ["So.", Finish(FinishReason.STOP)]
        call = [
            ToolCallStart("c1", "weather"),
            ToolCallDelta("c1", json.dumps({"city": WORDS})),
            ToolCallEnd("c1"),
        ]
        return [*call, Finish(FinishReason.TOOL_CALLS)]

    async with furnished(tmp_path, tools=[weather]) as house:
        house.script = script
        await house.send(await house.conversation(), tools=["weather"])
    spans = seen()
    tool, run = one(spans, "execute_tool weather"), one(spans, "invoke_agent prosa")
    assert within(tool, run)
    assert tool.attributes.items() >= {
        "gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.id": "c1", "error.type": "tool_failed",
    }.items()  # fmt: skip
    assert len([span for span in spans if span.name == "chat fake"]) == 2
    assert "palavra" not in "".join(span.to_json() for span in spans)


async def test_an_answer_that_is_no_run(local: House, seen: Seen) -> None:
    body = {"model": "fake/fake", "messages": [{"role": "user", "content": WORDS}]}
    assert (await local.post("/v1/chat/completions", body)).status_code == 200
    spans = seen()
    assert within(one(spans, "chat fake"), one(spans, "POST /v1/chat/completions"))
    assert "palavra" not in "".join(span.to_json() for span in spans)


@pytest.mark.parametrize("told", ["nonsense", "00-0-0-01", "é", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"])
async def test_what_is_no_trace_of_the_callers_begins_one(local: House, seen: Seen, told: str) -> None:
    await local.get("/api/conversations", headers={b"traceparent": told.encode()})
    assert one(seen(), "GET /api/conversations").parent is None


class _Hear(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.heard.append(
            (self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        )  # type: ignore[attr-defined]
        self.server.more.set()  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def listening() -> Iterator[Any]:
    """A listener on the loopback that takes whatever is posted."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Hear)
    server.heard, server.more = [], Event()
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


async def test_spans_reach_a_collector(local: House) -> None:
    with listening() as collector:
        tracer = tracing.tracer = Spans(collector.url, "1")
        try:
            await local.send(await local.conversation(), WORDS)
        finally:
            tracing.tracer = None
            await tracer.close()
    path, headers, _ = collector.heard[0]
    assert (path, headers["content-type"]) == ("/v1/traces", "application/x-protobuf")
    sent = b"".join(body for _, _, body in collector.heard)
    assert b"invoke_agent prosa" in sent
    assert b"palavra" not in sent


def test_nothing_of_it_is_loaded_without_its_setting() -> None:
    code = (
        "import sys, prosa.cli, prosa.bootstrap, prosa.transport.app; "
        "print([name for name in sys.modules if name.split('.')[0] in ('opentelemetry', 'sentry_sdk')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


async def test_a_collector_that_is_deaf_holds_up_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # it takes connections and never says a word
        tracer = Spans(f"http://127.0.0.1:{deaf.getsockname()[1]}", "1")
        for _ in range(5_000):  # more than wait at most
            tracer.start("x", "internal", {}).end({})
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await tracer.close()
        assert loop.time() - begun < LAST + 1
