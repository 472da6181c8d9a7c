"""What a model wrote as arguments goes back as a JSON object on every wire, whatever it wrote."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.json import decode
from msgspec.structs import replace
from tests.unit.adapters.models.speech import HELLO

from prosa.adapters.models.anthropic.encode import encode as anthropic
from prosa.adapters.models.mistral.encode import encode as mistral
from prosa.adapters.models.ollama.encode import encode as ollama
from prosa.adapters.models.openai.encode import encode as openai
from prosa.domain.content import TextPart, ToolCall, ToolResult
from prosa.domain.models import ChatRequest, Role, turn

Wire = tuple[Callable[[ChatRequest], bytes], Callable[[Any], Any]]


def in_a_function(message: Any) -> Any:
    return message["tool_calls"][0]["function"]["arguments"]


WIRES: dict[str, Wire] = {
    "openai": (openai, lambda message: decode(in_a_function(message))),
    "anthropic": (anthropic, lambda message: message["content"][0]["input"]),
    "mistral": (mistral, lambda message: decode(in_a_function(message))),
    "ollama": (ollama, in_a_function),
}


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("", {}),
        (' {"a": [1, "é"]} ', {"a": [1, "é"]}),
        ('{"a": "\n"}', {"a": "\n"}),
        ('{"a": NaN}', {"arguments": '{"a": NaN}'}),
        ('{"a": [-Infinity]}', {"arguments": '{"a": [-Infinity]}'}),
        ("[1]", {"arguments": "[1]"}),
        ('{"a":', {"arguments": '{"a":'}),
        ("null", {"arguments": "null"}),
        ("[" * 5000, {"arguments": "[" * 5000}),
    ],
)
def test_arguments_are_an_object(wire: str, written: str, sent: Any) -> None:
    encode, found = WIRES[wire]
    turns = (
        turn(Role.USER, TextPart("Oi")),
        turn(Role.ASSISTANT, ToolCall("abcdefghi", "f", written)),
        turn(Role.TOOL, ToolResult("abcdefghi", "r")),
    )
    body = encode(replace(HELLO, turns=turns))
    [asked] = [message for message in json.loads(body)["messages"] if message["role"] == "assistant"]
    assert found(asked) == sent
    decode(body)  # strict: Python's own reader takes NaN
