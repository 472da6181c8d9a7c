"""What Ollama is asked, field by field."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.json import decode
from msgspec.json import encode as encoded
from msgspec.structs import replace
from ollama._types import ChatRequest as Theirs

from prosa.adapters.models.formats import JSON_ALONE
from prosa.adapters.models.ollama.encode import (
    CALL_ANY,
    CALL_ONE,
    encode,
    encode_text,
    encode_texts,
)
from prosa.domain.content import (
    DocumentPart,
    ImagePart,
    Part,
    TextPart,
    ThinkingPart,
    ToolCall,
    ToolResult,
    ToolStatus,
)
from prosa.domain.errors import InvalidRequest, NotSupported
from prosa.domain.models import (
    ChatRequest,
    Effort,
    EmbedRequest,
    ResponseFormat,
    Role,
    ToolChoice,
    ToolSpec,
    Turn,
    turn,
)

ASKED = ChatRequest("m", (Turn(Role.USER, "Oi"),), max_tokens=9)
ADD = ToolSpec("add", "Adds.", {"type": "object", "properties": {"x": {"type": "integer"}}})
PING = ToolSpec("ping")
CALL = ToolCall("call_1", "add", '{"x": 12345678901234567890123, "y": 1.0}')
THOUGHT = ThinkingPart("Hm", provider="ollama")


def fields(**more: Any) -> Any:
    """The body of a request, which the official client's own types also take."""
    body = encode(replace(ASKED, **more))
    Theirs.model_validate_json(body)
    return decode(body)


def messages(*turns: Turn) -> Any:
    return fields(turns=turns)["messages"]


def asking(*parts: Part) -> Any:
    return messages(turn(Role.USER, *parts))[0]


def test_options() -> None:
    body = fields(temperature=0.5, top_p=0.9, stop=("a", "b"), seed=7)
    assert body["options"] == {
        "num_predict": 9,
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["a", "b"],
        "seed": 7,
    }


@pytest.mark.parametrize(
    ("model", "effort", "think"),
    [
        ("qwen3:4b", "none", False),
        ("qwen3:4b", "minimal", False),
        ("qwen3:4b", "low", True),
        ("qwen3:4b", "xhigh", True),
        ("gpt-oss:20b", "none", "low"),
        ("gpt-oss:20b", "medium", "medium"),
        ("someone/gpt-oss:120b", "xhigh", "high"),
    ],
)
def test_how_long_to_think(model: str, effort: Effort, *, think: bool | str) -> None:
    assert fields(model=model, reasoning_effort=effort)["think"] == think
    assert "think" not in fields(model=model)


def test_formats() -> None:
    schema = {"type": "object", "properties": {"x": {"type": "integer"}}}
    assert fields(response_format=ResponseFormat("json_schema", schema=schema))["format"] == schema
    body = fields(response_format=ResponseFormat(), system="Seja breve.")
    assert body["format"] == "json"
    assert body["messages"][0] == {"role": "system", "content": f"Seja breve.\n\n{JSON_ALONE}"}
    body = fields(response_format=ResponseFormat(), turns=(Turn(Role.USER, "Em JSON"),))
    assert body["messages"] == [{"role": "user", "content": "Em JSON"}]


@pytest.mark.parametrize(
    ("choice", "names", "system"),
    [
        (None, ["add", "ping"], None),
        (ToolChoice(), ["add", "ping"], None),
        (ToolChoice("none"), None, None),
        (ToolChoice("required"), ["add", "ping"], CALL_ANY),
        (ToolChoice("tool", "ping"), ["ping"], CALL_ONE),
    ],
)
def test_a_choice_of_tools(choice: ToolChoice | None, names: list[str] | None, system: str | None) -> None:
    body = fields(tools=(ADD, PING), tool_choice=choice)
    offered = [tool["function"]["name"] for tool in body["tools"]] if "tools" in body else None
    assert offered == names
    assert [message["content"] for message in body["messages"]] == [*([system] if system else []), "Oi"]


