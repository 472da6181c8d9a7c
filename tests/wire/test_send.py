"""`POST /api/chat/send`: the exact form of its events, where a message hangs, and what is refused."""

import asyncio
import itertools
import json
import time
from typing import Any

import pytest
from tests.wire.house import NOBODY, House, data_lines, events, refused, said

from prosa.domain import errors as e
from prosa.domain.context import DoesNotFit
from prosa.domain.models import Finish, FinishReason, Usage, UsageReport
from prosa.transport import sse


async def writes_of(house: House, body: dict[str, Any]) -> list[tuple[float, bytes]]:
    """What the application writes, write by write, with the moment of each."""
    raw = json.dumps(body).encode()
    received = [{"type": "http.request", "body": raw, "more_body": False}]
    written: list[tuple[float, bytes]] = []

    async def receive() -> dict[str, Any]:
        return received.pop() if received else await asyncio.get_running_loop().create_future()

    async def send(message: dict[str, Any]) -> None:
        if message.get("body"):
            written.append((time.perf_counter(), message["body"]))

    scope = {
        "type": "http", "method": "POST", "path": "/api/chat/send", "query_string": b"", "root_path": "",
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json"), (b"content-length", b"%d" % len(raw))],
    }  # fmt: skip
    await house.app(scope, receive, send)
    return written


async def test_the_whole_stream_byte_by_byte(local: House) -> None:
    local.script = ["Olá", ", ", "mundo 🌍", UsageReport(Usage(5, 3, 1, 2)), Finish(FinishReason.STOP)]
    one = await local.conversation()
    answer = await local.post("/api/chat/send", {"conversationId": one, "content": "x"})
    start, *_, done = events(answer.content)
    frames = answer.content.split(b"\n\n")
    assert frames.pop() == b""
    assert b"\r" not in answer.content
    assert all(frame.startswith(b"data: {") and b"\n" not in frame for frame in frames)
    assert said(events(answer.content)) == "Olá, mundo 🌍"
    assert frames[0] == (
        b'data: {"type":"start","runId":"%b","conversationId":"%b","userMessageId":"%b","messageId":"%b","seq":1}'
        % tuple(start[name].encode() for name in ("runId", "conversationId", "userMessageId", "messageId"))
    )
    assert frames[1] == 'data: {"content":"Olá","seq":2}'.encode()
    assert done == {
        "type": "done", "messageId": start["messageId"], "status": "completed", "reason": "stop",
        "usage": {"promptTokens": 5, "completionTokens": 3, "totalTokens": 8, "cachedTokens": 1, "reasoningTokens": 2},
        "cost": "0", "remaining": None, "seq": len(frames),
    }  # fmt: skip
    assert [event["seq"] for event in events(answer.content)] == list(range(1, len(frames) + 1))


async def test_the_headers(local: House) -> None:
    one = await local.conversation()
    answer = await local.post(
        "/api/chat/send", {"conversationId": one, "content": "x"}, headers={"Accept-Encoding": "gzip, br"}
    )
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["x-accel-buffering"] == "no"
    assert "content-encoding" not in answer.headers
    assert "content-length" not in answer.headers


async def test_writes_are_whole_small_and_apart(local: House) -> None:
    local.script = [f"palavra {number} é 👍\n" for number in range(3000)]
    one = await local.conversation()
    written = await writes_of(local, {"conversationId": one, "content": "x"})
    assert len(written) > 50
    for _, data in written:
        assert len(data) <= sse.MOST_IN_A_WRITE
        assert data.startswith(b"data: {")
        assert data.endswith(b"}\n\n")
    moments = [moment for moment, _ in written]
    gaps = [after - before for before, after in itertools.pairwise(moments)]
    assert min(gaps) >= sse.PACE
    assert said(events(b"".join(data for _, data in written))) == "".join(local.script)


@pytest.mark.parametrize(
    "text", ["a" * 5000, "é" * 3000, "👩‍👩‍👧‍👦" * 400, "\x01" * 2000, '"' * 3000, "\n" * 3000]
)
async def test_a_long_delta_is_cut_between_characters(local: House, text: str) -> None:
    local.script = [text]
    one = await local.conversation()
    written = await writes_of(local, {"conversationId": one, "content": "x"})
    assert said(events(b"".join(data for _, data in written))) == text
    assert max(len(data) for _, data in written) <= sse.MOST_IN_A_WRITE
    for line in data_lines(b"".join(data for _, data in written)):
        json.loads(line.decode())


@pytest.mark.hostile(31)
async def test_text_that_looks_like_framing_is_text(local: House) -> None:
    text = 'a\n\nevent: done\ndata: {"type":"done"}\n\n: ping\r\n\r\nid: 9\n'
    local.script = [text, "\r", "\n\n"]
    one = await local.conversation()
    answer = await local.post("/api/chat/send", {"conversationId": one, "content": "x"})
    assert said(events(answer.content)) == text + "\r\n\n"
    assert all(frame.startswith(b"data: ") for frame in answer.content.split(b"\n\n")[:-1])


