"""What OpenAI is asked: what its own client would have sent, and what its own description allows."""

import base64
import json
from typing import Any

import httpx2
import jsonschema_rs
import pytest
from msgspec.json import decode
from msgspec.structs import replace
from openai import OpenAI
from tests.shared import RECORDINGS, needs_recordings

from prosa.adapters.models.openai.dialect import OPENAI, ROWS, Dialect
from prosa.adapters.models.openai.encode import encode, encode_texts, nearest
from prosa.domain.content import (
    DocumentPart,
    ImagePart,
    TextPart,
    ThinkingPart,
    ToolCall,
    ToolResult,
    ToolStatus,
)
from prosa.domain.errors import InvalidRequest, NotSupported
from prosa.domain.models import (
    ChatRequest,
    EmbedRequest,
    ResponseFormat,
    Role,
    ToolChoice,
    ToolSpec,
    Turn,
    turn,
)

PNG = b"\x89PNG\r\n\x1a\n"
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
ASKED = ChatRequest("gpt-5", (Turn(Role.USER, "Oi"),), max_tokens=99)
PLAIN: dict[str, Any] = {
    "model": "gpt-5",
    "messages": [{"role": "user", "content": "Oi"}],
    "max_completion_tokens": 99,
    "stream": True,
    "stream_options": {"include_usage": True},
}
WEATHER = ToolSpec("weather", "Tells the weather.", SCHEMA, strict=True)
WEATHER_SAID = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tells the weather.",
        "parameters": SCHEMA,
        "strict": True,
    },
}
CALLS = turn(
    Role.ASSISTANT,
    ThinkingPart("Hm", provider="openai"),
    TextPart("Vou ver."),
    ToolCall("call_1", "weather", '{"city":"Braga"}'),
    ToolCall("call_2", "weather", ""),
)
RESULTS = turn(
    Role.TOOL,
    ToolResult("call_1", "Chove.", "weather"),
    ToolResult("call_2", "no city", "weather", ToolStatus.FAILED),
)
SHOWN = turn(
    Role.USER,
    TextPart("O que é?"),
    ImagePart("image/png", PNG, detail="low"),
    ImagePart(url="https://h.example/a.jpg"),
    DocumentPart("application/pdf", b"%PDF", name="conta.pdf"),
    DocumentPart(reference="file-123"),
)

SCENARIOS: dict[str, tuple[ChatRequest, dict[str, Any]]] = {
    "plain": (ASKED, {}),
    "whole": (replace(ASKED, whole=True), {"stream": False, "stream_options": None}),
    "every option": (
        replace(
            ASKED,
            temperature=0.0,
            top_p=0.5,
            stop=("a", "b"),
            seed=0,
            reasoning_effort="high",
            system="Seja breve.",
        ),
        {
            "messages": [{"role": "system", "content": "Seja breve."}, *PLAIN["messages"]],
            "temperature": 0.0,
            "top_p": 0.5,
            "stop": ["a", "b"],
            "seed": 0,
            "reasoning_effort": "high",
        },
    ),
    "tools": (
        replace(ASKED, tools=(WEATHER,), tool_choice=ToolChoice("required"), parallel_tool_calls=False),
        {"tools": [WEATHER_SAID], "tool_choice": "required", "parallel_tool_calls": False},
    ),
    "the tool by its name": (
        replace(ASKED, tools=(ToolSpec("now"),), tool_choice=ToolChoice("tool", "now")),
        {
            "tools": [
                {
                    "type": "function",
                    "function": {"name": "now", "parameters": {"type": "object", "properties": {}}},
                }
            ],
            "tool_choice": {"type": "function", "function": {"name": "now"}},
        },
    ),
    "choices without tools are left out": (
        replace(ASKED, tool_choice=ToolChoice("none"), parallel_tool_calls=True),
        {},
    ),
    "any json": (
        replace(ASKED, response_format=ResponseFormat()),
        {"response_format": {"type": "json_object"}},
    ),
    "json by a schema": (
        replace(
            ASKED,
            response_format=ResponseFormat("json_schema", "town", SCHEMA, description="A town.", strict=True),
        ),
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "town", "schema": SCHEMA, "description": "A town.", "strict": True},
            }
        },
    ),
    "calls and results": (
        replace(ASKED, turns=(Turn(Role.USER, "E o tempo?"), CALLS, RESULTS)),
        {
            "messages": [
                {"role": "user", "content": "E o tempo?"},
                {
                    "role": "assistant",
                    "content": "Vou ver.",
                    "tool_calls": [
                        {
                            "id": "call_1",
                            "type": "function",
                            "function": {"name": "weather", "arguments": '{"city":"Braga"}'},
                        },
                        {
                            "id": "call_2",
                            "type": "function",
                            "function": {"name": "weather", "arguments": "{}"},
                        },
                    ],
                },
                {"role": "tool", "tool_call_id": "call_1", "content": "Chove."},
                {"role": "tool", "tool_call_id": "call_2", "content": "The call failed: no city"},
            ]
        },
    ),
    "images and documents": (
        replace(ASKED, turns=(SHOWN,)),
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "O que é?"},
                        {
                            "type": "image_url",
                            "image_url": {
                                "url": "data:image/png;base64," + base64.b64encode(PNG).decode(),
                                "detail": "low",
                            },
                        },
                        {"type": "image_url", "image_url": {"url": "https://h.example/a.jpg"}},
                        {
                            "type": "file",
                            "file": {
                                "filename": "conta.pdf",
                                "file_data": "data:application/pdf;base64,JVBERg==",
                            },
                        },
                        {"type": "file", "file": {"file_id": "file-123"}},
                    ],
                }
            ]
        },
    ),
}
every_scenario = pytest.mark.parametrize(("asked", "more"), SCENARIOS.values(), ids=SCENARIOS)


