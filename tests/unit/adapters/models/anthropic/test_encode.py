"""What Anthropic is asked, where the recordings do not show it."""

import json
from typing import Any

import pytest
from msgspec.json import decode
from msgspec.structs import replace
from tests.unit.adapters.models.anthropic.judge import assembled, read
from tests.unit.adapters.models.speech import message

from prosa.adapters.models.anthropic.encode import JSON_ALONE, counting, encode
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
from prosa.domain.models import ChatRequest, ResponseFormat, Role, ToolChoice, ToolSpec, Turn, turn

ASKED = ChatRequest("claude-sonnet-4-5", (Turn(Role.USER, "Oi"),))
CALL = ToolCall("toolu_1", "clock", '{"zone": "BRT"}')
CLOCK = ToolSpec("clock", "Tells the time.", {"properties": {"zone": {"type": "string"}}})
THOUGHT = ThinkingPart("Que horas?", "sig==", provider="anthropic")
HIDDEN = ThinkingPart(redacted="blob==", provider="anthropic")
WIRED = {"type": "tool_use", "id": "toolu_1", "name": "clock", "input": {"zone": "BRT"}}


def body(request: ChatRequest) -> Any:
    return decode(encode(request))


def content(*turns: Turn) -> list[Any]:
    """The messages' contents, in order."""
    return [message["content"] for message in body(replace(ASKED, turns=turns))["messages"]]


def test_results_of_parallel_calls_are_one_message_before_what_the_user_says() -> None:
    spoken = content(
        Turn(Role.USER, "Horas?"),
        turn(Role.ASSISTANT, CALL, ToolCall("toolu_2", "clock"), ToolCall("toolu_3", "clock", "")),
        turn(Role.TOOL, ToolResult("toolu_1", "12h", "clock")),
        turn(Role.TOOL, ToolResult("toolu_2", "não", status=ToolStatus.FAILED)),
        turn(Role.TOOL, ToolResult("toolu_3", "", status=ToolStatus.DENIED)),
        Turn(Role.USER, "E aí?"),
    )
    empty = {"type": "tool_use", "name": "clock", "input": {}}
    assert spoken[1] == [WIRED, {**empty, "id": "toolu_2"}, {**empty, "id": "toolu_3"}]
    assert spoken[2] == [
        {"type": "tool_result", "tool_use_id": "toolu_1", "content": "12h"},
        {"type": "tool_result", "tool_use_id": "toolu_2", "content": "não", "is_error": True},
        {"type": "tool_result", "tool_use_id": "toolu_3", "content": "denied", "is_error": True},
        {"type": "text", "text": "E aí?"},
    ]


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        (" ", {}),
        ('{"a": 12345678901234567890123, "b": 1.0}', {"a": 12345678901234567890123, "b": 1.0}),
        ('{"a": "\\ud83c"}', {"a": "\ufffd"}),
        ('{"a": ', {"arguments": '{"a": '}),
        ("[1]", {"arguments": "[1]"}),
        ("null", {"arguments": "null"}),
        ("[" * 50_000, {"arguments": "[" * 50_000}),
    ],
    ids=range(7),
)
def test_arguments_are_an_object_whatever_the_model_wrote(arguments: str, value: Any) -> None:
    sent = encode(replace(ASKED, turns=(turn(Role.ASSISTANT, ToolCall("toolu_1", "t", arguments)),)))
    assert json.loads(sent)["messages"][1]["content"][0]["input"] == value


def test_ids_of_other_providers_fit() -> None:
    call, told = ToolCall("functions.clock:0", "clock"), ToolResult("functions.clock:0", "12h")
    _, made, back = content(Turn(Role.USER, "?"), turn(Role.ASSISTANT, call), turn(Role.TOOL, told))
    assert made[0]["id"] == back[0]["tool_use_id"] == "functions_clock_0"


