"""Vectors: whether a response has as many as it should, what they took, and those of several responses."""

from collections.abc import Sequence
from typing import Any

from prosa.adapters.models.answer import counted
from prosa.domain.errors import BrokenStream
from prosa.domain.models import Embeddings, Usage

Vector = tuple[float, ...]


def embedded(
    provider: str, vectors: tuple[Vector, ...], expected: int, usage: Usage | None = None
) -> Embeddings:
    """The vectors of one response. Raises `BrokenStream` where they are not `expected` ones, or not of one
    length, or empty."""
    lengths = {len(vector) for vector in vectors}
    if len(vectors) != expected or len(lengths) != 1 or 0 in lengths:
        raise BrokenStream(provider, reason="not a vector for each text")
    return Embeddings(vectors, usage)


def joined(parts: Sequence[Embeddings]) -> Embeddings:
    """What several requests gave, as if it had been one."""
    usages = [part.usage for part in parts if part.usage is not None]
    vectors = tuple(vector for part in parts for vector in part.vectors)
    return Embeddings(vectors, sum(usages, Usage()) if usages and len(usages) == len(parts) else None)


def usage_of(told: Any) -> Usage | None:
    """The tokens of `{"prompt_tokens": n}`."""
    return counted(told.get("prompt_tokens"), 0) if isinstance(told, dict) else None
