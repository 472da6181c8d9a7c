"""What others once asked Anthropic, and was answered, is what we ask when we mean the same."""

from base64 import b64decode
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.json import decode
from msgspec.json import encode as encoded
from tests.shared import exchanges, needs_recordings

from prosa.adapters.models.anthropic.encode import counting, encode
from prosa.domain.content import (
    DocumentPart,
    ImagePart,
    Part,
    TextPart,
    ThinkingPart,
    ToolCall,
    ToolResult,
    ToolStatus,
    text_of,
)
from prosa.domain.models import ChatRequest, ResponseFormat, Role, ToolChoice, ToolSpec, Turn, turn

pytestmark = needs_recordings

OK = 200
MODES: dict[str, Any] = {"auto": "auto", "any": "required", "tool": "tool", "none": "none"}
ELSEWHERE = {"cache_control", "caller", "citations", "defer_loading", "display"}
"""Fields that say nothing about what is asked, or are the asker's own business."""


def asked(body: dict[str, Any]) -> ChatRequest:
    """The request that its writer meant."""
    choice = body.get("tool_choice")
    form = body.get("output_config", {}).get("format")
    parallel = (choice or {}).get("disable_parallel_tool_use")
    return ChatRequest(
        body["model"],
        tuple(spoken for message in body["messages"] for spoken in turns(message)),
        system="\n\n".join(text(block) for block in listed(body.get("system", []))) or None,
        temperature=body.get("temperature"),
        max_tokens=body.get("max_tokens", 16),
        top_p=body.get("top_p"),
        stop=tuple(body.get("stop_sequences", ())),
        tools=tuple(
            ToolSpec(tool["name"], tool.get("description", ""), tool["input_schema"])
            for tool in body.get("tools", ())
        ),
        tool_choice=ToolChoice(MODES[choice["type"]], choice.get("name")) if choice else None,
        parallel_tool_calls=None if parallel is None else not parallel,
        response_format=ResponseFormat("json_schema", schema=form["schema"]) if form else None,
        reasoning_effort="medium" if "budget_tokens" in body.get("thinking", {}) else None,
        whole=not body.get("stream"),
    )


def listed(content: Any) -> list[Any]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def text(block: Any) -> str:
    return str(block["text"])


def turns(message: dict[str, Any]) -> list[Turn]:
    """A message of ours for the results, and one for the rest."""
    parts = [part(block) for block in listed(message["content"])]
    results = [found for found in parts if isinstance(found, ToolResult)]
    others = [found for found in parts if not isinstance(found, ToolResult)]
    made = [turn(Role.TOOL, *results)] if results else []
    return [*made, turn(Role(message["role"]), *others)] if others else made


def part(block: dict[str, Any]) -> Part:
    return PARTS[block["type"]](block)


def result(block: dict[str, Any]) -> ToolResult:
    told = text_of(TextPart(text(inner)) for inner in listed(block["content"]))
    status = ToolStatus.FAILED if block.get("is_error") else ToolStatus.COMPLETED
    return ToolResult(block["tool_use_id"], told, status=status)


def document(block: dict[str, Any]) -> DocumentPart:
    source = block["source"]
    if source["type"] == "base64":
        return DocumentPart(source["media_type"], b64decode(source["data"]))
    return DocumentPart(url=source.get("url"), reference=source.get("file_id"))


PARTS: dict[str, Callable[[dict[str, Any]], Part]] = {
    "text": lambda block: TextPart(block["text"]),
    "thinking": lambda block: ThinkingPart(block["thinking"], block["signature"], provider="anthropic"),
    "tool_use": lambda block: ToolCall(block["id"], block["name"], encoded(block["input"]).decode()),
    "tool_result": result,
    "image": lambda block: ImagePart(block["source"]["media_type"], b64decode(block["source"]["data"])),
    "document": document,
}


def meaning(body: dict[str, Any]) -> dict[str, Any]:
    """`body` without the several ways of saying one thing."""
    made = bare(body)
    made["messages"] = [
        {"role": message["role"], "content": [block(one) for one in listed(message["content"])]}
        for message in made["messages"]
    ]
    made["system"] = "\n\n".join(text(one) for one in listed(made.get("system", [])))
    made["stream"] = bool(made.get("stream"))
    made.pop("top_k", None)
    if made.get("tool_choice", {}).get("disable_parallel_tool_use") is False:
        del made["tool_choice"]["disable_parallel_tool_use"]
    if made.get("tool_choice") == {"type": "auto"}:
        del made["tool_choice"]
    made["tools"] = [{"description": "", **tool} for tool in made.get("tools", [])]
    if (thinking := made.pop("thinking", {"type": "disabled"}))["type"] != "disabled":
        assert 1024 <= thinking["budget_tokens"] < made["max_tokens"]
        assert made.pop("temperature", 1.0) == 1.0
        made["thinks"] = True
    return made


def bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: bare(inner) for name, inner in value.items() if name not in ELSEWHERE}
    return [bare(inner) for inner in value] if isinstance(value, list) else value


def block(made: dict[str, Any]) -> dict[str, Any]:
    if made["type"] != "tool_result":
        return made
    told = "".join(text(inner) for inner in listed(made["content"]))
    return {"is_error": False, **made, "content": told}


def of_ours_alone(body: dict[str, Any]) -> bool:
    """Whether the request has no tools of the provider's own."""
    return all("input_schema" in tool for tool in body.get("tools", ()))


REQUESTS = {
    name: found["request"]["body"]
    for name, found in exchanges("anthropic")
    if found["request"]["path"] == "/v1/messages"
    and found["response"]["status"] == OK
    and of_ours_alone(found["request"]["body"])
}


def test_the_count_of_the_requests() -> None:
    assert len(REQUESTS) == 32


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_says_the_same(name: str) -> None:
    body = REQUESTS[name]
    assert meaning(decode(encode(asked(body)))) == meaning(body)


def test_a_count_asks_for_the_input_alone() -> None:
    [body] = [
        found["request"]["body"]
        for _, found in exchanges("anthropic")
        if found["request"]["path"].endswith("count_tokens")
    ]
    ours = decode(counting(asked(body)))
    assert meaning(ours) == meaning(body)
    assert set(ours) == {"model", "messages"}
