"""`POST /api/chat`: messages in, the bare text of the answer out, as seed 003 reads it."""

import asyncio
import json
from typing import Any

import httpx2
import pytest
from tests.wire.house import NOBODY, House, refused

from prosa.adapters.store.sqlite.store import _Session
from prosa.domain import errors as e
from prosa.services.runs.readers import RunReader
from prosa.transport import sse

PATH = "/api/chat"
ASKED = {"messages": [{"role": "user", "content": "Oi"}]}


@pytest.mark.parametrize(
    "kind", ["text/plain;charset=UTF-8", "application/json", "", "application/x-www-form-urlencoded"]
)
async def test_json_whatever_the_content_type(local: House, kind: str) -> None:
    headers = {"Content-Type": kind} if kind else {}
    answer = await local.post(PATH, content=json.dumps(ASKED).encode(), headers=headers)
    assert (answer.status_code, answer.text) == (200, "You said: Oi")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-accel-buffering"] == "no"


@pytest.mark.hostile(69)
@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost.evil.example", "file://"]
)
async def test_another_sites_form_is_refused(local: House, origin: str) -> None:
    headers = {"Content-Type": "text/plain", "Origin": origin}
    refused(
        await local.post(PATH, content=json.dumps(ASKED).encode(), headers=headers), 403, e.OriginRefused()
    )
    assert local.calls == []


async def test_messages_begin_a_conversation_that_holds_them(local: House) -> None:
    messages = [
        {"role": "system", "content": "Seja breve."},
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
    ]
    answer = await local.post(PATH, {"messages": messages})
    (call,) = local.calls
    assert call.request.system == "Seja breve."
    assert [turn.content for turn in call.request.turns] == ["a", "b", "c"]
    one = answer.headers["x-conversation-id"]
    items = (await local.get(f"/api/conversations/{one}/messages")).json()["items"]
    assert [item["content"] for item in items] == ["a", "b", "c", "You said: c"]


