"""Writes the tools of a request, and which of them the model has to call."""

from typing import Any

from msgspec import Struct

from prosa.adapters.models.anthropic.schema import enforceable
from prosa.adapters.models.anthropic.traits import Traits
from prosa.domain.models import ChatRequest, ToolChoice, ToolSpec

MODES = {"auto": "auto", "none": "none", "required": "any", "tool": "tool"}


class Choice(Struct, frozen=True):
    """The field `tool_choice`; whether it forces a call; and what to say to a model that can't be forced."""

    field: dict[str, Any] | None = None
    forced: bool = False
    said: str | None = None


def declared(request: ChatRequest, written: list[dict[str, Any]], model: Traits) -> list[dict[str, Any]]:
    """The tools of the request. Where it has none any more, but earlier messages call some, those: Anthropic
    takes no calls of tools that are not declared."""
    if request.tools:
        return [tool(spec, model) for spec in request.tools]
    blocks = [made for message in written for made in message["content"] if isinstance(made, dict)]
    names = dict.fromkeys(made["name"] for made in blocks if made["type"] == "tool_use")
    return [{"name": name, "input_schema": {"type": "object"}} for name in names]


def tool(spec: ToolSpec, model: Traits) -> dict[str, Any]:
    made: dict[str, Any] = {"name": spec.name}
    if spec.description:
        made["description"] = spec.description
    if spec.strict and model.schemas:
        return {**made, "input_schema": enforceable({"type": "object", **spec.parameters}), "strict": True}
    return {**made, "input_schema": {"type": "object", **spec.parameters}}


def chosen(request: ChatRequest, model: Traits) -> Choice:
    if not request.tools:
        return Choice({"type": "none"})
    choice = request.tool_choice or ToolChoice()
    forced = choice.mode in {"required", "tool"}
    said = None
    field: dict[str, Any] = {"type": MODES[choice.mode]}
    if forced and not model.forced:
        field["type"] = "auto"
        said = f"Call the tool {choice.name} now." if choice.name else "Call at least one of the tools now."
        forced = False
    elif choice.mode == "tool":
        field["name"] = choice.name
    if request.parallel_tool_calls is False and choice.mode != "none":
        field["disable_parallel_tool_use"] = True
    return Choice(None if field == {"type": "auto"} else field, forced, said)
