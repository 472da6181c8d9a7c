"""Seed 003's functions for OpenAI: the shapes of what they give, the old forms, streams, and failures."""

import asyncio
import copy
import json

import pytest
from tests.unit.adapters.models.loopback import CUT
from tests.unit.direct.conftest import Upstream
from tests.unit.direct.plays import HI, answered, called, chunk, claude_answered, streamed, told

import prosa
from prosa.domain.errors import InvalidRequest, NotSupported, ProviderKeyRefused, ProviderNotConfigured

WEATHER = {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}


async def test_a_message_is_a_dict_with_attributes(upstream: Upstream) -> None:
    await upstream.openai(answered({"content": "Hi."}))
    message = await prosa.send_openai_message(messages=HI)
    assert message == {"role": "assistant", "content": "Hi."}
    assert json.loads(json.dumps(message)) == message
    assert (message.role, message["content"], message.function_call, message.tool_calls) == (
        "assistant", "Hi.", None, None,
    )  # fmt: skip
    assert (message.usage.prompt_tokens, message.usage.completion_tokens) == (9, 3)
    assert copy.deepcopy(dict(message)) == message
    with pytest.raises(AttributeError, match="Message has no field 'nonsense'"):
        _ = message.nonsense


async def test_tools(upstream: Upstream) -> None:
    there = await upstream.openai(called("weather", '{"city":"Rio"}'))
    tools = [{"type": "function", "function": WEATHER}]
    message = await prosa.send_openai_message(messages=HI, tools=tools, tool_choice="required")
    assert message.finish_reason == "tool_calls"
    assert message.content is None
    (call,) = message.tool_calls
    assert (call.type, call.function.name, call["function"]["arguments"]) == (
        "function",
        "weather",
        '{"city":"Rio"}',
    )
    result = {"role": "tool", "tool_call_id": call.id, "content": "grey"}
    await prosa.send_openai_message(messages=[*HI, message, result], tools=tools)
    assert there.seen[1].body["messages"][1]["tool_calls"] == message.tool_calls
    assert there.seen[1].body["messages"][2] == result


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ("auto", "auto"),
        ("none", "none"),
        ({"name": "weather"}, {"type": "function", "function": {"name": "weather"}}),
    ],
)
async def test_the_old_forms(choice: object, sent: object, upstream: Upstream) -> None:
    there = await upstream.openai(called("weather", "{}"))
    message = await prosa.send_openai_message(messages=HI, functions=[WEATHER], function_call=choice)
    assert message.function_call == {"name": "weather", "arguments": "{}"}
    assert message.tool_calls is None
    assert message.finish_reason == "function_call"
    body = there.seen[0].body
    assert body["tool_choice"] == sent
    assert [tool["function"]["name"] for tool in body["tools"]] == ["weather"]


async def test_results_of_old_go_to_the_calls_of_their_names(upstream: Upstream) -> None:
    there = await upstream.openai(answered({"content": "Hi."}))
    turns = []
    for sky in ("grey", "blue"):
        turns += [
            {"role": "assistant", "content": None, "function_call": {"name": "weather", "arguments": "{}"}},
            {"role": "function", "name": "weather", "content": sky},
        ]
    await prosa.send_openai_message(messages=[*HI, *turns])
    messages = there.seen[0].body["messages"]
    calls = [each["tool_calls"][0]["id"] for each in messages if each["role"] == "assistant"]
    results = [(each["tool_call_id"], each["content"]) for each in messages if each["role"] == "tool"]
    assert results == list(zip(calls, ["grey", "blue"], strict=True))
    assert len(set(calls)) == 2
    with pytest.raises(InvalidRequest, match=r"no call that this answers - at `\$.messages\[1\]"):
        await prosa.send_openai_message(
            messages=[*HI, {"role": "function", "name": "weather", "content": "?"}]
        )


async def test_content_in_parts(upstream: Upstream) -> None:
    there = await upstream.openai(answered({"content": "Hi."}))
    content = [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
    ]
    await prosa.send_openai_message(messages=[{"role": "user", "content": content}])
    assert there.seen[0].body["messages"][0]["content"] == content


async def test_a_refusal(upstream: Upstream) -> None:
    await upstream.openai(answered({"content": None, "refusal": "I won't."}))
    message = await prosa.send_openai_message(messages=HI)
    assert message == {"role": "assistant", "content": None, "refusal": "I won't."}


