"""How long each generation of models is told to think, and what that rules out."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.json import decode
from msgspec.structs import replace

from prosa.adapters.models.anthropic.encode import encode
from prosa.adapters.models.anthropic.traits import ALWAYS, OTHERS, traits
from prosa.domain.content import TextPart, ThinkingPart, ToolCall, ToolResult
from prosa.domain.models import ChatRequest, Effort, Role, ToolChoice, ToolSpec, Turn, turn

EFFORTS: list[Effort] = ["none", "minimal", "low", "medium", "high", "xhigh"]
TOOLS = (ToolSpec("clock"),)
ASKED = ChatRequest("claude-sonnet-4-5", (Turn(Role.USER, "Oi"),), max_tokens=64_000)
THOUGHT = ThinkingPart("Hm", "sig", provider="anthropic")
CALL, TOLD = ToolCall("toolu_1", "clock"), ToolResult("toolu_1", "12h")


def body(model: str, effort: Effort | None, **more: Any) -> Any:
    return decode(encode(replace(ASKED, model=model, reasoning_effort=effort, **more)))


def plan(model: str, effort: Effort | None, **more: Any) -> tuple[Any, Any]:
    """The fields that tell how to think."""
    sent = body(model, effort, **more)
    return sent.get("thinking"), sent.get("output_config", {}).get("effort")


ADAPTIVE = {"type": "adaptive", "display": "summarized"}
OFF = {"type": "disabled"}


@pytest.mark.parametrize(
    ("model", "unasked", "none", "xhigh"),
    [
        ("claude-3-5-sonnet-20241022", (None, None), (None, None), (None, None)),
        ("claude-3-opus-20240229", (None, None), (None, None), (None, None)),
        (
            "claude-3-7-sonnet-latest",
            (None, None),
            (None, None),
            ({"type": "enabled", "budget_tokens": 32_768}, None),
        ),
        (
            "claude-opus-4-20250514",
            (None, None),
            (None, None),
            ({"type": "enabled", "budget_tokens": 32_768}, None),
        ),
        (
            "claude-haiku-4-5-20251001",
            (None, None),
            (None, None),
            ({"type": "enabled", "budget_tokens": 32_768}, None),
        ),
        ("claude-opus-4-6", (None, None), (None, None), (ADAPTIVE, "high")),
        ("anthropic.claude-opus-4-7-v1:0", (None, None), (None, None), (ADAPTIVE, "xhigh")),
        ("claude-sonnet-5", (None, None), (OFF, None), (ADAPTIVE, "xhigh")),
        ("claude-fable-5", (None, None), (None, "low"), (ADAPTIVE, "xhigh")),
        ("claude-opus-5-5", (None, None), (None, "low"), (ADAPTIVE, "xhigh")),
        ("claude-sonnet-5-5", (None, None), ({"type": "between_tools"}, None), (ADAPTIVE, "xhigh")),
        ("claude-haiku-5-5", (None, None), (OFF, None), (ADAPTIVE, "xhigh")),
    ],
)
def test_each_generation(model: str, unasked: Any, none: Any, xhigh: Any) -> None:
    assert (plan(model, None), plan(model, "none"), plan(model, "xhigh")) == (unasked, none, xhigh)


def test_names() -> None:
    assert traits("claude-3-5-haiku-latest") == traits("claude-instant-1.2")
    assert traits("us.anthropic.claude-sonnet-4-20250514-v1:0") == traits("claude-sonnet-4@20250514")
    assert traits("claude-opus-4.5") == traits("claude-opus-4-5-20251101") != traits("claude-opus-4-0")
    assert traits("claude-9") == traits("claude-mythos-preview") == ALWAYS
    assert traits("llama3") == traits("glm-4.6") == traits("kimi-k2") == OTHERS


@given(st.sampled_from(EFFORTS), st.integers(1, 200_000))
def test_a_budget_stays_within_what_was_reserved(effort: Effort, reserved: int) -> None:
    sent = body("claude-sonnet-4-5", effort, max_tokens=reserved)
    assert sent["max_tokens"] == reserved
    if thinking := sent.get("thinking"):
        assert 1024 <= thinking["budget_tokens"] <= reserved * 3 / 4
    else:
        assert effort == "none" or reserved < 1366


def test_thinking_rules_temperature_out() -> None:
    assert "temperature" not in body("claude-sonnet-4-5", "low", temperature=0.3, top_p=0.5)
    assert "top_p" not in body("claude-sonnet-4-5", "low", temperature=0.3, top_p=0.5)
    assert body("claude-sonnet-4-5", "none", temperature=0.3)["temperature"] == 0.3
    assert body("claude-opus-4-6", None, temperature=0.3)["temperature"] == 0.3
    assert "temperature" not in body("claude-opus-4-6", "low", temperature=0.3)


@pytest.mark.parametrize("choice", [ToolChoice("required"), ToolChoice("tool", "clock")])
def test_a_forced_call_rules_thinking_out(choice: ToolChoice) -> None:
    for model in ("claude-sonnet-4-5", "claude-opus-4-6", "claude-opus-4-8"):
        sent = body(model, "high", tools=TOOLS, tool_choice=choice)
        assert (sent["tool_choice"]["type"] in {"any", "tool"}, "thinking" in sent) == (True, False)
    assert body("claude-opus-5", None, tools=TOOLS, tool_choice=choice)["thinking"] == OFF


def test_who_cannot_be_forced_is_told() -> None:
    sent = body("claude-opus-5-5", "low", tools=TOOLS, tool_choice=ToolChoice("required"))
    assert ("tool_choice" in sent, sent["thinking"]) == (False, ADAPTIVE)
    assert "at least one of the tools" in sent["system"]
    named = body("claude-fable-5", None, tools=TOOLS, tool_choice=ToolChoice("tool", "clock"), system="Oi.")
    assert named["system"] == "Oi.\n\nCall the tool clock now."


def test_no_budget_where_the_thoughts_before_the_calls_are_gone() -> None:
    """As when another provider began: Anthropic refuses to go on thinking without them."""
    asked = Turn(Role.USER, "?")
    gone = (asked, turn(Role.ASSISTANT, CALL), turn(Role.TOOL, TOLD))
    kept = (asked, turn(Role.ASSISTANT, THOUGHT, CALL), turn(Role.TOOL, TOLD))
    second = (
        turn(Role.ASSISTANT, ToolCall("toolu_2", "clock")),
        turn(Role.TOOL, ToolResult("toolu_2", "13h")),
    )
    for turns, thinks in ((gone, False), (kept, True), ((*kept, *second), True), ((*gone, *second), False)):
        assert ("thinking" in body("claude-sonnet-4-5", "low", turns=turns, tools=TOOLS)) is thinks
    anew = (*gone, Turn(Role.ASSISTANT, "12h"), asked)
    assert "thinking" in body("claude-sonnet-4-5", "low", turns=anew, tools=TOOLS)
    assert "thinking" in body("claude-opus-4-8", "low", turns=gone, tools=TOOLS)


def test_bound_thoughts_go_back_only_while_their_tools_are_called() -> None:
    asked = Turn(Role.USER, "?")
    earlier = (asked, turn(Role.ASSISTANT, THOUGHT, TextPart("Sim")))
    loop = (asked, turn(Role.ASSISTANT, THOUGHT, CALL), turn(Role.TOOL, TOLD))
    for model, thoughts in (("claude-opus-4-8", 2), ("claude-opus-5-5", 1)):
        sent = body(model, "low", turns=(*earlier, *loop), tools=TOOLS)["messages"]
        kinds = [block["type"] for one in sent for block in one["content"] if isinstance(block, dict)]
        assert (kinds.count("thinking"), len(sent)) == (thoughts, 5)
