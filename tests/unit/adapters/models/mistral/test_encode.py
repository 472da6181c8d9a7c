"""What Mistral is asked, field by field, and in which order."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mistralai.client.models import ChatCompletionStreamRequest
from msgspec.json import decode
from msgspec.structs import replace

from prosa.adapters.models.mistral.callid import callid
from prosa.adapters.models.mistral.encode import encode, encode_texts
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
TOOL = ToolSpec("add", "Adds.", {"type": "object", "properties": {"x": {"type": "integer"}}}, strict=True)
CALL = ToolCall("toolu_01", "add", '{"x": 1}')
THOUGHT = ThinkingPart("Hm", "s1gned", provider="mistral")


def fields(**more: Any) -> Any:
    """The body of a request, which the official client's own types also take."""
    body = decode(encode(replace(ASKED, **more)))
    ChatCompletionStreamRequest.model_validate(body)
    return body


def messages(*turns: Turn, **more: Any) -> Any:
    return fields(turns=turns, **more)["messages"]


def shown(*parts: Part) -> Any:
    return messages(turn(Role.USER, TextPart("Veja"), *parts))[0]["content"][1]


def test_what_is_said_of_sampling() -> None:
    body = fields(temperature=0.5, top_p=0.9, stop=("a", "b"), seed=7)
    assert (body["temperature"], body["top_p"], body["stop"], body["random_seed"]) == (
        0.5,
        0.9,
        ["a", "b"],
        7,
    )
    assert "top_p" not in fields(temperature=0.0, top_p=0.9)
    assert fields(seed=-1)["random_seed"] >= 0


def test_tools() -> None:
    body = fields(tools=(TOOL, ToolSpec("ping")), parallel_tool_calls=False)
    assert body["parallel_tool_calls"] is False
    assert "tool_choice" not in body
    assert body["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "add",
                "description": "Adds.",
                "parameters": TOOL.parameters,
                "strict": True,
            },
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


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (ToolChoice(), "auto"),
        (ToolChoice("none"), "none"),
        (ToolChoice("required"), "any"),
        (ToolChoice("tool", "add"), {"type": "function", "function": {"name": "add"}}),
    ],
)
def test_a_choice_of_tools(choice: ToolChoice, said: Any) -> None:
    assert fields(tools=(TOOL,), tool_choice=choice)["tool_choice"] == said
    assert "tool_choice" not in fields(tool_choice=choice)


@pytest.mark.parametrize(
    ("model", "effort", "said"),
    [
        ("mistral-small-latest", None, {}),
        ("mistral-small-latest", "none", {"reasoning_effort": "none"}),
        ("mistral-small-latest", "minimal", {"reasoning_effort": "none"}),
        ("mistral-small-latest", "low", {"reasoning_effort": "high"}),
        ("mistral-medium-3-5", "xhigh", {"reasoning_effort": "high"}),
        ("mistral-large-4-0", "medium", {"reasoning_effort": "medium"}),
        ("mistral-large-4-0", "xhigh", {"reasoning_effort": "high"}),
        ("magistral-medium-latest", "low", {"prompt_mode": "reasoning"}),
        ("magistral-medium-latest", "none", {}),
    ],
)
def test_how_long_to_think(model: str, effort: Effort | None, said: dict[str, str]) -> None:
    body = fields(model=model, reasoning_effort=effort)
    assert {name: body[name] for name in ("reasoning_effort", "prompt_mode") if name in body} == said


def test_formats() -> None:
    schema = {"type": "object", "properties": {"x": {"type": "integer"}}}
    wanted = ResponseFormat("json_schema", "point", schema, "A point.", strict=True)
    assert fields(response_format=wanted)["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "point", "description": "A point.", "schema": schema, "strict": True},
    }
    body = fields(response_format=ResponseFormat(), system="Seja breve.")
    assert body["response_format"] == {"type": "json_object"}
    assert body["messages"][0]["content"].startswith("Seja breve.\n\nAnswer with one JSON object")
    body = fields(response_format=ResponseFormat(), turns=(Turn(Role.USER, "Em json, por favor"),))
    assert [message["role"] for message in body["messages"]] == ["user"]


def test_pictures() -> None:
    assert shown(ImagePart("image/png", b"\x89P"))["image_url"] == {"url": "data:image/png;base64,iVA="}
    said = {"type": "image_url", "image_url": {"url": "https://h.example/a.png", "detail": "low"}}
    assert shown(ImagePart(url="https://h.example/a.png", detail="low")) == said
    with pytest.raises(InvalidRequest):
        shown(ImagePart())


def test_documents() -> None:
    assert shown(DocumentPart("application/pdf", b"%PDF", name="a.pdf")) == {
        "type": "document_url",
        "document_url": "data:application/pdf;base64,JVBERg==",
        "document_name": "a.pdf",
    }
    assert shown(DocumentPart(url="https://h.example/a.pdf"))["document_url"] == "https://h.example/a.pdf"
    assert shown(DocumentPart(reference="f1")) == {"type": "file", "file_id": "f1"}
    text = shown(DocumentPart("text/plain; charset=utf-8", "olá".encode(), name='a"b.txt'))
    assert text == {"type": "text", "text": '<document name="a\'b.txt">\nolá\n</document>'}
    with pytest.raises(NotSupported, match="application/zip"):
        shown(DocumentPart("application/zip", b"PK"))
    with pytest.raises(InvalidRequest):
        shown(DocumentPart())
    with pytest.raises(InvalidRequest):
        shown(CALL)


