"""Seed 003's function for Claude: Anthropic's shape there and back, streams, and what is refused."""

import json
from typing import Any

import pytest
from tests.unit.direct.conftest import Upstream
from tests.unit.direct.plays import HI, answered, claude_answered, claude_streamed

import prosa
from prosa.domain.errors import InvalidRequest, NotSupported, ProviderNotConfigured

TOOL = {
    "name": "weather",
    "description": "The weather.",
    "input_schema": {"type": "object", "properties": {}},
}
USE = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Rio"}}


async def test_a_message(upstream: Upstream) -> None:
    there = await upstream.anthropic(claude_answered({"type": "text", "text": "Hi."}))
    message = await prosa.send_claude_message(messages=HI, system="Be brief.", temperature=0.5)
    assert message == {"role": "assistant", "content": [{"type": "text", "text": "Hi."}]}
    assert json.loads(json.dumps(message)) == message
    assert (message.text, message.stop_reason, message.usage.prompt_tokens) == ("Hi.", "end_turn", 9)
    assert message.content[0].signature is None
    body = there.seen[0].body
    assert (body["system"], body["temperature"], body["max_tokens"]) == ("Be brief.", 0.5, 4096)


async def test_a_stream(upstream: Upstream) -> None:
    await upstream.anthropic(claude_streamed("Hel", "lo"))
    stream = await prosa.send_claude_message(messages=HI, stream=True)
    assert "".join([piece async for piece in stream]) == "Hello"
    assert stream.message.content == [{"type": "text", "text": "Hello"}]
    assert stream.message.usage.completion_tokens == 3


async def test_thinking_and_calls_there_and_back(upstream: Upstream) -> None:
    thoughts = [
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "x"},
    ]
    there = await upstream.anthropic(claude_answered(*thoughts, USE, reason="tool_use"))
    choice = {"type": "any", "disable_parallel_tool_use": True}
    message = await prosa.send_claude_message(messages=HI, tools=[TOOL], tool_choice=choice)
    assert message.content == [*thoughts, USE]
    assert message.stop_reason == "tool_use"
    result = {
        "type": "tool_result",
        "tool_use_id": "toolu_1",
        "content": [{"type": "text", "text": "no"}],
        "is_error": True,
    }
    answer = {"role": "user", "content": [result, {"type": "text", "text": "And now?"}]}
    await prosa.send_claude_message(messages=[*HI, message, answer], tools=[TOOL])
    first, second = (seen.body for seen in there.seen)
    assert first["tool_choice"] == choice
    assert second["messages"][1] == message
    back = second["messages"][2]["content"]
    assert [block["type"] for block in back] == ["tool_result", "text"]
    assert (back[0]["is_error"], back[0]["content"]) == (True, "no")


async def test_arguments_that_are_no_json_are_kept(upstream: Upstream) -> None:
    """Another provider's model may write anything."""
    call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": '}}
    await upstream.openai(answered({"content": None, "tool_calls": [call]}, "tool_calls"))
    message = await prosa.send_claude_message(messages=HI, tools=[TOOL], provider="openai")
    assert message.content[0].input == {"arguments": '{"city": '}


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
        {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}},
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
        },
        {"type": "document", "source": {"type": "url", "url": "https://example.org/a.pdf"}, "title": "A"},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Olá"}},
        {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
    ],
)
async def test_what_is_shown(block: dict[str, Any], upstream: Upstream) -> None:
    there = await upstream.anthropic(claude_answered({"type": "text", "text": "Hi."}))
    content = [block, {"type": "text", "text": "What is it?"}]
    await prosa.send_claude_message(messages=[{"role": "user", "content": content}])
    assert there.seen[0].body["messages"] == [{"role": "user", "content": content}]


@pytest.mark.parametrize(
    ("asked", "error", "text"),
    [
        ({"messages": []}, InvalidRequest, r"`\$.messages`"),
        ({"messages": [{"role": "system", "content": "?"}]}, InvalidRequest, r"`\$.messages\[0\].role`"),
        ({"max_tokens": 0}, InvalidRequest, r"`\$.max_tokens`"),
        ({"top_k": 4}, InvalidRequest, "top_k"),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, NotSupported, "web_search_20250305"),
        ({"tools": [TOOL], "tool_choice": {"type": "tool", "name": "x"}}, InvalidRequest, r"`\$.tool_choice.name`"),
        ({"messages": [{"role": "user", "content": [{"type": "image", "source": {
            "type": "base64", "media_type": "image/png", "data": "é"}}]}]},
         InvalidRequest, r"not base64 - at `\$.messages\[0\].content\[0\].source.data`"),
    ],
)  # fmt: skip
async def test_what_is_wrong(
    asked: dict[str, Any], error: type[Exception], text: str, upstream: Upstream
) -> None:
    there = await upstream.anthropic(claude_answered())
    with pytest.raises(error, match=text):
        await prosa.send_claude_message(**{"messages": HI, **asked})
    assert not there.seen


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ("end_turn", "end_turn"),
        ("max_tokens", "max_tokens"),
        ("stop_sequence", "stop_sequence"),
        ("refusal", "refusal"),
    ],
)
async def test_why_it_ended(told: str, reason: str, upstream: Upstream) -> None:
    play = claude_answered({"type": "text", "text": "Hi."}, reason=told)
    if told == "stop_sequence":
        play = play._replace(
            steps=(play.steps[0].replace(b'"stop_sequence": null', b'"stop_sequence": "END"'),)
        )
    await upstream.anthropic(play)
    message = await prosa.send_claude_message(messages=HI, stop_sequences=["END"])
    assert message.stop_reason == reason
    assert message.stop_sequence == ("END" if told == "stop_sequence" else None)


async def test_no_key(upstream: Upstream) -> None:
    del upstream
    with pytest.raises(ProviderNotConfigured, match="ANTHROPIC_API_KEY is not set"):
        await prosa.send_claude_message(messages=HI)
