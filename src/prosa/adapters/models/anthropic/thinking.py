"""Decides whether and how long a model thinks, within the bound that was reserved."""

from typing import Any

from msgspec import Struct

from prosa.adapters.models.anthropic.traits import Traits
from prosa.domain.models import ChatRequest, Effort

LEAST = 1024
"""Tokens; Anthropic takes no smaller budget."""
BUDGETS: dict[Effort, int] = {
    "minimal": LEAST,
    "low": 2048,
    "medium": 8192,
    "high": 16_384,
    "xhigh": 32_768,
}
SHARE = 3, 4
"""Of `max_tokens`, which bounds thoughts and answer together, thoughts get no more than this."""
EFFORTS: dict[Effort, str] = {
    "none": "low",
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "xhigh",
}


class Plan(Struct, frozen=True):
    """The fields `thinking` and `output_config.effort`; `thinks` says whether the model may think."""

    thinking: dict[str, Any] | None = None
    effort: str | None = None
    thinks: bool = False


def planned(request: ChatRequest, model: Traits, *, forced: bool, resumes: bool) -> Plan:
    """`forced` is whether a tool must be called, which rules thinking out; `resumes` whether the thoughts
    before the last calls are at hand, without which a model with a budget must not go on thinking."""
    asked = request.reasoning_effort
    if model.thinking == "none":
        return Plan()
    if forced or asked == "none":
        return unthinking(model)
    if asked is None:
        return Plan(thinks=model.by_default)
    if model.thinking == "adaptive":
        effort = "high" if asked == "xhigh" and model.most == "high" else EFFORTS[asked]
        return Plan({"type": "adaptive", "display": "summarized"}, effort, thinks=True)
    tokens = budget(asked, request.max_tokens)
    if tokens is None or not resumes:
        return Plan()
    return Plan({"type": "enabled", "budget_tokens": tokens}, thinks=True)


def unthinking(model: Traits) -> Plan:
    """As little thinking as the model can do with."""
    if model.off is None:
        return Plan(effort=EFFORTS["none"], thinks=True)
    return Plan() if model.off == "omitted" else Plan({"type": model.off})


def budget(asked: Effort, max_tokens: int) -> int | None:
    """Tokens to think with, or None where so few are left that only an answer fits."""
    part, whole = SHARE
    tokens = min(BUDGETS[asked], max_tokens * part // whole)
    return tokens if tokens >= LEAST else None
