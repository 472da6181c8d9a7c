"""Writes a request as OpenAI's chat completions take it."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from prosa.adapters.models.formats import json_schema
from prosa.adapters.models.openai.dialect import EFFORTS, OPENAI, Dialect
from prosa.adapters.models.openai.messages import messages
from prosa.adapters.models.turns import prepared
from prosa.domain.models import (
    ChatRequest,
    Effort,
    EmbedRequest,
    ResponseFormat,
    Role,
    ToolChoice,
    ToolSpec,
    Turn,
)
from prosa.kit.text import well_formed

IN_WORDS = "Answer with nothing but a JSON object that fits this JSON Schema: "


def encode(request: ChatRequest, dialect: Dialect = OPENAI) -> bytes:
    """The JSON body of `POST {base}/chat/completions`. What the request leaves open is left out."""
    request = prepared(request, dialect.name if dialect.thoughts else "")
    fields = {
        "model": request.model,
        "messages": messages(_instructed(request, dialect), dialect),
        dialect.cap: request.max_tokens,
        "stream": not request.whole,
        "stream_options": None if request.whole else {"include_usage": True},
        "temperature": request.temperature,  # reasoning models refuse it, even with its default in it
        "top_p": request.top_p,
        "stop": request.stop or None,
        "seed": request.seed,
        **_thinking(request.reasoning_effort, dialect),
        "response_format": _format(request.response_format, dialect),
        **_tools(request, dialect),
    }
    body = {
        name: value for name, value in fields.items() if value is not None and name not in dialect.refuses
    }
    return msgspec.json.encode(body)


def encode_texts(request: EmbedRequest, texts: Sequence[str], dialect: Dialect = OPENAI) -> bytes:
    """The JSON body of `POST {base}/embeddings` for `texts`, some of the request's."""
    fields = {
        "model": well_formed(request.model),
        "input": [well_formed(text) for text in texts],
        "dimensions": request.dimensions,
        "encoding_format": "base64",  # a quarter of the bytes, and what the official client asks for
    }
    return msgspec.json.encode(
        {name: value for name, value in fields.items() if value is not None and name not in dialect.refuses}
    )


def nearest(asked: Effort | None, known: Sequence[Effort]) -> Effort | None:
    """The one of `known` that is nearest to the effort that is asked for, and of two the lower."""
    if asked is None or asked in known or not known:
        return asked if known else None
    place = EFFORTS.index(asked)
    return min(known, key=lambda effort: abs(EFFORTS.index(effort) - place))


def _thinking(asked: Effort | None, dialect: Dialect) -> Mapping[str, Any]:
    if asked == "none" and dialect.unthinking:
        return dialect.unthinking
    return {"reasoning_effort": nearest(asked, dialect.efforts)}


def _instructed(request: ChatRequest, dialect: Dialect) -> tuple[Turn, ...]:
    """The turns below the system's words, among them those that stand for a schema."""
    words = [] if request.system is None else [request.system]
    wanted = request.response_format
    if wanted is not None and wanted.schema is not None and not dialect.schemas:
        words.append(IN_WORDS + msgspec.json.encode(wanted.schema).decode())
    system = (Turn(Role.SYSTEM, "\n\n".join(words)),) if words else ()
    return system + request.turns


def _format(wanted: ResponseFormat | None, dialect: Dialect) -> dict[str, Any] | None:
    if wanted is None:
        return None
    if wanted.mode == "json_object" or not dialect.schemas:
        return {"type": "json_object"}
    return json_schema(wanted)


def _tools(request: ChatRequest, dialect: Dialect) -> dict[str, Any]:
    """The tools and what is said about calling them, which is refused where there are none."""
    if not request.tools:
        return {}
    return {
        "tools": [_tool(tool, dialect) for tool in request.tools],
        "tool_choice": None if request.tool_choice is None else _choice(request.tool_choice),
        "parallel_tool_calls": request.parallel_tool_calls,
    }


def _tool(tool: ToolSpec, dialect: Dialect) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = tool.parameters or {"type": "object", "properties": {}}
    if tool.strict is not None and "strict" not in dialect.refuses:
        function["strict"] = tool.strict
    return {"type": "function", "function": function}


def _choice(choice: ToolChoice) -> Any:
    if choice.mode == "tool":
        return {"type": "function", "function": {"name": choice.name}}
    return choice.mode