def by_their_client(fields: dict[str, Any]) -> Any:
    """The body that the official client makes of `fields`."""
    sent = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(json.loads(request.read()))
        return httpx2.Response(200, json={"choices": []})

    http = httpx2.Client(transport=httpx2.MockTransport(answer))
    with OpenAI(api_key="none", max_retries=0, http_client=http) as asked:
        asked.chat.completions.create(**fields)
    return sent[0]


@every_scenario
def test_what_their_client_would_send(asked: ChatRequest, more: dict[str, Any]) -> None:
    fields = {name: value for name, value in {**PLAIN, **more}.items() if value is not None}
    assert decode(encode(asked)) == by_their_client(fields)


@pytest.fixture(scope="module")
def validator() -> Any:
    described = json.loads((RECORDINGS / "openai_openapi_subset.json").read_text(encoding="utf-8"))
    root = {**described, "$ref": "#/components/schemas/CreateChatCompletionRequest"}
    return jsonschema_rs.validator_for(root)


@needs_recordings
@every_scenario
def test_what_their_description_allows(validator: Any, asked: ChatRequest, more: dict[str, Any]) -> None:
    said = decode(encode(asked))
    assert [error.message for error in validator.iter_errors(said)] == []
    assert not validator.is_valid({**said, "messages": []})


def messages(*turns: Turn, dialect: Dialect = OPENAI) -> Any:
    return decode(encode(replace(ASKED, turns=turns), dialect))["messages"]


def test_a_denied_call_is_told_in_words() -> None:
    denied = turn(Role.TOOL, ToolResult("call_1", "not today", status=ToolStatus.DENIED))
    assert messages(denied)[0]["content"] == "The call was not allowed: not today"


@pytest.mark.parametrize("arguments", ["nonsense", "[1]", '{"a":', "null", "[" * 50_000])
def test_arguments_that_are_no_object_are_shown_in_one(arguments: str) -> None:
    [message] = messages(turn(Role.ASSISTANT, ToolCall("x", "f", arguments)))
    assert message["content"] is None
    assert json.loads(message["tool_calls"][0]["function"]["arguments"]) == {"arguments": arguments}


def test_long_ids_of_other_servers_are_cut_alike_in_call_and_result() -> None:
    identity = "chatcmpl-tool-" + "0123456789abcdef" * 2
    called, returned = messages(
        turn(Role.ASSISTANT, ToolCall(identity, "f", "{}")), turn(Role.TOOL, ToolResult(identity, "1"))
    )
    assert called["tool_calls"][0]["id"] == returned["tool_call_id"]
    assert len(returned["tool_call_id"]) <= 40


@pytest.mark.parametrize("row", ["deepseek", "openrouter", "llamacpp"])
def test_thoughts_go_back_with_their_calls_where_the_row_says_so(row: str) -> None:
    dialect = ROWS[row]
    calls = turn(Role.ASSISTANT, ThinkingPart("Hm", provider=row), ToolCall("x", "f", "{}"))
    alone = turn(Role.ASSISTANT, ThinkingPart("Hm", provider=row), TextPart("Sim"))
    others = turn(Role.ASSISTANT, ThinkingPart("Hm", provider="mistral"), ToolCall("y", "f", "{}"))
    said = messages(Turn(Role.USER, "Oi"), calls, alone, others, dialect=dialect)
    assert [message.get(dialect.thoughts) for message in said] == [None, "Hm", None, None]


