"""Writes a request as Ollama's chat and embeddings take it."""

from typing import Any

import msgspec

from prosa.adapters.models.formats import json_rule
from prosa.adapters.models.ollama.errors import PROVIDER
from prosa.adapters.models.ollama.messages import Message, messages
from prosa.adapters.models.turns import prepared
from prosa.domain.models import ChatRequest, Effort, EmbedRequest, ResponseFormat, ToolChoice, ToolSpec
from prosa.kit.text import well_formed

GRADED = "gpt-oss"
"""Models that know how long to think, and can't leave it; all others know only whether."""
GRADES: dict[Effort, str] = {"none": "low", "minimal": "low", "xhigh": "high"}
CALL_ANY = "Call at least one of the tools now."
CALL_ONE = "Call the tool now."


def encode(request: ChatRequest) -> bytes:
    """The JSON body of `POST {base}/api/chat`.

    Ollama has no tool choice. Where the model may call none, the tools are left out; where it has to call one
    of them, that one alone is offered; and that it has to call any can only be said in the system prompt.
    Parallel calls can't be forbidden.
    """
    request = prepared(request, PROVIDER)
    fields = {
        "model": request.model,
        "messages": instructed(request),
        "stream": not request.whole,
        "options": options(request),
        "tools": [tool(spec) for spec in offered(request)] or None,
        "format": shaped(request.response_format),
        "think": thinking(request.model, request.reasoning_effort),
    }
    return msgspec.json.encode({name: value for name, value in fields.items() if value is not None})


def encode_texts(request: EmbedRequest) -> bytes:
    """The JSON body of `POST {base}/api/embed`."""
    body: dict[str, Any] = {
        "model": well_formed(request.model),
        "input": [well_formed(text) for text in request.texts],
    }
    if request.dimensions is not None:
        body["dimensions"] = request.dimensions
    return msgspec.json.encode(body)


def encode_text(request: EmbedRequest, text: str) -> bytes:
    """The JSON body of `POST {base}/api/embeddings`, which servers of before `/api/embed` have."""
    return msgspec.json.encode({"model": well_formed(request.model), "prompt": well_formed(text)})


def instructed(request: ChatRequest) -> list[Message]:
    """The messages below the system prompt, which also says what no field can."""
    rules = (request.system, json_rule(request), calling_rule(request))
    system = "\n\n".join(text for text in rules if text)
    opening = [{"role": "system", "content": system}] if system else []
    return [*opening, *messages(request.turns)]


def calling_rule(request: ChatRequest) -> str | None:
    if request.tool_choice is None or not offered(request):
        return None
    return {"required": CALL_ANY, "tool": CALL_ONE}.get(request.tool_choice.mode)


def offered(request: ChatRequest) -> tuple[ToolSpec, ...]:
    choice = request.tool_choice or ToolChoice()
    if choice.mode == "none":
        return ()
    if choice.mode == "tool":
        return tuple(spec for spec in request.tools if spec.name == choice.name)
    return request.tools


def thinking(model: str, effort: Effort | None) -> bool | str | None:
    """Whether to think, or how long. A word that a model does not know would be taken for none at all."""
    if effort is None:
        return None
    if model.rpartition("/")[2].startswith(GRADED):
        return GRADES.get(effort, effort)
    return effort not in {"none", "minimal"}


def options(request: ChatRequest) -> dict[str, Any]:
    said = {
        "num_predict": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "stop": request.stop or None,
        "seed": request.seed,
    }
    return {name: value for name, value in said.items() if value is not None}


def tool(spec: ToolSpec) -> dict[str, Any]:
    parameters = spec.parameters or {"type": "object", "properties": {}}
    function = {"name": spec.name, "description": spec.description, "parameters": parameters}
    return {"type": "function", "function": function}


def shaped(wanted: ResponseFormat | None) -> Any:
    if wanted is None:
        return None
    return "json" if wanted.mode == "json_object" or wanted.schema is None else wanted.schema
