"""OpenAI's official client for Python against a house that listens, as it is used everywhere."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel
from tests.wire.house import House, furnished
from tests.wire.openai.oracle import oracle
from tests.wire.served import Served

from prosa.domain import errors as e
from prosa.domain.content import DocumentPart, ImagePart, TextPart, ToolCall, ToolResult
from prosa.domain.models import (
    Asked,
    Finish,
    FinishReason,
    RefusalDelta,
    Reset,
    Role,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    ToolChoice,
    Turn,
    Usage,
    UsageReport,
)
from prosa.services.context import window

ASK = [{"role": "user", "content": "Olá, mundo"}]
TOOL = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Adds.",
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
            "required": ["a", "b"],
            "additionalProperties": False,
        },
        "strict": True,
    },
}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


@pytest.fixture
async def client(listening: House) -> AsyncIterator[AsyncOpenAI]:
    async with client_of(listening) as made:
        yield made


def client_of(house: House, key: str = "none", retries: int = 0) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=f"{house.base_url}/v1", api_key=key, max_retries=retries)


# Chat


async def test_a_whole_answer(listening: House, client: AsyncOpenAI) -> None:
    listening.script = ["Tudo ", "bem", UsageReport(Usage(11, 4, 3, 2)), Finish(FinishReason.STOP)]
    answer = await client.chat.completions.create(model="fake/fake-1", messages=ASK)
    assert answer.choices[0].message.content == "Tudo bem"
    assert answer.choices[0].message.tool_calls is None
    assert (answer.choices[0].finish_reason, answer.model) == ("stop", "fake-1")
    assert answer.id.startswith("chatcmpl-")
    usage = answer.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (11, 4, 15)
    assert usage.prompt_tokens_details.cached_tokens == 3
    assert usage.completion_tokens_details.reasoning_tokens == 2


async def test_everything_that_can_be_said_arrives(listening: House, client: AsyncOpenAI) -> None:
    await client.chat.completions.create(
        model="fake/some/model", temperature=0.3, top_p=0.5, stop=["a", "b"], seed=7, max_completion_tokens=55,
        reasoning_effort="low", parallel_tool_calls=False, tools=[TOOL], user="u", metadata={"a": "b"}, store=False,
        tool_choice={"type": "function", "function": {"name": "add"}}, frequency_penalty=0, logprobs=False,
        messages=[
            {"role": "developer", "content": "Be brief."}, {"role": "system", "content": [{"type": "text", "text": "Rhyme."}]},
            {"role": "user", "name": "ana", "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{base64.b64encode(PNG).decode()}", "detail": "low"}},
                {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
                {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERg=="}},
            ]},
            {"role": "assistant", "content": None, "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a":1,"b":2}'}},
                {"id": "c2", "type": "function", "function": {"name": "add", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "3"},
            {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "no"}]},
            {"role": "system", "content": "Now in verse."},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "I won't."}], "refusal": None},
            {"role": "user", "content": "Go on"},
        ],
    )  # fmt: skip
    (call,) = listening.calls
    asked = call.request
    assert (asked.model, asked.system) == ("some/model", "Be brief.\n\nRhyme.")
    assert (asked.temperature, asked.top_p, asked.stop, asked.seed) == (0.3, 0.5, ("a", "b"), 7)
    assert (asked.max_tokens, asked.reasoning_effort, asked.parallel_tool_calls) == (55, "low", False)
    assert asked.tool_choice == ToolChoice("tool", "add")
    assert (asked.tools[0].name, asked.tools[0].strict) == ("add", True)
    assert asked.tools[0].parameters == TOOL["function"]["parameters"]
    assert asked.user == "local"
    assert [turn.role for turn in asked.turns] == [
        Role.USER, Role.ASSISTANT, Role.TOOL, Role.SYSTEM, Role.ASSISTANT, Role.USER,
    ]  # fmt: skip
    assert asked.turns[0].parts == (
        TextPart("What is this?"),
        ImagePart("image/png", PNG, detail="low"),
        ImagePart(url="https://example.org/a.png"),
        DocumentPart("application/pdf", b"%PDF", name="a.pdf"),
    )
    assert asked.turns[1].parts == (ToolCall("c1", "add", '{"a":1,"b":2}'), ToolCall("c2", "add", "{}"))
    assert asked.turns[2].parts == (ToolResult("c1", "3", "add"), ToolResult("c2", "no", "add"))
    assert asked.turns[3:] == (
        Turn(Role.SYSTEM, "Now in verse."), Turn(Role.ASSISTANT, "I won't."), Turn(Role.USER, "Go on"),
    )  # fmt: skip


async def test_a_stream(listening: House, client: AsyncOpenAI) -> None:
    listening.script = [
        Asked("fake", "fake-2"), ThinkingDelta("Hm."), "Olá \U0001f600 ", '"a"\n\\b\u2028', UsageReport(Usage(9, 5)),
        Finish(FinishReason.LENGTH),
    ]  # fmt: skip
    stream = await client.chat.completions.create(
        model="fake/fake-1", messages=ASK, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    assert {chunk.id for chunk in chunks} == {chunks[0].id}
    assert {chunk.model for chunk in chunks} == {"fake-2"}
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    assert chunks[0].choices[0].delta.role == "assistant"
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    assert "".join(delta.content or "" for delta in deltas) == 'Olá \U0001f600 "a"\n\\b\u2028'
    assert "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas) == "Hm."
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "length"
    assert [chunk.usage.total_tokens for chunk in chunks if chunk.usage] == [14]
    assert chunks[-1].usage is not None
    assert chunks[-1].choices == []


async def test_a_stream_without_usage_has_none(listening: House, client: AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(model="", messages=ASK, stream=True)
    assert [chunk.usage async for chunk in stream if chunk.usage] == []


async def test_parallel_calls_in_pieces(listening: House, client: AsyncOpenAI) -> None:
    first = [
        ToolCallStart("x", "add"),
        ToolCallDelta("x", '{"a":'),
        ToolCallDelta("x", "1}"),
        ToolCallEnd("x"),
    ]
    second = [
        ToolCallStart("y", "add"),
        ToolCallDelta("y", '{"b"'),
        ToolCallDelta("y", ":2}"),
        ToolCallEnd("y"),
    ]
    listening.script = [
        "Let me see.",
        *first,
        *second,
        UsageReport(Usage(3, 2)),
        Finish(FinishReason.TOOL_CALLS),
    ]
    async with client.chat.completions.stream(model="", messages=ASK, tools=[TOOL]) as stream:
        kinds = {event.type async for event in stream}
        streamed = (await stream.get_final_completion()).choices[0]
    assert {"chunk", "content.delta", "tool_calls.function.arguments.delta"} <= kinds
    whole = (await client.chat.completions.create(model="", messages=ASK, tools=[TOOL])).choices[0]
    for choice in (streamed, whole):
        calls = [(call.id, call.function.name, call.function.arguments) for call in choice.message.tool_calls]
        assert calls == [("x", "add", '{"a":1}'), ("y", "add", '{"b":2}')]
        assert (choice.finish_reason, choice.message.content) == ("tool_calls", "Let me see.")


async def test_calls_whose_pieces_alternate(listening: House, client: AsyncOpenAI) -> None:
    listening.script = [ToolCallStart("x", "add"), ToolCallStart("y", "add"), ToolCallDelta("x", "{"), ToolCallDelta("y", "{"),
                        ToolCallDelta("x", "}"), ToolCallDelta("y", "}"), Finish(FinishReason.TOOL_CALLS)]  # fmt: skip
    arguments = {0: "", 1: ""}
    async for chunk in await client.chat.completions.create(
        model="", messages=ASK, tools=[TOOL], stream=True
    ):
        for call in chunk.choices[0].delta.tool_calls or ():
            arguments[call.index] += call.function.arguments
    assert arguments == {0: "{}", 1: "{}"}


async def test_tools_there_and_back(listening: House, client: AsyncOpenAI) -> None:
    listening.script = oracle
    messages = [{"role": "user", "content": "What is 17 and 4?"}]
    first = await client.chat.completions.create(model="", messages=messages, tools=[TOOL])
    message = first.choices[0].message
    (call,) = message.tool_calls
    assert json.loads(call.function.arguments) == {"a": 17, "b": 4}
    messages += [message.model_dump(), {"role": "tool", "tool_call_id": call.id, "content": "21"}]
    second = await client.chat.completions.create(model="", messages=messages, tools=[TOOL])
    assert second.choices[0].message.content == "You said: What is 17 and 4?"
    assert listening.calls[1].request.turns[-1].parts == (ToolResult(call.id, "21", "add"),)


class Step(BaseModel):
    title: str
    minutes: int


class Recipe(BaseModel):
    name: str
    steps: list[Step]


async def test_an_answer_that_fits_a_schema(listening: House, client: AsyncOpenAI) -> None:
    listening.script = oracle
    ask = [{"role": "user", "content": "'Pão' takes 30 minutes"}]
    parsed = await client.chat.completions.parse(model="", messages=ask, response_format=Recipe)
    assert parsed.choices[0].message.parsed.name == "Pão"
    async with client.chat.completions.stream(model="", messages=ask, response_format=Recipe) as stream:
        streamed = (await stream.get_final_completion()).choices[0].message.parsed
    assert streamed.steps[0].minutes == 30
    wanted = listening.calls[0].request.response_format
    assert (wanted.mode, wanted.name, wanted.strict) == ("json_schema", "Recipe", True)


async def test_a_refusal(listening: House, client: AsyncOpenAI) -> None:
    listening.script = [RefusalDelta("I "), RefusalDelta("won't."), Finish(FinishReason.REFUSAL)]
    whole = (await client.chat.completions.create(model="", messages=ASK)).choices[0]
    async with client.chat.completions.stream(model="", messages=ASK) as stream:
        streamed = (await stream.get_final_completion()).choices[0]
    for choice in (whole, streamed):
        assert (choice.message.refusal, choice.message.content or None) == ("I won't.", None)
        assert choice.finish_reason == "stop"
    listening.script = [Finish(FinishReason.REFUSAL)]
    filtered = (await client.chat.completions.create(model="", messages=ASK)).choices[0]
    assert filtered.finish_reason == "content_filter"


async def test_several_answers_at_once(listening: House, client: AsyncOpenAI) -> None:
    gates = [asyncio.Event(), asyncio.Event()]
    turn = iter(range(100))

    def script(_: object) -> list[object]:
        place = next(turn)
        if place == 0:
            return ["a0", gates[0], "a1", UsageReport(Usage(5, 1))]
        return ["b0", gates[1], "b1", UsageReport(Usage(5, 2))]

    listening.script = script
    stream = await client.chat.completions.create(
        model="", messages=ASK, n=2, stream=True, stream_options={"include_usage": True}
    )
    texts: dict[int, str] = {0: "", 1: ""}
    order = []
    async for chunk in stream:
        for choice in chunk.choices:
            if choice.delta.content:
                texts[choice.index] += choice.delta.content
                order.append(choice.index)
                if len(order) == 2:
                    gates[1].set()
                if len(order) == 3:
                    gates[0].set()
    assert texts == {0: "a0a1", 1: "b0b1"}
    assert order == [0, 1, 1, 0]
    assert chunk.usage.total_tokens == 13
    listening.script = ["x"]
    whole = await client.chat.completions.create(model="", messages=ASK, n=3)
    assert [(each.index, each.message.content) for each in whole.choices] == [(0, "x"), (1, "x"), (2, "x")]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_the_functions_of_old(listening: House, client: AsyncOpenAI) -> None:
    listening.script = oracle
    functions = [TOOL["function"]]
    messages = [{"role": "user", "content": "What is 1 and 2?"}]
    first = await client.chat.completions.create(
        model="", messages=messages, functions=functions, function_call={"name": "add"}
    )
    choice = first.choices[0]
    assert (choice.finish_reason, choice.message.function_call.name) == ("function_call", "add")
    assert json.loads(choice.message.function_call.arguments) == {"a": 1, "b": 2}
    chunks = [
        chunk
        async for chunk in await client.chat.completions.create(
            model="", messages=messages, functions=functions, stream=True
        )
    ]
    deltas = [
        chunk.choices[0].delta.function_call for chunk in chunks if chunk.choices[0].delta.function_call
    ]
    assert deltas[0].name == "add"
    assert json.loads("".join(delta.arguments for delta in deltas)) == {"a": 1, "b": 2}
    messages += [choice.message.model_dump(), {"role": "function", "name": "add", "content": "3"}]
    await client.chat.completions.create(model="", messages=messages, functions=functions)
    called, told = listening.calls[-1].request.turns[-2:]
    assert told.parts == (ToolResult(called.parts[0].id, "3", "add"),)


def test_the_client_that_blocks(tmp_path: Path) -> None:
    with Served(tmp_path) as served, OpenAI(base_url=f"{served.url}/v1", api_key="x") as client:
        assert client.chat.completions.create(model="", messages=ASK).choices[0].message.content
        with client.chat.completions.create(model="", messages=ASK, stream=True) as stream:
            text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
        assert text == "You said: Olá, mundo"
        with pytest.raises(openai.BadRequestError):
            client.chat.completions.create(model="", messages=[])


# Vectors and models


async def test_vectors(listening: House, client: AsyncOpenAI) -> None:
    one = await client.embeddings.create(model="fake/vectors", input="olá", dimensions=8)
    several = await client.embeddings.create(
        model="fake/vectors", input=["olá", "mundo mundo"], dimensions=8, encoding_format="float"
    )
    assert [len(each.embedding) for each in several.data] == [8, 8]
    assert one.data[0].embedding == pytest.approx(several.data[0].embedding)  # it came as base64
    assert [each.index for each in several.data] == [0, 1]
    assert (one.model, one.usage.prompt_tokens, one.usage.total_tokens) == ("vectors", 1, 1)
    with pytest.raises(openai.BadRequestError) as refused:
        await client.embeddings.create(model="fake/vectors", input=[1, 2, 3])
    assert refused.value.code == "not_supported"


async def test_models(listening: House, client: AsyncOpenAI) -> None:
    listed = [model async for model in client.models.list()]
    assert "fake/fake-1" in [model.id for model in listed]
    for model in listed:
        assert (await client.models.retrieve(model.id)).owned_by == model.owned_by
    with pytest.raises(openai.NotFoundError) as missing:
        await client.models.retrieve("fake/no/such")
    assert missing.value.code == "model_not_found"


# What goes wrong


FAILURES = [
    (e.ProviderRefused("fake", detail="why"), openai.BadRequestError, "provider_bad_request"),
    (e.ContextTooLong("fake"), openai.BadRequestError, "context_length_exceeded"),
    (e.ContentRefused("fake"), openai.BadRequestError, "content_policy_violation"),
    (e.NoSuchModel("fake", model="m"), openai.NotFoundError, "model_not_found"),
    (e.RateLimited("fake", 7.2), openai.RateLimitError, "rate_limit_exceeded"),
    (e.ProviderKeyRefused("fake"), openai.InternalServerError, "provider_bad_key"),
    (e.QuotaExhausted("fake"), openai.InternalServerError, "quota_exhausted"),
    (e.ProviderOverloaded("fake"), openai.InternalServerError, "overloaded"),
    (e.ProviderTimeout("fake"), openai.InternalServerError, "timeout"),
    (e.BrokenStream("fake"), openai.InternalServerError, "broken_stream"),
]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(("error", "kind", "code"), FAILURES, ids=lambda each: str(each)[:20])
async def test_before_the_first_word(
    listening: House, client: AsyncOpenAI, error: e.ProsaError, kind: type, code: str, streamed: bool
) -> None:
    listening.script = [Asked("fake", "fake-1"), error]
    with pytest.raises(kind) as refused:
        await client.chat.completions.create(model="", messages=ASK, stream=streamed)
    assert refused.value.code == code
    assert str(error) in str(refused.value)
    if isinstance(error, e.RateLimited):
        assert refused.value.response.headers["retry-after"] == "8"
    assert (refused.value.response.headers.get("x-should-retry") == "false") == (
        not error.retryable and refused.value.status_code >= 500
    )


async def test_in_the_middle_of_a_stream(listening: House, client: AsyncOpenAI) -> None:
    listening.script = ["Hal", e.BrokenStream("fake")]
    stream = await client.chat.completions.create(model="", messages=ASK, stream=True)
    texts = [(await anext(stream)).choices[0].delta.content for _ in range(2)]
    with pytest.raises(openai.APIError) as broken:
        await anext(stream)
    assert texts == ["", "Hal"]
    assert (broken.value.code, broken.value.type) == ("broken_stream", "server_error")
    answer = await listening.post("/v1/chat/completions", {"messages": ASK, "stream": True})
    assert "[DONE]" not in answer.text


async def test_what_begins_anew(listening: House, client: AsyncOpenAI) -> None:
    anew = [Asked("fake", "a"), TextDelta("Hal"), UsageReport(Usage(2, 1)), Reset("broken_stream"),
            Asked("fake", "b"), "Hallo", UsageReport(Usage(2, 3))]  # fmt: skip
    listening.script = anew
    whole = await client.chat.completions.create(model="", messages=ASK)
    assert (whole.choices[0].message.content, whole.model) == ("Hallo", "b")
    assert whole.usage.completion_tokens == window.estimate("Hal") + 3  # both are billed
    stream = await client.chat.completions.create(model="", messages=ASK, stream=True)
    with pytest.raises(openai.APIError) as broken:
        [chunk async for chunk in stream]
    assert broken.value.code == "restarted"
    listening.script = [anew[0], anew[3], *anew[4:]]
    stream = await client.chat.completions.create(model="", messages=ASK, stream=True)
    assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream]) == "Hallo"


@pytest.mark.parametrize(
    ("more", "param"),
    [({"logprobs": True}, "logprobs"), ({"logit_bias": {"1": 2}}, "logit_bias"), ({"modalities": ["text", "audio"]}, "modalities"),
     ({"audio": {"format": "wav", "voice": "alloy"}}, "audio"), ({"prediction": {"type": "content", "content": "x"}}, "prediction"),
     ({"web_search_options": {}}, "web_search_options"), ({"frequency_penalty": 0.5}, "frequency_penalty"),
     ({"presence_penalty": -1}, "presence_penalty"), ({"verbosity": "low"}, "verbosity"), ({"top_logprobs": 2}, "top_logprobs"),
     ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, None)],
)  # fmt: skip
async def test_what_is_not_built_is_refused(
    listening: House, client: AsyncOpenAI, more: dict, param: str | None
) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await client.chat.completions.create(model="", messages=ASK, **more)
    assert (refused.value.code, refused.value.param) == ("not_supported", param)
    assert listening.calls == []


@pytest.mark.parametrize(
    ("content", "code"),
    [([{"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}], "not_supported"),
     ([{"type": "file", "file": {"file_id": "file-1"}}], "not_supported"),
     ([{"type": "image_url", "image_url": {"url": "data:image/png;base64,*"}}], "invalid_request"),
     ([{"type": "image_url", "image_url": {"url": "data:,x"}}], "invalid_request"),
     ([{"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}], "invalid_request"),
     ([{"type": "video", "x": 1}], "invalid_request"), (7, "invalid_request")],
)  # fmt: skip
async def test_parts_that_are_none(listening: House, client: AsyncOpenAI, content: object, code: str) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await client.chat.completions.create(model="", messages=[{"role": "user", "content": content}])
    assert refused.value.code == code
    if code == "invalid_request":
        assert refused.value.param.startswith("messages[0].content")


async def test_who_is_calling(tmp_path: Path) -> None:
    async with (
        furnished(tmp_path, jwt_secret="a-secret-of-more-than-thirty-two-bytes") as house,
        house.listening(),
    ):
        async with client_of(house, "sk-nobody") as nobody:
            for ask in (nobody.models.list(), nobody.embeddings.create(model="", input="x"),
                        nobody.chat.completions.create(model="", messages=ASK)):  # fmt: skip
                with pytest.raises(openai.AuthenticationError) as refused:
                    await ask
                assert refused.value.code == "invalid_api_key"
        async with client_of(house, house.token("ana")) as ana:
            assert (await ana.chat.completions.create(model="", messages=ASK)).choices
        assert house.calls[0].request.user == "ana"


async def test_errors_of_every_kind_have_the_clients_form(listening: House) -> None:
    for method, path, body, status in (
        ("GET", "/v1/nothing", None, 404), ("POST", "/v1/assistants", {}, 404), ("GET", "/v1/chat/completions", None, 405),
        ("POST", "/v1/models", {}, 405), ("POST", "/v1/embeddings", {"input": []}, 400),
        ("POST", "/v1/chat/completions", {"messages": ASK, "n": 0}, 400),
    ):  # fmt: skip
        answer = await listening.call(method, path, body)
        assert answer.status_code == status
        assert set(answer.json()) == {"error"}
        assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
    async with listening.client() as client:
        plain = await client.post("/v1/embeddings", content=b"x", headers={"Content-Type": "text/plain"})
        assert (plain.status_code, plain.json()["error"]["code"]) == (415, "unsupported_media_type")
        large = await client.post("/v1/models", content=b"x" * 3_000_000)
        assert (large.status_code, large.json()["error"]["code"]) == (413, "too_large")
        image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 4_000_000}}
        ask = {"messages": [{"role": "user", "content": [image]}]}
        assert (await client.post("/v1/chat/completions", json=ask)).status_code == 200
        spoiled = await client.post(
            "/v1/chat/completions", content=b'{"messages":', headers={"Content-Type": "application/json"}
        )
        assert (spoiled.status_code, spoiled.json()["error"]["code"]) == (400, "invalid_request")
