"""No failure of this wire tells a key, a header or a URL, whatever a server quotes."""

import asyncio
import base64
import json
import logging
import traceback
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import quote

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs
from tests.shared import RECORDINGS, body, recording
from tests.unit.adapters.models.loopback import CUT, Loopback, Play
from tests.unit.adapters.models.speech import HELLO, chunk

from prosa.adapters.models.http import IN_GENERAL, MOST_OF_AN_ERROR, Timeouts
from prosa.adapters.models.openai.client import OpenAIModel
from prosa.adapters.models.openai.dialect import ROWS
from prosa.domain.errors import ProviderError, ProviderUnreachable
from prosa.domain.models import EmbedRequest

CANARY = "0123456789canary"
KEY = f"sk-proj/+={CANARY}"
IN_QUERY = f"query-{CANARY}"
IN_ADDRESS = f"user-{CANARY}"
SOON = Timeouts(first=0.2, silence=0.2, whole=0.2)

Ask = Callable[[OpenAIModel], Coroutine[Any, Any, Any]]


async def streamed(model: OpenAIModel) -> None:
    async for _ in model.stream(HELLO):
        pass


async def whole(model: OpenAIModel) -> None:
    async for _ in model.stream(replace(HELLO, whole=True)):
        pass


async def embedded(model: OpenAIModel) -> None:
    await model.embed(EmbedRequest("some-model", ("Oi",)))


async def listed(model: OpenAIModel) -> None:
    await model.models()


ASKED: dict[str, Ask] = {"stream": streamed, "whole": whole, "embed": embedded, "models": listed}


def said(message: Any, status: int, code: Any = None, kind: Any = None) -> Play:
    error = {"message": message, "type": kind, "code": code, "param": None}
    return Play((json.dumps({"error": error}).encode(),), status)


def quoted(text: bytes, status: int) -> Play:
    return Play((text,), status)


QUOTES = {
    "bare": KEY,
    "behind Bearer": f"authorization: Bearer {KEY}",
    "in a URL": f"POST https://{IN_ADDRESS}:{KEY}@api.example/v1?key={KEY}&x=1 failed",
    "percent-encoded": f"https://api.example/v1?key={quote(KEY, safe='')}",
    "percent-encoded, outside of a query": f"the key {quote(KEY, safe='')} is wrong",
    "between words": f"key={KEY};next",
    "twice": f"{KEY}{KEY}",
    "another key of theirs": f"sk-other-{CANARY} or xai-{CANARY} or gsk_{CANARY} or AIza{CANARY}",
    "far behind": "x" * 2_000 + KEY,
    "across the cut": "x" * 295 + KEY,
}
SHAPES: dict[str, Play] = {
    **{f"400, {name}": said(f"Wrong: {text}", 400) for name, text in QUOTES.items()},
    "401": said(f"Incorrect API key provided: {KEY}.", 401, "invalid_api_key"),
    "403": said(f"{KEY} may not do this", 403),
    "404": said(f"No model for {KEY}", 404, "model_not_found"),
    "404 of a page": quoted(f"<html>{KEY}</html>".encode(), 404),
    "408": said(KEY, 408),
    "413": said(KEY, 413),
    "422 with a list": quoted(
        json.dumps({"detail": [{"loc": [KEY], "msg": KEY, "input": KEY}]}).encode(), 422
    ),
    "429": said(f"{KEY} used up", 429, "insufficient_quota"),
    "429 with times": said(f"{KEY}: try again in 6m0s", 429, "rate_limit_exceeded"),
    "500": said(KEY, 500),
    "502 of a page": quoted(f"<h1>Bad gateway to {KEY}</h1>".encode(), 502),
    "503": said(KEY, 503),
    "529": said(KEY, 529),
    "400 as text": quoted(json.dumps({"error": KEY}).encode(), 400),
    "400 bare": quoted(json.dumps({"message": KEY, "code": 400, "object": "error"}).encode(), 400),
    "400 in a list": quoted(json.dumps([{"error": {"message": KEY, "code": 400}}]).encode(), 400),
    "400 too long to be read": said("x" * MOST_OF_AN_ERROR + KEY, 400),
    "a key in the names": said("no", 400, KEY, KEY),
    "a redirect": Play(status=307, headers={"location": f"https://h.example/?key={KEY}"}),
    "an error for an answer": said(f"not {KEY}", 200, 400),
    "an answer that is none": quoted(f"{KEY}".encode(), 200),
    "broken JSON": quoted(f'{{"x": "{KEY}'.encode(), 200),
    "a cut": Play((CUT,)),
    "silence": Play((asyncio.Event(),)),
    "in the header of a redirect with a key": Play(status=302, headers={"location": f"//{KEY}@h", "x": KEY}),
}
REPORTED = sorted(path.stem for path in (RECORDINGS / "reported").glob("openai_4*.json")) + sorted(
    path.stem for path in (RECORDINGS / "reported").glob("openai_5*.json")
)
for name in REPORTED:
    found = recording(f"reported/{name}")
    told = body(found).decode().replace("org-REDACTED", KEY).replace("check your plan", f"check {KEY}")
    headers = {name: value for name, value in found["response"]["headers"].items() if "ra" in name}
    SHAPES[name] = Play((told.encode(),), found["response"]["status"], headers)


