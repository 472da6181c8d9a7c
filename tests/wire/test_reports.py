"""Reports of errors, seen by a listener on the loopback: where it broke, and nothing of what was said."""

import asyncio
import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.wire.house import House
from tests.wire.test_traces import WORDS, listening

from prosa.adapters.telemetry.reports import Reports
from prosa.kit.log import log
from prosa.kit.secrets import remember

CANARY = "sk-canary-0123456789abcdef"


class Sentry:
    def __init__(self, server: Any) -> None:
        self.server = server

    async def text(self) -> str:
        """The first envelope, as it came."""
        assert await asyncio.to_thread(self.server.more.wait, 10)
        path, headers, body = self.server.heard[0]
        assert path == "/api/7/envelope/"
        assert "sentry_key=public0123" in headers["x-sentry-auth"]
        return (gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body).decode()


@pytest.fixture
def sentry() -> Iterator[Sentry]:
    with listening() as server:
        reports = Reports(server.url.replace("http://", "http://public0123@") + "/7", "1")
        log.report = reports.report
        yield Sentry(server)
        log.report = None
        reports._client.close(timeout=1)


def event_of(envelope: str) -> dict[str, Any]:
    return next(json.loads(line) for line in envelope.splitlines() if '"exception"' in line)


@pytest.mark.hostile(21)
async def test_an_exception_arrives_without_content(
    local: House, sentry: Sentry, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember(CANARY)
    one = await local.conversation(title=WORDS)

    async def broken(*_: object, **__: object) -> None:
        secret, words = CANARY, WORDS
        try:
            int(f"{words} {secret}")
        except ValueError as error:
            raise KeyError(words, secret) from error

    monkeypatch.setattr(local.chat.messages, "page", broken)
    headers = {"x-request-id": f"r-{CANARY}", "authorization": f"Bearer {CANARY}", "cookie": f"c={CANARY}"}
    answer = await local.get(f"/api/conversations/{one}/messages?q={WORDS}", headers=headers)
    assert (answer.status_code, CANARY in answer.text) == (500, False)
    envelope = await sentry.text()
    for word in ("canary", "palavra", "Bearer", "cookie", one):
        assert word not in envelope, word
    event = event_of(envelope)
    assert [each["type"] for each in event["exception"]["values"]] == ["ValueError", "KeyError"]
    frames = event["exception"]["values"][-1]["stacktrace"]["frames"]
    assert frames[-1]["function"] == "broken"
    assert not any(frame.keys() & {"vars", "context_line"} for frame in frames)
    assert event["tags"]["event"] == "request_broke"
    assert event["tags"]["request_id"] == "r-…"
    assert event.keys().isdisjoint(
        {"request", "user", "breadcrumbs", "extra", "modules", "server_name", "contexts"}
    )


def test_what_is_no_dsn_is_refused() -> None:
    for dsn in ("nonsense", "http://127.0.0.1/1", "http://key@127.0.0.1"):
        with pytest.raises(ValueError, match="no DSN"):
            Reports(dsn, "1")