def test_a_call_and_its_result_bear_one_id() -> None:
    said = messages(
        Turn(Role.USER, "1?"),
        turn(Role.ASSISTANT, THOUGHT, TextPart("Veja:"), CALL, ToolCall("abcDEF123", "add", "nonsense")),
        turn(
            Role.TOOL,
            ToolResult("toolu_01", "1"),
            ToolResult("abcDEF123", "no", "add", ToolStatus.FAILED),
        ),
    )
    identity = callid("toolu_01")
    assert said[1:] == [
        {
            "role": "assistant",
            "content": [
                {
                    "type": "thinking",
                    "thinking": [{"type": "text", "text": "Hm"}],
                    "closed": True,
                    "signature": "s1gned",
                },
                {"type": "text", "text": "Veja:"},
            ],
            "tool_calls": [
                {
                    "id": identity,
                    "type": "function",
                    "function": {"name": "add", "arguments": '{"x": 1}'},
                },
                {
                    "id": "abcDEF123",
                    "type": "function",
                    "function": {"name": "add", "arguments": '{"arguments": "nonsense"}'},
                },
            ],
        },
        {"role": "tool", "content": "1", "tool_call_id": identity, "name": "add"},
        {"role": "tool", "content": "The call failed: no", "tool_call_id": "abcDEF123", "name": "add"},
    ]


@pytest.mark.parametrize(
    ("turns", "roles"),
    [
        (["user", "system", "assistant", "system", "user"], ["system", "user", "assistant", "user"]),
        (["user", "call", "result", "user"], ["user", "assistant", "tool", "assistant", "user"]),
        (["user", "call", "user"], ["user", "assistant", "tool", "assistant", "user"]),
        (["user", "call", "result", "system"], ["system", "user", "assistant", "tool"]),
        (["user", "call"], ["user", "assistant", "tool"]),
        (["user", "thought"], ["user"]),
        (["system"], ["system", "user"]),
        (["user", "assistant"], ["user", "assistant"]),
    ],
)
def test_the_order_of_roles(turns: list[str], roles: list[str]) -> None:
    made = {
        "call": turn(Role.ASSISTANT, CALL),
        "result": turn(Role.TOOL, ToolResult(CALL.id, "1")),
        "thought": turn(Role.ASSISTANT, THOUGHT),
    }
    said = messages(*(made.get(name) or Turn(Role(name), name) for name in turns))
    assert [message["role"] for message in said] == roles
    assert [message.get("prefix") for message in said][:-1] == [None] * (len(roles) - 1)
    assert said[-1].get("prefix") is (True if roles[-1] == "assistant" else None)


every_history = st.lists(
    st.sampled_from(
        [
            Turn(Role.USER, "u"),
            Turn(Role.SYSTEM, "s"),
            Turn(Role.ASSISTANT, "a"),
            turn(Role.ASSISTANT, CALL),
            turn(Role.ASSISTANT, TextPart("a"), CALL, replace(CALL, id="other")),
            turn(Role.ASSISTANT, THOUGHT),
        ]
    ),
    min_size=1,
    max_size=8,
)
FOLLOWS = {
    None: {"system", "user", "assistant"},
    "system": {"user", "assistant"},
    "user": {"user", "assistant"},
    "assistant": {"user", "assistant", "tool"},
    "tool": {"assistant", "tool"},
}


@given(turns=every_history, answered=st.booleans())
def test_no_history_breaks_the_order(turns: list[Turn], *, answered: bool) -> None:
    """The rules are those of Mistral's own validator."""
    history: list[Turn] = []
    for spoken in turns:
        history.append(spoken)
        if answered and any(isinstance(part, ToolCall) for part in spoken.parts):
            history.append(turn(Role.TOOL, ToolResult(CALL.id, "1")))
    said = messages(*history)
    before = None
    waiting: set[str] = set()
    for message in said:
        assert message["role"] in FOLLOWS[before]
        if message["role"] == "tool":
            waiting.remove(message["tool_call_id"])
        else:
            assert not waiting
        waiting |= {call["id"] for call in message.get("tool_calls", ())}
        before = message["role"]
    assert not waiting
    assert before in {"user", "tool"} or said[-1]["prefix"]


def test_vectors_of_a_length() -> None:
    asked = EmbedRequest("codestral-embed", ("a\ud800", "b"), 256)
    body = decode(encode_texts(asked, asked.texts))
    assert body == {"model": "codestral-embed", "input": ["a\ufffd", "b"], "output_dimension": 256}


VALID = re.compile(r"[a-zA-Z0-9]{9}")


@given(st.sets(st.text(), min_size=1, max_size=50))
def test_any_id_becomes_one_of_mistrals(identities: set[str]) -> None:
    made = [callid(identity) for identity in identities]
    assert all(VALID.fullmatch(identity) for identity in made)
    assert len(set(made)) == len(identities)
    assert made == [callid(identity) for identity in identities]
    assert made == [callid(identity) for identity in made]


def test_many_ids_stay_apart() -> None:
    foreign = [f"{kind}_{number}" for kind in ("call", "toolu", "chatcmpl-tool") for number in range(20_000)]
    assert len({callid(identity) for identity in foreign}) == len(foreign)
