"""Writes a request as Mistral's chat completions take it."""

from typing import Any

import msgspec

from prosa.adapters.models.turns import prepared
from prosa.domain.models import ChatRequest

HOTTEST = 1.5


def encode(request: ChatRequest) -> bytes:
    """The JSON body of `POST {base}/v1/chat/completions`, streamed. Usage comes without being asked for."""
    request = prepared(request)
    messages = [{"role": turn.role, "content": turn.content} for turn in request.turns]
    if request.system is not None:
        messages.insert(0, {"role": "system", "content": request.system})
    body: dict[str, Any] = {
        "model": request.model,
        "messages": messages,
        "max_tokens": request.max_tokens,
        "stream": True,
    }
    if request.temperature is not None:  # others go up to 2, and one setting serves them all
        body["temperature"] = min(request.temperature, HOTTEST)
    return msgspec.json.encode(body)