def test_there_are_shapes_enough() -> None:
    assert len(SHAPES) - len(REPORTED) >= 30


async def fault_of(model: OpenAIModel, ask: Ask) -> ProviderError:
    try:
        with pytest.raises(ProviderError) as raised:
            await ask(model)
    finally:
        await model.close()
    return raised.value


def check(fault: ProviderError, logged: str) -> None:
    shown = [str(fault), repr(fault), fault.sentence("pt"), repr(fault.details), logged]
    shown += traceback.format_exception(fault)
    for text in shown:
        assert CANARY not in text
        assert base64.b64encode(KEY.encode()).decode() not in text


@pytest.mark.hostile(21)
@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("shape", SHAPES)
async def test_of_a_response(asked: str, shape: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    timeouts = SOON if shape == "silence" else IN_GENERAL
    async with Loopback(SHAPES[shape]).listening() as provider:
        base = f"{provider.base}/v1?key={IN_QUERY}"
        with capture_logs() as logs:
            fault = await fault_of(OpenAIModel(api_key=KEY, base_url=base, timeouts=timeouts), ASKED[asked])
        (seen,) = provider.seen
    check(fault, f"{logs} {caplog.text}")
    assert provider.base.removeprefix("http://") not in str(fault)
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert IN_QUERY in seen.path


@pytest.mark.hostile(21)
@pytest.mark.parametrize("status", [400, 401, 429])
async def test_of_azures_header(status: int) -> None:
    async with Loopback(said(f"api-key: {KEY}", status)).listening() as provider:
        azure = OpenAIModel(api_key=KEY, base_url=provider.base, dialect=ROWS["azure"])
        check(await fault_of(azure, streamed), "")
        assert provider.seen[0].headers["api-key"] == KEY
        assert "authorization" not in provider.seen[0].headers


@pytest.mark.hostile(21)
@pytest.mark.parametrize(
    "frame",
    [
        {"error": {"message": f"not {KEY}", "code": 400}},
        {"error": f"not {KEY}"},
        {"object": "error", "message": f"not {KEY}", "code": 400},
        {"choices": [{"index": 0, "finish_reason": "error", "error": {"message": KEY, "code": 400}}]},
    ],
)
async def test_in_mid_stream(frame: dict[str, Any]) -> None:
    stream = chunk({"content": "Me"}) + b"data: " + json.dumps(frame).encode() + b"\n\n"
    async with Loopback(Play((stream,))).listening() as provider:
        check(await fault_of(OpenAIModel(api_key=KEY, base_url=provider.base + "/v1"), streamed), "")


@pytest.mark.hostile(21)
@pytest.mark.parametrize("asked", ASKED)
async def test_of_a_connection_that_is_none(asked: str) -> None:
    """TLS where none is spoken, and a port where nobody listens."""

    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    place = f"127.0.0.1:{server.sockets[0].getsockname()[1]}/v1?key={IN_QUERY}"
    tls = await fault_of(OpenAIModel(api_key=KEY, base_url=f"https://{place}"), ASKED[asked])
    server.close()
    await server.wait_closed()
    gone = await fault_of(OpenAIModel(api_key=KEY, base_url=f"http://{place}"), ASKED[asked])
    user = f"http://{IN_ADDRESS}:{IN_ADDRESS}@{place}"
    away = await fault_of(OpenAIModel(api_key=None, base_url=user), ASKED[asked])
    for fault in (tls, gone, away):
        assert type(fault) is ProviderUnreachable
        check(fault, "")
