"""Recorded answers, through the functions: what comes out is what the provider's own message was."""

from typing import Any

import pytest
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk
from tests.shared import body, needs_recordings, recording, streamed
from tests.shared import exchanges as recorded
from tests.unit.adapters.models.loopback import Play
from tests.unit.direct.conftest import Upstream
from tests.unit.direct.plays import JSON, SSE

import prosa
from prosa.domain.errors import NotSupported

OPENAI = ("messages", "model", "temperature", "top_p", "stop", "seed", "tools", "tool_choice", "functions",
          "function_call", "parallel_tool_calls", "response_format", "reasoning_effort")  # fmt: skip
CLAUDE = ("messages", "system", "model", "temperature", "top_p", "stop_sequences", "tools", "tool_choice")


def wholes(provider: str, path: str) -> list[str]:
    """Answers in one piece that are no failures."""
    return [
        name
        for name, found in recorded(provider)
        if found["request"]["path"].endswith(path)
        and found["response"]["status"] == 200
        and "chunks" not in found["response"]
    ]


def given(found: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """What the recorded request says of what the functions take."""
    sent = found["request"]["body"]
    return {name: sent[name] for name in names if sent.get(name) is not None}


@needs_recordings
@pytest.mark.parametrize("name", wholes("openai", "/chat/completions"))
async def test_openai_messages(name: str, upstream: Upstream) -> None:
    found = recording(name)
    await upstream.openai(Play((body(found),), headers=JSON))
    if (number := found["request"]["body"].get("n", 1)) != 1:  # a message is one answer
        with pytest.raises(NotSupported, match="`n`"):
            await prosa.send_openai_message(**given(found, OPENAI), n=number)
        return
    if "choices" not in found["response"]["body"]:  # a failure that calls itself a success
        with pytest.raises(prosa.ProsaError) as refused:
            await prosa.send_openai_message(**given(found, OPENAI))
        assert refused.value.code == "content_refused"
        return
    choice = found["response"]["body"]["choices"][0]
    message = await prosa.send_openai_message(**given(found, OPENAI))
    expected = {field: choice["message"].get(field) for field in ("role", "content", "refusal", "tool_calls")}
    assert {field: message.get(field) for field in expected} == expected
    assert message.finish_reason == choice["finish_reason"]
    assert message.usage.completion_tokens == found["response"]["body"]["usage"]["completion_tokens"]


@needs_recordings
@pytest.mark.parametrize("name", wholes("anthropic", "/messages"))
async def test_claude_messages(name: str, upstream: Upstream) -> None:
    found = recording(name)
    there = await upstream.anthropic(Play((body(found),), headers=JSON))
    asked = given(found, CLAUDE)
    if any(tool.get("type", "custom") != "custom" for tool in asked.get("tools", ())):
        with pytest.raises(prosa.ProsaError) as refused:
            await prosa.send_claude_message(**asked)
        assert refused.value.code == "not_supported"
        return
    message = await prosa.send_claude_message(**asked)
    told = found["response"]["body"]
    assert message.content == [kept(block) for block in told["content"]]
    assert message.stop_reason == told["stop_reason"]
    assert len(there.seen[0].body["messages"]) == len(asked["messages"])
    if message.content:
        calls = [block.id for block in message.content if block.type == "tool_use"]
        results = [{"type": "tool_result", "tool_use_id": call, "content": "7"} for call in calls]
        following = {"role": "user", "content": results or "Go on."}
        await prosa.send_claude_message(**{**asked, "messages": [*asked["messages"], message, following]})
        sent = there.seen[1].body["messages"]
        assert sent[-2] == {"role": "assistant", "content": sent[-2]["content"]}
        assert as_blocks(sent[-2]["content"]) == message.content
        assert as_blocks(sent[-1]["content"]) == as_blocks(following["content"])


def as_blocks(content: Any) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def kept(block: dict[str, Any]) -> dict[str, Any]:
    """A recorded block without what the functions have no word for."""
    fields = ("type", "text", "thinking", "signature", "data", "id", "name", "input")
    return {name: value for name, value in block.items() if name in fields}


@needs_recordings
@pytest.mark.parametrize("name", streamed("openai", "/chat/completions"))
async def test_openai_streams(name: str, upstream: Upstream) -> None:
    """The chunks that we write are read by OpenAI's own client as the message that we tell."""
    found = recording(name)
    await upstream.openai(Play((body(found),), headers=SSE))
    if (number := found["request"]["body"].get("n", 1)) != 1:
        with pytest.raises(NotSupported, match="`n`"):
            await prosa.stream_openai_response(**given(found, OPENAI), n=number)
        return
    stream = await prosa.stream_openai_response(**given(found, OPENAI))
    written = b"".join([piece async for piece in stream]).decode()
    state = ChatCompletionStreamState()
    lines = [line.removeprefix("data: ") for line in written.split("\n\n") if line]
    assert lines.pop() == "[DONE]"
    for line in lines:
        state.handle_chunk(ChatCompletionChunk.model_validate_json(line))
    read = state.current_completion_snapshot.choices[0]
    assert (read.message.content or None) == (stream.message.content or None)
    assert read.finish_reason == stream.message.finish_reason
    calls = [(call.function.name, call.function.arguments) for call in read.message.tool_calls or ()]
    ours = [(call.function.name, call.function.arguments) for call in stream.message.tool_calls or ()]
    assert calls == ours