def test_pictures_and_documents() -> None:
    [blocks] = content(
        turn(
            Role.USER,
            ImagePart("image/png", b"png"),
            ImagePart(url="https://h.example/a.png", detail="low"),
            DocumentPart("application/pdf", b"pdf", name="Um"),
            DocumentPart("text/markdown; charset=utf-8", "olá".encode()),
            DocumentPart(url="https://h.example/a.pdf"),
            DocumentPart(reference="file_1"),
            TextPart("Compare."),
        )
    )
    coded = {"type": "base64", "media_type": "image/png", "data": "cG5n"}
    assert [one.get("source", one) for one in blocks] == [
        coded,
        {"type": "url", "url": "https://h.example/a.png"},
        {"type": "base64", "media_type": "application/pdf", "data": "cGRm"},
        {"type": "text", "media_type": "text/plain", "data": "olá"},
        {"type": "url", "url": "https://h.example/a.pdf"},
        {"type": "file", "file_id": "file_1"},
        {"type": "text", "text": "Compare."},
    ]
    assert [one["type"] for one in blocks] == [*["image"] * 2, *["document"] * 4, "text"]
    assert blocks[2]["title"] == "Um"


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        (ImagePart(), InvalidRequest),
        (ImagePart(data=b"x"), InvalidRequest),
        (DocumentPart("application/pdf"), InvalidRequest),
        (DocumentPart(data=b"x"), InvalidRequest),
        (DocumentPart("application/zip", b"x"), NotSupported),
    ],
)
def test_what_cannot_be_sent_is_refused(part: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        content(turn(Role.USER, part))


def test_thoughts_of_others_and_unsigned_ones_stay_here() -> None:
    others = ThinkingPart("Hm", "sig", provider="openai")
    unsigned = ThinkingPart("Hm", provider="anthropic")
    spoken = content(
        Turn(Role.USER, "?"), turn(Role.ASSISTANT, others, unsigned, TextPart("Sim")), Turn(Role.USER, "!")
    )
    assert spoken == ["?", [{"type": "text", "text": "Sim"}], "!"]


def test_no_message_ends_in_a_thought() -> None:
    """As one does that was stopped before it said anything."""
    said = content(Turn(Role.USER, "a"), turn(Role.ASSISTANT, THOUGHT, HIDDEN), Turn(Role.USER, "b"))
    assert said == ["a\n\nb"]
    said = content(Turn(Role.USER, "a"), turn(Role.ASSISTANT, TextPart("b"), THOUGHT), Turn(Role.USER, "c"))
    assert said == ["a", [{"type": "text", "text": "b"}], "c"]


def test_an_answer_with_thoughts_and_calls_goes_back_as_it_came() -> None:
    blocks: list[dict[str, Any]] = [
        {"type": "thinking", "thinking": "Que horas?", "signature": "sig=="},
        {"type": "redacted_thinking", "data": "blob=="},
        {"type": "thinking", "thinking": "", "signature": "withheld=="},
        {"type": "text", "text": "Vou ver."},
        WIRED,
        {"type": "tool_use", "id": "toolu_2", "name": "clock", "input": {}},
    ]
    whole = {"type": "message", "content": blocks, "stop_reason": "tool_use", "usage": {}}
    streamed = b"".join(streaming(place, block) for place, block in enumerate(blocks))
    streamed += message("message_delta", delta={"stop_reason": "tool_use"}) + message("message_stop")
    usage = {"input_tokens": 1, "output_tokens": 1}
    answers = {
        "": json.dumps({**whole, "usage": usage}).encode(),
        "sse": message("message_start", message={"usage": usage}) + streamed,
    }
    for framing, answer in answers.items():
        parts = assembled(read({"framing": framing}, answer, 1))
        told = turn(Role.TOOL, ToolResult("toolu_1", "12h"), ToolResult("toolu_2", "12h"))
        assert content(Turn(Role.USER, "?"), turn(Role.ASSISTANT, *parts), told)[1] == blocks


def streaming(index: int, block: dict[str, Any]) -> bytes:
    """A block as it is streamed: opened empty, filled piece by piece, closed."""
    deltas: list[dict[str, Any]] = []
    opening = dict(block)
    match block["type"]:
        case "thinking":
            opening |= {"thinking": "", "signature": ""}
            deltas = [{"type": "thinking_delta", "thinking": char} for char in block["thinking"]]
            deltas.append({"type": "signature_delta", "signature": block["signature"]})
        case "text":
            opening["text"] = ""
            deltas = [{"type": "text_delta", "text": char} for char in block["text"]]
        case "tool_use" if block["input"]:
            opening["input"] = {}
            written = json.dumps(block["input"])
            deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ["", *written]]
    frames = [message("content_block_start", index=index, content_block=opening)]
    frames += [message("content_block_delta", index=index, delta=delta) for delta in deltas]
    return b"".join([*frames, message("content_block_stop", index=index)])


