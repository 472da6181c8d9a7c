"""Hostile case 21: a provider's key and what stands in its address are nowhere to be found, whatever goes wrong."""

import gzip
import io
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.provider import Provider
from tests.wire.house import House, furnished
from tests.wire.test_traces import listening

from prosa.adapters.telemetry.lines import configure
from prosa.adapters.telemetry.reports import Reports
from prosa.adapters.telemetry.spans import Spans
from prosa.kit.log import log
from prosa.services.tracing import tracing

CANARY = "sk-canary-key-0123456789"
IN_URL = "canary-in-the-address-01"
FAULTS = {
    "words-2x0": ("refused-" + CANARY, "provider_bad_key"),
    "words-2x0-reset": (CANARY, "broken_stream"),
    "words-2x0-silent": (CANARY, "timeout"),
    "deaf": (CANARY, "timeout"),
    "status-500": (CANARY, "provider_error"),
    "status-404": (CANARY, None),
}


class Told:
    """All that left the process about itself."""

    def __init__(self, server: Any) -> None:
        self.lines = io.StringIO()
        self.server = server
        self.spans = InMemorySpanExporter()
        self.tracer = Spans("http://127.0.0.1:9", "1", self.spans)
        self.reports = Reports(server.url.replace("http://", "http://public0123@") + "/7", "1")

    def everything(self) -> str:
        self.tracer._provider.force_flush()
        self.reports._client.flush(timeout=5)
        sent = [
            gzip.decompress(body).decode() if headers.get("content-encoding") == "gzip" else body.decode()
            for _, headers, body in self.server.heard
        ]
        return "\n".join(
            [self.lines.getvalue(), *(span.to_json() for span in self.spans.get_finished_spans()), *sent]
        )


@pytest.fixture
def told() -> Iterator[Told]:
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = root.handlers, root.level
    with listening() as server:
        made = Told(server)
        configure("json", {"": "debug", "aiohttp": "debug", "asyncio": "debug"}, out=made.lines)
        tracing.tracer, log.report = made.tracer, made.reports.report
        yield made
        tracing.tracer = log.report = None
        made.tracer._provider.shutdown()
        made.reports._client.close(timeout=1)
    structlog.configure(**before)
    root.handlers = handlers
    root.setLevel(level)
    for name in ("aiohttp", "asyncio"):
        logging.getLogger(name).setLevel(logging.NOTSET)
    log.configure({}, content=False)


async def answers(house: House, model: str) -> str:
    """What a caller hears of one run and of one answer that is no run."""
    one = await house.conversation()
    body = {"conversationId": one, "content": "x", "provider": "openai", "model": model}
    run = await house.post("/api/chat/send", body)
    plain = {"model": f"openai/{model}", "messages": [{"role": "user", "content": "x"}], "stream": True}
    other = await house.post("/v1/chat/completions", plain)
    kept = await house.get(f"/api/conversations/{one}/messages")
    return "\n".join((run.text, str(run.headers), other.text, str(other.headers), kept.text))


@pytest.mark.hostile(21)
@pytest.mark.parametrize("model", FAULTS)
async def test_no_fault_tells_a_key(
    tmp_path: Path, told: Told, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prosa.toml").write_text(
        "[providers.openai]\nretries = 1\ntimeouts = {first = 0.3, silence = 0.3}\n"
    )
    key, code = FAULTS[model]
    async with Provider().listening() as provider:
        base = f"{provider.base}?key={IN_URL}"
        async with furnished(tmp_path, openai_api_key=key, openai_base_url=base) as house:
            heard = await answers(house, model)
            assert provider.calls
            heard += str([each async for each in _rows(house)])
    assert code is None or f'"{code}"' in heard, heard
    everything = heard + told.everything()
    assert '"error.type"' in everything
    files = b"".join(each.read_bytes() for each in tmp_path.rglob("*") if each.is_file())  # noqa: ASYNC240
    for secret in (CANARY, IN_URL, provider.base):
        assert secret not in everything
        assert secret.encode() not in files


@pytest.mark.hostile(21)
async def test_a_fault_of_ours_tells_no_key(
    tmp_path: Path, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the adapter broke with the key in its hand: the log and the report have the place alone."""

    def broken(*_: object, **__: object) -> None:
        raise ValueError(f"Bearer {CANARY} to ?key={IN_URL}")

    async with Provider().listening() as provider:
        base = f"{provider.base}?key={IN_URL}"
        async with furnished(tmp_path, openai_api_key=CANARY, openai_base_url=base) as house:
            monkeypatch.setattr("prosa.adapters.models.http.Wire.answer", broken)
            heard = await answers(house, "words-2x0")
    everything = heard + told.everything()
    assert "run_broke" in everything
    assert '"type": "ValueError"' in everything or '"type":"ValueError"' in everything
    assert CANARY not in everything
    assert IN_URL not in everything


async def _rows(house: House) -> Any:
    for path in (
        "/api/conversations",
        "/api/models",
        "/api/admin/runs",
        "/api/admin/errors",
        "/api/admin/audit",
    ):
        yield (await house.get(path)).text
