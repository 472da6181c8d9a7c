"""Vectors that several requests gave, and what they took, where providers tell both in the same way."""

from collections.abc import Sequence
from typing import Any

from prosa.adapters.models.answer import counted
from prosa.domain.models import Embeddings, Usage


def joined(parts: Sequence[Embeddings]) -> Embeddings:
    """What several requests gave, as if it had been one."""
    usages = [part.usage for part in parts if part.usage is not None]
    vectors = tuple(vector for part in parts for vector in part.vectors)
    return Embeddings(vectors, sum(usages, Usage()) if usages and len(usages) == len(parts) else None)


def usage_of(told: Any) -> Usage | None:
    """The tokens of `{"prompt_tokens": n}`."""
    return counted(told.get("prompt_tokens"), 0) if isinstance(told, dict) else None