@pytest.mark.hostile(25)
async def test_an_emoji_cut_across_deltas_by_a_careless_provider(local: House) -> None:
    local.script = ["a\ud83d", "\ude00b", "\ud83d", "c\0"]
    one = await local.conversation()
    happened = await local.send(one, "x")
    stored = (await local.get(f"/api/conversations/{one}/messages/{happened[0]['messageId']}")).json()[
        "content"
    ]
    assert happened[-1]["type"] == "done"
    assert said(happened) == stored
    assert "\0" not in stored


async def test_silence_is_filled_with_pings(listening: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "SILENCE", 0.02)
    gate = asyncio.Event()
    listening.script = ["um", gate, "dois"]
    one = await listening.conversation()
    raw = b""
    async with (
        listening.client() as client,
        client.stream("POST", "/api/chat/send", json={"conversationId": one, "content": "x"}) as response,
    ):
        async for chunk in response.aiter_raw():
            raw += chunk
            if raw.count(b"\n\n: ping\n\n") >= 2:
                gate.set()
    blocks = raw.split(b"\n\n")
    assert blocks.pop() == b""
    assert all(block == b": ping" or block.startswith(b"data: {") for block in blocks)
    assert said(events(raw)) == "umdois"


async def test_thinking_is_an_event_of_its_own(local: House) -> None:
    from prosa.domain.models import ThinkingDelta

    local.script = [ThinkingDelta("hm"), "sim"]
    happened = await local.send(await local.conversation(), "x")
    assert happened[1] == {"type": "thinking", "text": "hm", "seq": 2}
    assert [name for event in happened for name in event if name == "content"] == ["content"]


async def test_odd_and_long_thoughts_are_mended_and_cut(local: House) -> None:
    from prosa.domain.models import ThinkingDelta

    local.script = [ThinkingDelta("a\ud83d"), ThinkingDelta("é" * 9_000), "sim"]
    one = await local.conversation()
    answer = await local.post("/api/chat/send", {"conversationId": one, "content": "x"})
    happened = events(answer.content)
    assert (happened[-1]["type"], said(happened)) == ("done", "sim")
    assert (
        "".join(event["text"] for event in happened if event.get("type") == "thinking")
        == "a\ufffd" + "é" * 9_000
    )
    assert max(len(block) + 2 for block in answer.content.split(b"\n\n")) <= 2_048


async def test_what_is_asked_reaches_the_model(local: House) -> None:
    one = await local.conversation(systemPrompt="of the conversation", model="its-own")
    await local.send(one, "a")
    await local.send(one, "b", systemPrompt="of the call", model="other", temperature=0.5, maxTokens=7)
    first, second = (call.request for call in local.calls)
    assert (first.system, first.model, first.temperature, first.max_tokens) == (
        "of the conversation",
        "its-own",
        None,
        4096,
    )
    assert (second.system, second.model, second.temperature, second.max_tokens) == (
        "of the call",
        "other",
        0.5,
        7,
    )
    assert [turn.content for turn in second.turns] == ["a", "You said: a", "b"]


async def test_more_tokens_than_the_window_has_are_fewer(local: House) -> None:
    happened = await local.send(await local.conversation(), "x", maxTokens=1_000_000)
    assert happened[-1]["status"] == "completed"
    assert 10_000 < local.calls[0].request.max_tokens < 1_000_000


