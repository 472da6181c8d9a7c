"""Writes a request as Ollama's chat takes it."""

from typing import Any

import msgspec

from prosa.adapters.models.turns import prepared
from prosa.domain.models import ChatRequest


def encode(request: ChatRequest) -> bytes:
    """The JSON body of `POST {base}/api/chat`, streamed."""
    request = prepared(request)
    messages = [{"role": turn.role, "content": turn.content} for turn in request.turns]
    if request.system is not None:
        messages.insert(0, {"role": "system", "content": request.system})
    options: dict[str, Any] = {"num_predict": request.max_tokens}
    if request.temperature is not None:
        options["temperature"] = request.temperature
    body = {"model": request.model, "messages": messages, "stream": True, "options": options}
    return msgspec.json.encode(body)
