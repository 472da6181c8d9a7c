"""When two requests ask the same: a digest of all that the answer depends on."""

import hashlib
import re
from typing import Any

import msgspec
from msgspec import Struct

from prosa.domain.models import ChatRequest, Role, Turn

_SPACE = re.compile(r"[^\S\n]+")
_LINES = re.compile(r" ?\n[ \n]*")


class Sameness(Struct, frozen=True):
    """Digests: of the whole request, and of all of it but the text of its last turn."""

    key: str
    family: str


def sameness(route: str, request: ChatRequest, vectors: str | None = None) -> Sameness:
    """White space at the ends of lines and in rows does not count; how long the answer may be, neither.
    A family has the vectors of one model."""
    *earlier, last = map(_turn, request.turns) if request.turns else ([],)
    around = [
        route,
        request.model,
        normal(request.system or ""),
        request.temperature,
        request.top_p,
        request.stop,
        request.seed,
        request.tools,
        request.tool_choice,
        request.response_format,
        request.reasoning_effort,
        earlier,
    ]
    return Sameness(_digest([*around, last]), _digest([*around, vectors]))


def question_of(request: ChatRequest) -> str | None:
    """The text of a request that is a single question: no earlier turn, no file, no tool. None for others."""
    if len(request.turns) != 1 or request.tools or request.response_format is not None:
        return None
    (turn,) = request.turns
    return (
        normal(turn.content) if turn.role is Role.USER and not turn.parts and turn.content.strip() else None
    )


def normal(text: str) -> str:
    return _LINES.sub("\n", _SPACE.sub(" ", text)).strip()


def _turn(turn: Turn) -> list[Any]:
    return [turn.role, normal(turn.content), turn.parts]


def _digest(value: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()
