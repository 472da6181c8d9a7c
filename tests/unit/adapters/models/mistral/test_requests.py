"""What others once asked Mistral, and was answered, is what we ask when we mean the same."""

import re
from base64 import b64decode
from typing import Any

import pytest
from msgspec.json import decode
from tests.shared import exchanges, needs_recordings

from prosa.adapters.models.mistral.callid import callid
from prosa.adapters.models.mistral.encode import encode, encode_texts
from prosa.domain.content import ImagePart, Part, TextPart, ToolCall, ToolResult
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

pytestmark = needs_recordings

OK = 200
ELSEWHERE = {"presence_penalty", "frequency_penalty", "n", "prefix", "encoding_format"}
"""Fields that say what goes without saying."""
MODES: dict[str, Any] = {"auto": "auto", "any": "required", "none": "none"}

REQUESTS = {
    name: found["request"]["body"]
    for name, found in exchanges("mistral")
    if found["request"]["path"] == "/v1/chat/completions" and found["response"]["status"] == OK
}


def asked(body: dict[str, Any]) -> ChatRequest:
    """The request that its writer meant."""
    spoken = [made for message in body["messages"] if message["role"] != "system" for made in turns(message)]
    [system] = [message["content"] for message in body["messages"] if message["role"] == "system"] or [None]
    form = body.get("response_format", {}).get("json_schema")
    return ChatRequest(
        body["model"],
        tuple(spoken),
        system=system,
        temperature=body.get("temperature"),
        max_tokens=body.get("max_tokens", 16),
        top_p=body.get("top_p"),
        seed=body.get("random_seed"),
        tools=tuple(
            ToolSpec(
                tool["function"]["name"], tool["function"]["description"], tool["function"]["parameters"]
            )
            for tool in body.get("tools", ())
        ),
        tool_choice=choice(body.get("tool_choice")),
        parallel_tool_calls=body.get("parallel_tool_calls"),
        response_format=form and ResponseFormat("json_schema", **form),
        reasoning_effort=body.get("reasoning_effort"),
        whole=not body.get("stream"),
    )


def choice(said: Any) -> ToolChoice | None:
    if said is None:
        return None
    return ToolChoice(MODES[said]) if isinstance(said, str) else ToolChoice("tool", said["function"]["name"])


def turns(message: dict[str, Any]) -> list[Turn]:
    if message["role"] == "tool":
        return [turn(Role.TOOL, ToolResult(message["tool_call_id"], message["content"]))]
    parts = [part(chunk) for chunk in listed(message["content"])]
    calls = [
        ToolCall(call["id"], call["function"]["name"], call["function"]["arguments"])
        for call in message.get("tool_calls", ())
    ]
    return [turn(Role(message["role"]), *parts, *calls)]


def listed(content: Any) -> list[Any]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return list(content)


def part(chunk: dict[str, Any]) -> Part:
    if chunk["type"] == "text":
        return TextPart(chunk["text"])
    found = re.fullmatch(r"data:([^;]+);base64,(.*)", chunk["image_url"]["url"])
    assert found is not None
    return ImagePart(found[1], b64decode(found[2]), detail=chunk["image_url"].get("detail"))


def meaning(body: dict[str, Any]) -> dict[str, Any]:
    """`body` without the several ways of saying one thing. Ids are those that Mistral would take."""
    made = {name: value for name, value in body.items() if name not in ELSEWHERE}
    made["stream"] = bool(made.get("stream"))
    made["messages"] = [said(message) for message in made["messages"]]
    made.setdefault("max_tokens", 16)
    return made


def said(message: dict[str, Any]) -> dict[str, Any]:
    made = {name: value for name, value in message.items() if name not in {*ELSEWHERE, "name"}}
    made["content"] = listed(made["content"])
    if "tool_call_id" in made:
        made["tool_call_id"] = callid(made["tool_call_id"])
    if "tool_calls" in made:
        made["tool_calls"] = [
            (callid(call["id"]), call["function"]["name"], decode(call["function"]["arguments"]))
            for call in made["tool_calls"]
        ]
    return made


def test_the_count_of_the_requests() -> None:
    assert len(REQUESTS) == 21
    assert len([name for name in REQUESTS if "followup" in name]) == 2


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_says_the_same(name: str) -> None:
    body = REQUESTS[name]
    assert meaning(decode(encode(asked(body)))) == meaning(body)


@pytest.mark.parametrize("name", [name for name in REQUESTS if "followup" in name])
def test_a_result_bears_its_tools_name(name: str) -> None:
    """Also where only the call tells it."""
    messages = decode(encode(asked(REQUESTS[name])))["messages"]
    called = {
        call["id"]: call["function"]["name"] for message in messages for call in message.get("tool_calls", ())
    }
    results = [message for message in messages if message["role"] == "tool"]
    assert [called[message["tool_call_id"]] for message in results] == [
        message["name"] for message in results
    ]
    assert len(results) == 2


def test_vectors_are_asked_for_as_others_did() -> None:
    bodies = [
        found["request"]["body"]
        for _, found in exchanges("mistral")
        if found["request"]["path"] == "/v1/embeddings"
    ]
    assert len(bodies) == 2
    for body in bodies:
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        ours = decode(encode_texts(EmbedRequest(body["model"], tuple(texts)), texts))
        assert ours == {"model": body["model"], "input": texts}
