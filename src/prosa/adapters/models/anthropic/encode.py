"""Writes a request as Anthropic's messages take it."""

from collections.abc import Iterable
from typing import Any

import msgspec

from prosa.adapters.models.turns import prepared
from prosa.domain.models import ChatRequest, Role, Turn

OPENING = "…"
"""Stands for the user where the assistant spoke first, as a greeting: a user's turn must open."""
HOTTEST = 1.0


def encode(request: ChatRequest) -> bytes:
    """The JSON body of `POST {base}/v1/messages`, streamed."""
    request = prepared(request)
    system = [request.system] if request.system else []
    system += [turn.content for turn in request.turns if turn.role is Role.SYSTEM]
    body: dict[str, Any] = {
        "model": request.model,
        "max_tokens": request.max_tokens,
        "messages": alternating(turn for turn in request.turns if turn.role is not Role.SYSTEM),
        "stream": True,
    }
    if system:
        body["system"] = "\n\n".join(system)
    if request.temperature is not None:  # others go up to 2, and one setting serves them all
        body["temperature"] = min(request.temperature, HOTTEST)
    return msgspec.json.encode(body)


def alternating(turns: Iterable[Turn]) -> list[dict[str, str]]:
    """Neighbours of one role merged, the user first, and no blank at the end of an answer to be continued."""
    messages: list[dict[str, str]] = []
    for turn in turns:
        if messages and messages[-1]["role"] == turn.role:
            messages[-1]["content"] += "\n\n" + turn.content
        else:
            messages.append({"role": turn.role.value, "content": turn.content})
    if not messages or messages[0]["role"] == Role.ASSISTANT:
        messages.insert(0, {"role": Role.USER.value, "content": OPENING})
    if messages[-1]["role"] == Role.ASSISTANT:
        messages[-1]["content"] = messages[-1]["content"].rstrip()
    return messages