async def test_a_message_too_long_for_the_model(local: House) -> None:
    one = await local.conversation()
    answer = await local.post("/api/chat/send", {"conversationId": one, "content": "palavra " * 40_000})
    room = 32_768 - 4_096
    refused(answer, 422, DoesNotFit("fake", over=320_000 // 3 + 8 - room, room=room))
    assert (await local.get(f"/api/conversations/{one}/messages")).json()["items"] == []


async def test_regenerating_makes_a_sibling(local: House) -> None:
    one = await local.conversation()
    first = (await local.send(one, "a"))[0]
    second = (await local.send(one, None, regenerate=first["messageId"].upper()))[0]
    assert second["userMessageId"] == first["userMessageId"]
    message = (await local.get(f"/api/conversations/{one}/messages/{second['messageId']}")).json()
    assert message["siblings"] == [first["messageId"], second["messageId"]]
    assert (await local.get(f"/api/conversations/{one}")).json()["headId"] == second["messageId"]
    answer = await local.post("/api/chat/send", {"conversationId": one, "regenerate": first["userMessageId"]})
    refused(answer, 400, e.InvalidRequest("regenerate must name an answer of the assistant."))


async def test_a_parent_makes_a_branch(local: House) -> None:
    one = await local.conversation()
    first = (await local.send(one, "a"))[0]
    await local.send(one, "b")
    branch = await local.send(one, "c", parentId=first["messageId"])
    assert [turn.content for turn in local.calls[-1].request.turns] == ["a", "You said: a", "c"]
    question = (await local.get(f"/api/conversations/{one}/messages/{branch[0]['userMessageId']}")).json()
    assert len(question["siblings"]) == 2
    anew = await local.send(one, "d", parentId=None)
    assert [turn.content for turn in local.calls[-1].request.turns] == ["d"]
    shown = (await local.get(f"/api/conversations/{one}/messages")).json()["items"]
    assert [item["id"] for item in shown] == [anew[0]["userMessageId"], anew[0]["messageId"]]


async def test_one_run_at_a_time_on_a_branch(listening: House) -> None:
    gate = asyncio.Event()
    listening.script = ["um", gate]
    one = await listening.conversation()
    async with listening.streaming({"conversationId": one, "content": "a"}) as stream:
        start = await stream.next()
        busy = e.RunInProgress(start["runId"])
        refused(await listening.post("/api/chat/send", {"conversationId": one, "content": "b"}), 409, busy)
        listening.script = ["dois"]
        other = await listening.send(one, "c", parentId=None)
        assert said(other) == "dois"
        again = await listening.send(one, None, regenerate=other[0]["messageId"])
        assert said(again) == "dois"
        gate.set()
        assert (await stream.until("done"))["status"] == "completed"


async def test_what_is_refused(local: House) -> None:
    one = await local.conversation()
    closed = await local.conversation()
    await local.call("PATCH", f"/api/conversations/{closed}", {"status": "closed"})
    both = e.InvalidRequest("content or regenerate is needed, and not both.")
    for body, status, error in (
        ({"conversationId": NOBODY, "content": "x"}, 404, e.ConversationNotFound()),
        ({"conversationId": closed, "content": "x"}, 409, e.ConversationClosed()),
        ({"conversationId": one, "content": "x", "parentId": NOBODY}, 404, e.MessageNotFound()),
        ({"conversationId": one, "regenerate": NOBODY}, 404, e.MessageNotFound()),
        ({"conversationId": one}, 400, both),
        ({"conversationId": one, "content": "x", "regenerate": NOBODY}, 400, both),
        ({"conversationId": one, "regenerate": NOBODY, "parentId": None}, 400,
         e.InvalidRequest("parentId has no meaning beside regenerate.")),
        ({"conversationId": one, "content": "x", "functions": [{"name": "x"}]}, 400, e.NotSupported("`functions`")),
        ({"conversationId": one, "content": "x", "tools": ["none"]}, 400, e.NoSuchTool("none")),
    ):  # fmt: skip
        refused(await local.post("/api/chat/send", body), status, error)
    assert local.calls == []
    assert (await local.get(f"/api/conversations/{one}")).json()["headId"] is None


async def test_accepts_may_be_said(local: House) -> None:
    happened = await local.send(
        await local.conversation(), "x", accepts=["reset", "unheard of"], attachments=None, tools=None
    )
    assert happened[-1]["type"] == "done"


@pytest.mark.parametrize("language", ["en", "pt"])
async def test_a_failing_provider_ends_the_stream_with_its_error(local: House, language: str) -> None:
    fault = e.ProviderOverloaded("fake")
    local.script = ["meia res", fault]
    one = await local.conversation()
    answer = await local.post(
        "/api/chat/send", {"conversationId": one, "content": "x"}, headers={"Accept-Language": language}
    )
    start, text, error = events(answer.content)
    assert text["content"] == "meia res"
    assert error == {
        "type": "error",
        "code": "overloaded",
        "message": fault.sentence(language),
        "retryable": True,
        "seq": 3,
    }
    run = (await local.get(f"/api/chat/runs/{start['runId']}")).json()
    assert (run["status"], run["error"]) == (
        "failed",
        {"code": "overloaded", "message": fault.sentence(language)},
    )
    message = (await local.get(f"/api/conversations/{one}/messages/{start['messageId']}")).json()
    assert (message["status"], message["content"]) == ("incomplete", "meia res")


async def test_an_answer_that_is_cut_short_says_why(local: House) -> None:
    local.script = ["abc", Finish(FinishReason.LENGTH)]
    assert {"status": "incomplete", "reason": "length"}.items() <= (
        await local.send(await local.conversation())
    )[-1].items()


@pytest.mark.hostile(53)
@pytest.mark.parametrize("seen", [0, 1, 5])
async def test_a_reader_who_leaves_changes_nothing(listening: House, seen: int) -> None:
    gate = asyncio.Event()
    listening.script = ["a", "b", gate, "c", "d"]
    one = await listening.conversation()
    async with listening.streaming({"conversationId": one, "content": "x"}) as stream:
        start = await stream.next()
        for _ in range(min(seen, 2)):
            await stream.until(None)
    gate.set()
    async with listening.client() as client:
        followed = await client.get(f"/api/chat/runs/{start['runId']}/events")
    assert said(events(followed.content)) == "abcd"
    assert len(listening.calls) == 1
    message = (await listening.get(f"/api/conversations/{one}/messages/{start['messageId']}")).json()
    assert (message["status"], message["content"]) == ("completed", "abcd")
