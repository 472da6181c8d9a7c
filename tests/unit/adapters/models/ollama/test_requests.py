"""What others once asked Ollama, and was answered, is what we ask when we mean the same."""

from typing import Any

import pytest
from msgspec.json import decode
from msgspec.json import encode as encoded
from tests.shared import exchanges, needs_recordings

from prosa.adapters.models.ollama.encode import encode, encode_texts
from prosa.domain.content import Part, TextPart, ThinkingPart, ToolCall, ToolResult
from prosa.domain.models import ChatRequest, EmbedRequest, ResponseFormat, Role, ToolSpec, Turn, turn

pytestmark = needs_recordings

EMPTY: tuple[Any, ...] = ("", [], None)
EFFORTS: dict[Any, Any] = {None: None, False: "none", True: "high"}

REQUESTS = {
    name: found["request"]["body"]
    for name, found in exchanges("ollama")
    if found["request"]["path"] == "/api/chat"
}


def asked(body: dict[str, Any]) -> ChatRequest:
    """The request that its writer meant."""
    options = body.get("options", {})
    spoken = body["messages"]
    system = spoken[0]["content"] if spoken[0]["role"] == "system" else None
    return ChatRequest(
        body["model"],
        tuple(said(place, spoken) for place in range(bool(system), len(spoken))),
        system=system,
        temperature=options.get("temperature"),
        max_tokens=options.get("num_predict", 16),
        seed=options.get("seed"),
        tools=tuple(
            ToolSpec(
                tool["function"]["name"], tool["function"]["description"], tool["function"]["parameters"]
            )
            for tool in body.get("tools", ())
        ),
        response_format=wanted(body.get("format")),
        reasoning_effort=EFFORTS[body.get("think")],
        whole=body.get("stream") is False,
    )


def wanted(form: Any) -> ResponseFormat | None:
    if isinstance(form, dict):
        return ResponseFormat("json_schema", schema=form)
    return ResponseFormat() if form else None


def said(place: int, spoken: list[dict[str, Any]]) -> Turn:
    """A turn whose calls have ids, which the wire does not have: the place of the result that answers them."""
    message = spoken[place]
    if message["role"] == "tool":
        return turn(Role.TOOL, ToolResult(str(place), message["content"], message.get("tool_name", "")))
    parts: list[Part] = []
    if "thinking" in message:
        parts.append(ThinkingPart(message["thinking"], provider="ollama"))
    if message["content"]:
        parts.append(TextPart(message["content"]))
    for at, call in enumerate(message.get("tool_calls", ()), place + 1):
        function = call["function"]
        parts.append(ToolCall(str(at), function["name"], encoded(function["arguments"]).decode()))
    return turn(Role(message["role"]), *parts)


def meaning(body: dict[str, Any]) -> dict[str, Any]:
    """`body` without the several ways of saying one thing."""
    made = {name: value for name, value in body.items() if value not in EMPTY}
    made["stream"] = made.get("stream", True)
    made["options"] = {"num_predict": 16, **body.get("options", {})}
    made["messages"] = [
        {
            **message,
            "tool_calls": [call["function"] for call in message.get("tool_calls", ())],
            "tool_name": "" if message["role"] == "tool" else None,
        }
        for message in made["messages"]
    ]
    return made


def test_the_count_of_the_requests() -> None:
    assert len(REQUESTS) == 19
    assert len([name for name in REQUESTS if "followup" in name]) == 3


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_says_the_same(name: str) -> None:
    body = REQUESTS[name]
    assert meaning(decode(encode(asked(body)))) == meaning(body)


@pytest.mark.parametrize("name", [name for name in REQUESTS if "followup" in name])
def test_a_result_bears_its_tools_name(name: str) -> None:
    """Also where only the call tells it."""
    messages = decode(encode(asked(REQUESTS[name])))["messages"]
    names = [call["function"]["name"] for message in messages for call in message.get("tool_calls", ())]
    assert [message["tool_name"] for message in messages if message["role"] == "tool"] == names
    assert len(names) == 1


def test_vectors_are_asked_for_as_others_did() -> None:
    bodies = [
        found["request"]["body"]
        for _, found in exchanges("ollama")
        if found["request"]["path"] == "/api/embed"
    ]
    assert len(bodies) == 2
    for body in bodies:
        ours = decode(encode_texts(EmbedRequest(body["model"], (body["input"],))))
        assert ours == {"model": body["model"], "input": [body["input"]]}