async def test_another_provider(upstream: Upstream) -> None:
    use = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Rio"}}
    await upstream.anthropic(claude_answered({"type": "text", "text": "Let me see."}, use, reason="tool_use"))
    message = await prosa.send_openai_message(messages=HI, functions=[WEATHER], provider="anthropic")
    assert message.content == "Let me see."
    assert json.loads(message.function_call.arguments) == {"city": "Rio"}


async def test_a_stream_tells_its_calls_at_the_end(upstream: Upstream) -> None:
    call = {
        "index": 0,
        "id": "call_1",
        "type": "function",
        "function": {"name": "weather", "arguments": "{}"},
    }
    await upstream.openai(
        streamed("Let me see.", chunk({"tool_calls": [call]}), reason="tool_calls"),
        streamed(chunk({"tool_calls": [call]}), reason="tool_calls"),
    )
    stream = await prosa.send_openai_message(messages=HI, functions=[WEATHER], stream=True)
    assert stream.message is None
    assert [piece async for piece in stream] == ["Let me see."]
    assert stream.message.function_call.name == "weather"
    assert stream.message.usage.completion_tokens == 3
    silent = await prosa.send_openai_message(messages=HI, functions=[WEATHER], stream=True)
    assert [piece async for piece in silent] == []
    assert silent.message.function_call.name == "weather"


async def test_a_stream_that_is_left(upstream: Upstream) -> None:
    there = await upstream.openai(streamed("Hel", asyncio.Event()))
    for left in ("closed", "let go of"):
        there.gone.clear()
        stream = await prosa.send_openai_message(messages=HI, stream=True)
        if left == "closed":
            await stream.aclose()
            await stream.aclose()
            assert [piece async for piece in stream] == []
            assert stream.message is None
        del stream
        async with asyncio.timeout(5):
            await there.gone.wait()


@pytest.mark.parametrize("ask", [prosa.send_openai_message, prosa.stream_openai_response])
async def test_what_fails_before_the_first_word_is_raised(ask, upstream: Upstream) -> None:
    there = await upstream.openai(told({"error": {"message": "Incorrect key-of-openai"}}, 401))
    more = {"stream": True} if ask is prosa.send_openai_message else {}
    with pytest.raises(ProviderKeyRefused):
        await ask(messages=HI, **more)
    asked = len(there.seen)
    with pytest.raises(InvalidRequest, match=r"unknown field `stop_at`"):
        await ask(messages=HI, stop_at="x", **more)
    with pytest.raises(InvalidRequest, match="same name"):
        await ask(messages=HI, functions=[WEATHER, WEATHER], **more)
    with pytest.raises(NotSupported, match="`n`"):
        await ask(messages=HI, n=2, **more)
    assert len(there.seen) == asked


async def test_no_key(upstream: Upstream) -> None:
    del upstream
    with pytest.raises(ProviderNotConfigured, match="OPENAI_API_KEY is not set"):
        await prosa.send_openai_message(messages=HI)
    with pytest.raises(ProviderNotConfigured, match="OPENAI_API_KEY is not set"):
        await prosa.stream_openai_response(messages=HI)


async def test_chunks_with_usage(upstream: Upstream) -> None:
    await upstream.openai(streamed("Hi."))
    stream = await prosa.stream_openai_response(
        messages=HI, stream_options={"include_usage": True}, model="gpt-4.1"
    )
    lines = b"".join([piece async for piece in stream]).decode().split("\n\n")
    assert lines[-2:] == ["data: [DONE]", ""]
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines[:-2]]
    assert chunks[-1]["usage"]["total_tokens"] == 12
    assert {each["model"] for each in chunks} == {"gpt-4.1"}
    assert len({each["id"] for each in chunks}) == 1
    assert stream.message.content == "Hi."


async def test_what_fails_later_is_an_event(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROSA_LANGUAGE", "pt")
    gate = asyncio.Event()
    await upstream.openai(streamed("Hel", gate, CUT))
    stream = await prosa.stream_openai_response(messages=HI)
    assert b'"content":"Hel"' in await anext(stream)
    gate.set()
    (last,) = [piece async for piece in stream]
    error = json.loads(last.removeprefix(b"data: "))["error"]
    assert error["code"] == "broken_stream"
    assert error["message"].startswith("A resposta de openai foi interrompida")
    assert stream.message is None
