"""Writes a request as OpenAI's chat completions take it."""

from typing import Any

import msgspec

from prosa.adapters.models.openai.dialect import OPENAI, Dialect
from prosa.adapters.models.turns import prepared
from prosa.domain.models import ChatRequest, Role, Turn


def encode(request: ChatRequest, dialect: Dialect = OPENAI) -> bytes:
    """The JSON body of `POST {base}/chat/completions`, streamed."""
    request = prepared(request)
    system = () if request.system is None else (Turn(Role.SYSTEM, request.system),)
    body: dict[str, Any] = {
        "model": request.model,
        "messages": system + request.turns,  # a turn is written just as the wire wants it
        dialect.cap: request.max_tokens,
        "stream": True,
    }
    if dialect.usage_option:
        body["stream_options"] = {"include_usage": True}
    if request.temperature is not None:  # reasoning models refuse the field, even with its default in it
        body["temperature"] = request.temperature
    return msgspec.json.encode(body)
