"""Reads the lists of models and the counts of tokens of servers of OpenAI's wire."""

from typing import Any

from prosa.adapters.models.answer import believed
from prosa.adapters.models.openai.errors import complained, midstream
from prosa.adapters.models.repair import loose
from prosa.domain.errors import BrokenStream
from prosa.domain.models import ModelCard

WINDOWS = ("context_length", "context_window", "max_model_len", "max_context_length", "n_ctx")
"""What a model's context is called: by OpenRouter and Together, Groq, vLLM, LM Studio, llama.cpp."""

LATEST = 2**53
"""No time above this is believed."""


def cards(provider: str, body: bytes) -> list[ModelCard]:
    """The models of `{"data": [...]}`, or of a bare list; entries without an id are left out.

    Raises `BrokenStream` where there is no list, and what an error in its place means.
    """
    told = loose(body)
    listed = told if isinstance(told, list) else told.get("data") if isinstance(told, dict) else None
    if complained(told):
        raise midstream(provider, body)
    if not isinstance(listed, list):
        raise BrokenStream(provider, reason="no list")
    return [_card(entry) for entry in listed if isinstance(entry, dict) and _text(entry.get("id"))]


def input_tokens(body: bytes) -> int | None:
    """The count of `{"input_tokens": n}`."""
    told = loose(body)
    return believed(told.get("input_tokens")) if isinstance(told, dict) else None


def _card(entry: dict[str, Any]) -> ModelCard:
    meta = entry.get("meta")
    places = [entry, meta] if isinstance(meta, dict) else [entry]
    windows = (believed(place.get(name)) for place in places for name in WINDOWS)
    return ModelCard(
        id=str(entry["id"]).removeprefix("models/"),
        name=_text(entry.get("display_name")) or _text(entry.get("name")),
        created=_moment(entry.get("created")),
        window=next(filter(None, windows), None),
        owner=_text(entry.get("owned_by")),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _moment(value: object) -> int | None:
    """Seconds since 1970, which llama.cpp and others may leave at zero."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 < value < LATEST else None