async def test_many_messages_are_stored_at_once(local: House, monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[str] = []
    kept = _Session.write

    def counted(session: _Session, plan: Any, *args: Any, **kwargs: Any) -> Any:
        writes.append(plan.__name__)
        return kept(session, plan, *args, **kwargs)

    monkeypatch.setattr(_Session, "write", counted)
    turns = [{"role": ("user", "assistant")[place % 2], "content": f"turno {place}"} for place in range(999)]
    answer = await local.post(PATH, {"messages": turns})
    assert answer.text == "You said: turno 998"
    ours = [name for name in writes if name not in ("_take", "_settle")]  # what is looked for at the start
    assert len(ours) <= 4  # the conversation, what was said before, the run; what the engine does meanwhile
    one = answer.headers["x-conversation-id"]
    latest = (await local.get(f"/api/conversations/{one}/messages?order=desc&limit=200")).json()["items"]
    assert [item["content"] for item in latest] == [
        "You said: turno 998",
        *(f"turno {place}" for place in range(998, 799, -1)),
    ]
    assert [item["parentId"] for item in latest[:-1]] == [item["id"] for item in latest[1:]]


async def test_messages_go_on_where_they_are_told(local: House) -> None:
    one = await local.conversation()
    answer = await local.post(PATH, ASKED | {"conversationId": one.upper()})
    assert answer.headers["x-conversation-id"] == one
    again = await local.post(PATH, {"conversationId": one, "content": "mais"})
    assert again.text == "You said: mais"
    assert [turn.content for turn in local.calls[-1].request.turns] == ["Oi", "You said: Oi", "mais"]


async def test_what_is_refused_leaves_no_conversation(local: House) -> None:
    for body, status, error in (
        ({}, 400, e.InvalidRequest("messages, or conversationId and content, are needed.")),
        ({"content": "x"}, 400, e.InvalidRequest("messages, or conversationId and content, are needed.")),
        ({"messages": [{"role": "assistant", "content": "x"}]}, 400, e.InvalidRequest("the last of messages must be the user's.")),
        (ASKED | {"conversationId": NOBODY}, 404, e.ConversationNotFound()),
        *((ASKED | given, 400, e.InvalidRequest("messages stand in place of content, regenerate and parentId."))
          for given in ({"content": "x"}, {"regenerate": NOBODY}, {"parentId": NOBODY}, {"parentId": None})),
        (ASKED | {"tools": ["none"]}, 400, e.NoSuchTool("none")),
        (ASKED | {"functions": [1]}, 400, e.NotSupported("`functions`")),
        (ASKED | {"provider": "ollama"}, 503, e.ProviderNotConfigured("ollama", "OLLAMA_SERVER")),
    ):  # fmt: skip
        refused(await local.post(PATH, body), status, error)
    long = await local.post(PATH, {"messages": [{"role": "user", "content": "palavra " * 40_000}]})
    assert (long.status_code, long.json()["code"]) == (422, "context_too_long")
    assert (await local.get("/api/conversations")).json()["items"] == []
    assert local.calls == []


async def test_a_failure_before_the_first_word_has_a_status(local: House) -> None:
    fault = e.RateLimited("fake", 3.0)
    local.script = [fault]
    answer = await local.post(PATH, ASKED, headers={"Accept-Language": "pt"})
    assert (answer.status_code, answer.json()) == (
        502,
        {"success": False, "code": "rate_limited", "message": fault.sentence("pt")},
    )


async def test_a_failure_in_the_middle_breaks_the_connection(listening: House) -> None:
    gate = asyncio.Event()
    listening.script = ["meia resposta", gate, e.BrokenStream("fake")]
    async with listening.client() as client, client.stream("POST", PATH, json=ASKED) as response:
        assert response.status_code == 200
        pieces = response.aiter_raw()
        got = await anext(pieces)
        gate.set()
        with pytest.raises(httpx2.RemoteProtocolError):
            await anext(pieces)
    assert got == b"meia resposta"
    assert (await listening.get("/health")).status_code == 200


async def test_a_refusal_without_a_word_is_an_empty_answer(local: House) -> None:
    from prosa.domain.models import Finish, FinishReason

    local.script = [Finish(FinishReason.REFUSAL)]
    answer = await local.post(PATH, ASKED)
    assert (answer.status_code, answer.content) == (200, b"")


async def test_silence_is_filled_with_nothing(listening: House, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, woken = asyncio.Event(), 0
    wake = RunReader.wake

    def waking(reader: RunReader) -> None:
        nonlocal woken
        wake(reader)
        woken += 1
        if woken == 3:
            gate.set()

    monkeypatch.setattr(sse, "SILENCE", 0.02)
    monkeypatch.setattr(RunReader, "wake", waking)
    listening.script = ["um", gate, "dois"]
    assert (await listening.post(PATH, ASKED)).text == "umdois"


async def test_each_write_holds_whole_characters(local: House) -> None:
    gates = [asyncio.Event() for _ in range(3)]
    local.script = ["çã", gates[0], "👩‍👩‍👧‍👦" * 500, gates[1], "🌍", gates[2], "é"]
    raw = json.dumps(ASKED).encode()
    received = [{"type": "http.request", "body": raw, "more_body": False}]
    written: list[bytes] = []

    async def receive() -> dict:
        return received.pop() if received else await asyncio.get_running_loop().create_future()

    async def send(message: dict) -> None:
        if body := message.get("body"):
            written.append(body)
            gates[min(len(written), 3) - 1].set()

    scope = {"type": "http", "method": "POST", "path": PATH, "query_string": b"", "root_path": "",
             "headers": [(b"host", b"localhost")]}  # fmt: skip
    await local.app(scope, receive, send)
    assert max(map(len, written)) <= 2_048
    assert "".join(data.decode() for data in written) == "çã" + "👩‍👩‍👧‍👦" * 500 + "🌍é"