def test_tools() -> None:
    assert fields(tools=(ADD, PING))["tools"] == [
        {
            "type": "function",
            "function": {"name": "add", "description": "Adds.", "parameters": ADD.parameters},
        },
        {
            "type": "function",
            "function": {
                "name": "ping",
                "description": "",
                "parameters": {"type": "object", "properties": {}},
            },
        },
    ]
    assert "tools" not in fields()


def test_pictures_are_sent_beside_the_text() -> None:
    said = asking(TextPart("Veja"), ImagePart("image/png", b"\x89P"), TextPart("e diga"))
    assert said == {"role": "user", "content": "Veja\n\ne diga", "images": ["iVA="]}


def test_a_picture_by_url_is_refused_in_words_that_help() -> None:
    with pytest.raises(InvalidRequest, match="send the image's bytes"):
        asking(ImagePart(url="https://h.example/a.png"))


def test_documents() -> None:
    text = DocumentPart("text/markdown", b"# a", name="a.md")
    assert asking(TextPart("Leia"), text)["content"] == 'Leia\n\n<document name="a.md">\n# a\n</document>'
    for other in (
        DocumentPart("application/pdf", b"%PDF"),
        DocumentPart(url="https://h.example/a.pdf"),
        DocumentPart(reference="f1"),
    ):
        with pytest.raises(NotSupported, match="for ollama"):
            asking(TextPart("Leia"), other)
    with pytest.raises(InvalidRequest):
        asking(CALL)


def test_a_call_and_its_results() -> None:
    body = encode(
        replace(
            ASKED,
            turns=(
                Turn(Role.USER, "1?"),
                turn(
                    Role.ASSISTANT, THOUGHT, TextPart("Veja:"), CALL, ToolCall("call_2", "ping", "nonsense")
                ),
                turn(
                    Role.TOOL,
                    ToolResult("call_1", "1"),
                    ToolResult("call_2", "no", "ping", ToolStatus.DENIED),
                ),
            ),
        )
    )
    assert CALL.arguments.encode() in body  # numbers are what they were
    assert decode(body)["messages"][1:] == [
        {
            "role": "assistant",
            "content": "Veja:",
            "thinking": "Hm",
            "tool_calls": [
                {"function": {"name": "add", "arguments": decode(CALL.arguments)}},
                {"function": {"name": "ping", "arguments": {"arguments": "nonsense"}}},
            ],
        },
        {"role": "tool", "content": "1", "tool_name": "add"},
        {"role": "tool", "content": "The call was not allowed: no", "tool_name": "ping"},
    ]


def test_thoughts_of_an_answer_that_is_over_stay_here() -> None:
    said = messages(
        Turn(Role.USER, "1?"),
        turn(Role.ASSISTANT, THOUGHT, CALL),
        turn(Role.TOOL, ToolResult("call_1", "1")),
        turn(Role.ASSISTANT, THOUGHT, TextPart("1")),
        Turn(Role.USER, "2?"),
        turn(Role.ASSISTANT, THOUGHT),
    )
    assert [message["role"] for message in said] == ["user", "assistant", "tool", "assistant", "user"]
    assert not [message for message in said if "thinking" in message]


words = st.text(max_size=8)


@given(st.one_of(words, st.dictionaries(words, st.one_of(words, st.integers(), st.floats(allow_nan=False)))))
def test_any_arguments_are_sent_as_an_object(arguments: Any) -> None:
    written = arguments if isinstance(arguments, str) else encoded(arguments).decode()
    said = messages(
        Turn(Role.USER, "?"),
        turn(Role.ASSISTANT, ToolCall("c", "add", written)),
        turn(Role.TOOL, ToolResult("c", "1")),
    )
    [call] = said[1]["tool_calls"]
    assert isinstance(call["function"]["arguments"], dict)
    if not isinstance(arguments, str):
        assert call["function"]["arguments"] == decode(encoded(arguments))


def test_vectors() -> None:
    asked = EmbedRequest("m", ("a\ud800", "b"), 256)
    assert decode(encode_texts(asked)) == {"model": "m", "input": ["a\ufffd", "b"], "dimensions": 256}
    assert decode(encode_text(asked, "b")) == {"model": "m", "prompt": "b"}