def test_a_signature_goes_back_in_the_call_that_followed_from_it() -> None:
    calls = turn(
        Role.ASSISTANT,
        ThinkingPart(signature="c2ln", provider="gemini"),
        ToolCall("x", "f", "{}"),
        ToolCall("y", "f", "{}"),
    )
    [message] = messages(calls, dialect=ROWS["gemini"])
    assert [call.get("extra_content") for call in message["tool_calls"]] == [
        {"google": {"thought_signature": "c2ln"}},
        None,
    ]
    [plain] = messages(calls)
    assert not any("extra_content" in call for call in plain["tool_calls"])


def test_a_turn_of_which_nothing_can_be_sent_is_left_out() -> None:
    thought = turn(Role.ASSISTANT, ThinkingPart("Hm", provider="deepseek"))
    painted = turn(Role.ASSISTANT, ImagePart("image/png", PNG))
    assert len(messages(Turn(Role.USER, "Oi"), thought, painted)) == 1
    assert len(messages(Turn(Role.USER, "Oi"), thought, dialect=ROWS["deepseek"])) == 1


def test_text_documents_are_text() -> None:
    [message] = messages(turn(Role.USER, DocumentPart("text/csv", "é,1".encode(), name='a"b.csv')))
    assert message["content"] == [
        {"type": "text", "text": '<document name="a\'b.csv">\né,1\n</document>'},
    ]


def test_a_document_without_a_name_gets_one() -> None:
    [message] = messages(turn(Role.USER, DocumentPart("application/pdf", b"x")))
    assert message["content"][0]["file"]["filename"] == "document.pdf"


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        (ImagePart(), InvalidRequest),
        (ToolCall("x", "f"), InvalidRequest),
        (DocumentPart(url="https://h.example/a.pdf"), NotSupported),
    ],
)
def test_what_cannot_be_said(part: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        messages(turn(Role.USER, TextPart("Oi"), part))


def test_a_schema_in_words_where_the_server_knows_none() -> None:
    asked = replace(
        ASKED, system="Seja breve.", response_format=ResponseFormat("json_schema", "town", SCHEMA)
    )
    said = decode(encode(asked, ROWS["deepseek"]))
    assert said["response_format"] == {"type": "json_object"}
    system = said["messages"][0]["content"]
    assert system.startswith("Seja breve.\n\n")
    assert json.loads(system[system.index("{") :]) == SCHEMA


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ("none", {"thinking": {"type": "disabled"}}),
        ("minimal", {"reasoning_effort": "low"}),
        ("xhigh", {"reasoning_effort": "xhigh"}),
        (None, {}),
    ],
)
def test_deepseek_is_told_to_think_or_not_to(asked: Any, sent: dict[str, Any]) -> None:
    said = decode(encode(replace(ASKED, reasoning_effort=asked), ROWS["deepseek"]))
    assert {name: said[name] for name in ("thinking", "reasoning_effort") if name in said} == sent


@pytest.mark.parametrize(
    ("asked", "known", "sent"),
    [
        ("minimal", ("low", "medium", "high"), "low"),
        ("xhigh", ("none", "low", "medium", "high"), "high"),
        ("none", ("low", "high"), "low"),
        ("medium", ("low", "medium"), "medium"),
        ("medium", ("low", "high"), "low"),
        ("medium", (), None),
        (None, ("low",), None),
    ],
)
def test_the_nearest_effort(asked: Any, known: Any, sent: str | None) -> None:
    assert nearest(asked, known) == sent


@pytest.mark.parametrize("row", ROWS)
def test_no_row_sends_what_it_refuses(row: str) -> None:
    dialect = ROWS[row]
    asked, _ = SCENARIOS["every option"]
    said = decode(encode(replace(asked, tools=(WEATHER,), parallel_tool_calls=True), dialect))
    assert dialect.refuses.isdisjoint(said)
    assert ("strict" in said["tools"][0]["function"]) == ("strict" not in dialect.refuses)
    assert {"max_tokens", "max_completion_tokens"} & set(said) == {dialect.cap}


def test_texts_to_embed() -> None:
    asked = EmbedRequest("some-model", ("a", "b\ud800"), dimensions=8)
    said = {"model": "some-model", "input": ["a", "b\ufffd"], "dimensions": 8, "encoding_format": "base64"}
    assert decode(encode_texts(asked, asked.texts)) == said
    plain = Dialect("plain", refuses=frozenset({"encoding_format", "dimensions"}))
    assert decode(encode_texts(asked, ("a",), plain)) == {"model": "some-model", "input": ["a"]}