def test_tools_and_the_choice_among_them() -> None:
    request = replace(ASKED, tools=(CLOCK, ToolSpec("plain")))
    sent = body(request)
    schema = {"type": "object", "properties": {"zone": {"type": "string"}}}
    assert sent["tools"] == [
        {"name": "clock", "description": "Tells the time.", "input_schema": schema},
        {"name": "plain", "input_schema": {"type": "object"}},
    ]
    assert "tool_choice" not in sent
    for choice, field in {
        ToolChoice("none"): {"type": "none"},
        ToolChoice("required"): {"type": "any"},
        ToolChoice("tool", "clock"): {"type": "tool", "name": "clock"},
    }.items():
        assert body(replace(request, tool_choice=choice))["tool_choice"] == field
    alone = replace(request, parallel_tool_calls=False)
    assert body(alone)["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    assert body(replace(alone, tool_choice=ToolChoice("none")))["tool_choice"] == {"type": "none"}
    assert "tool_choice" not in body(
        replace(ASKED, parallel_tool_calls=False, tool_choice=ToolChoice("none"))
    )


def test_a_strict_tool_is_closed_where_the_model_can_be_held_to_it() -> None:
    tool = replace(CLOCK, strict=True)
    [sent] = body(replace(ASKED, tools=(tool,)))["tools"]
    assert sent["strict"] is True
    assert sent["input_schema"]["additionalProperties"] is False
    [older] = body(replace(ASKED, model="claude-sonnet-4-0", tools=(tool,)))["tools"]
    assert "strict" not in older


def test_tools_that_were_called_once_are_declared_though_none_may_be_called_now() -> None:
    turns = (
        Turn(Role.USER, "?"),
        turn(Role.ASSISTANT, CALL),
        turn(Role.TOOL, ToolResult("toolu_1", "12h")),
    )
    sent = body(replace(ASKED, turns=turns))
    assert sent["tools"] == [{"name": "clock", "input_schema": {"type": "object"}}]
    assert sent["tool_choice"] == {"type": "none"}


SCHEMA = {
    "type": "object",
    "properties": {"age": {"type": "integer", "minimum": 0, "description": "In years."}},
    "required": ["age"],
}


def test_an_answer_by_a_schema() -> None:
    wanted = ResponseFormat("json_schema", schema=SCHEMA)
    field = body(replace(ASKED, response_format=wanted))["output_config"]["format"]
    assert field["type"] == "json_schema"
    assert field["schema"] == {
        "type": "object",
        "properties": {"age": {"type": "integer", "description": "In years. (minimum: 0)"}},
        "required": ["age"],
        "additionalProperties": False,
    }
    older = body(replace(ASKED, model="claude-3-opus-20240229", response_format=wanted, system="Oi."))
    assert "output_config" not in older
    assert older["system"].startswith("Oi.\n\n" + JSON_ALONE)
    assert '"minimum":0' in older["system"]


@pytest.mark.parametrize("wanted", [ResponseFormat(), ResponseFormat("json_schema")])
def test_any_object_is_asked_for_in_words(wanted: ResponseFormat) -> None:
    sent = body(replace(ASKED, response_format=wanted))
    assert (sent["system"], "output_config" in sent) == (JSON_ALONE, False)


def test_whole_or_streamed_with_stops() -> None:
    sent = body(replace(ASKED, whole=True, stop=("fim", "\n\n"), seed=7, user="u1"))
    assert (sent["stream"], sent["stop_sequences"]) == (False, ["fim", "\n\n"])
    assert set(sent) == {"model", "messages", "max_tokens", "stream", "stop_sequences"}
    assert body(ASKED)["stream"] is True


def test_a_count_has_no_bounds() -> None:
    request = replace(ASKED, tools=(CLOCK,), temperature=0.1, stop=("x",), system="Oi.")
    assert set(decode(counting(request))) == {"model", "messages", "tools", "system"}


@pytest.mark.parametrize(
    ("model", "temperature", "top_p", "sent"),
    [
        ("claude-3-5-haiku-latest", 0.2, 0.9, {"temperature": 0.2, "top_p": 0.9}),
        ("claude-sonnet-4-5", 0.2, 0.9, {"temperature": 0.2}),
        ("claude-sonnet-4-5", None, 0.9, {"top_p": 0.9}),
        ("claude-opus-4-8", 0.2, 0.9, {}),
        ("claude-opus-5", 0.2, None, {}),
        ("llama3", 1.9, 0.9, {"temperature": 1.0, "top_p": 0.9}),
    ],
)
def test_temperature_and_top_p(model: str, temperature: float, top_p: float, sent: dict[str, float]) -> None:
    made = body(replace(ASKED, model=model, temperature=temperature, top_p=top_p))
    assert {name: made[name] for name in ("temperature", "top_p") if name in made} == sent


def test_an_answer_to_be_continued_where_models_do_not_take_one() -> None:
    turns = (Turn(Role.USER, "Oi"), Turn(Role.ASSISTANT, "Olá, "))
    assert body(replace(ASKED, turns=turns))["messages"][-1] == {"role": "assistant", "content": "Olá,"}
    newer = body(replace(ASKED, model="claude-opus-4-6", turns=turns))["messages"]
    assert [one["role"] for one in newer] == ["user", "assistant", "user"]
    picture = turn(Role.ASSISTANT, TextPart("a"), TextPart("b \n"))
    [*_, last] = body(replace(ASKED, turns=(*turns, picture)))["messages"]
    assert last["content"][-1]["text"] == "b"


def test_a_cache_is_asked_for_after_what_is_shared_and_after_the_newest() -> None:
    mark = {"type": "ephemeral"}
    sent = decode(encode(replace(ASKED, system="Longo.", tools=(CLOCK,)), caching=True))
    assert sent["system"] == [{"type": "text", "text": "Longo.", "cache_control": mark}]
    assert "cache_control" not in sent["tools"][-1]
    assert sent["messages"][-1]["content"] == [{"type": "text", "text": "Oi", "cache_control": mark}]
    sent = decode(encode(replace(ASKED, tools=(ToolSpec("a"), CLOCK)), caching=True))
    assert [tool.get("cache_control") for tool in sent["tools"]] == [None, mark]
    assert b"cache_control" not in encode(replace(ASKED, system="Longo.", tools=(CLOCK,)))
