"""Writes a request as Mistral's chat completions and embeddings take it."""

from collections.abc import Sequence
from typing import Any

import msgspec

from prosa.adapters.models.formats import json_rule, json_schema
from prosa.adapters.models.mistral.errors import PROVIDER
from prosa.adapters.models.mistral.messages import messages
from prosa.adapters.models.turns import prepared
from prosa.domain.models import ChatRequest, EmbedRequest, ResponseFormat, ToolChoice, ToolSpec
from prosa.kit.text import well_formed

HOTTEST = 1.5
SEEDS = 2**31
"""Seeds are below this, and not negative."""
ALWAYS_THINK = "magistral"
GRADED = "mistral-large-4"
"""Models that know how long to think; all others know only whether."""
GRADES = {"minimal": "low", "xhigh": "high"}
MODES = {"required": "any"}


def encode(request: ChatRequest) -> bytes:
    """The JSON body of `POST {base}/v1/chat/completions`. Usage comes without being asked for."""
    request = prepared(request, PROVIDER)
    fields = {
        "model": request.model,
        "messages": messages(request.turns, instructions(request)),
        "max_tokens": request.max_tokens,
        "stream": not request.whole,
        **sampling(request),
        **thinking(request),
        **tools(request),
        "response_format": shaped(request.response_format),
    }
    return msgspec.json.encode({name: value for name, value in fields.items() if value is not None})


def encode_texts(request: EmbedRequest, texts: Sequence[str]) -> bytes:
    """The JSON body of `POST {base}/v1/embeddings` for `texts`, some of the request's."""
    body: dict[str, Any] = {
        "model": well_formed(request.model),
        "input": [well_formed(text) for text in texts],
    }
    if request.dimensions is not None:
        body["output_dimension"] = request.dimensions
    return msgspec.json.encode(body)


def instructions(request: ChatRequest) -> str:
    return "\n\n".join(text for text in (request.system, json_rule(request)) if text)


def sampling(request: ChatRequest) -> dict[str, Any]:
    """Temperatures of others go up to 2, and one setting serves them all. At 0 there is nothing to choose
    from: Mistral refuses a `top_p` beside it."""
    heat = request.temperature
    return {
        "temperature": None if heat is None else min(heat, HOTTEST),
        "top_p": None if heat == 0 else request.top_p,
        "stop": request.stop or None,
        "random_seed": None if request.seed is None else request.seed % SEEDS,
    }


def thinking(request: ChatRequest) -> dict[str, Any]:
    """How long to think, in the words of the model's family. Magistral always thinks, and takes no effort."""
    effort = request.reasoning_effort
    if effort is None:
        return {}
    if request.model.startswith(ALWAYS_THINK):
        return {} if effort == "none" else {"prompt_mode": "reasoning"}
    if request.model.startswith(GRADED):
        return {"reasoning_effort": GRADES.get(effort, effort)}
    return {"reasoning_effort": "none" if effort in {"none", "minimal"} else "high"}


def tools(request: ChatRequest) -> dict[str, Any]:
    """The tools and what is said about calling them, which means nothing where there are none."""
    if not request.tools:
        return {}
    return {
        "tools": [tool(spec) for spec in request.tools],
        "tool_choice": None if request.tool_choice is None else chosen(request.tool_choice),
        "parallel_tool_calls": request.parallel_tool_calls,
    }


def tool(spec: ToolSpec) -> dict[str, Any]:
    function: dict[str, Any] = {
        "name": spec.name,
        "description": spec.description,
        "parameters": spec.parameters or {"type": "object", "properties": {}},
    }
    if spec.strict is not None:
        function["strict"] = spec.strict
    return {"type": "function", "function": function}


def chosen(choice: ToolChoice) -> Any:
    if choice.mode == "tool":
        return {"type": "function", "function": {"name": choice.name}}
    return MODES.get(choice.mode, choice.mode)


def shaped(wanted: ResponseFormat | None) -> dict[str, Any] | None:
    if wanted is None:
        return None
    if wanted.mode == "json_object" or wanted.schema is None:
        return {"type": "json_object"}
    return json_schema(wanted)
