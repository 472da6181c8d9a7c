"""Reads Mistral's list of models, and its embeddings."""

from typing import Any

import msgspec
from msgspec import Struct

from prosa.adapters.models.answer import believed
from prosa.adapters.models.mistral.errors import PROVIDER
from prosa.adapters.models.repair import UNREADABLE, Unreadable, reread
from prosa.adapters.models.vectors import embedded, usage_of
from prosa.domain.errors import BrokenStream
from prosa.domain.models import Embeddings, ModelCard


class Card(Struct):
    id: str
    name: str | None = None
    created: Any = None
    max_context_length: Any = None
    owned_by: str | None = None


class Cards(Struct):
    data: list[Card]


class Vector(Struct):
    embedding: tuple[float, ...]
    index: int | None = None


class Vectors(Struct):
    data: list[Vector]
    usage: Any = None


_vectors = msgspec.json.Decoder(Vectors).decode


def cards(body: bytes) -> list[ModelCard]:
    """The models of `GET /v1/models`. Raises `BrokenStream`."""
    try:
        listed = reread(body, Cards).data
    except Unreadable:
        raise BrokenStream(PROVIDER, reason="no list") from None
    return [
        ModelCard(
            card.id,
            name=card.name,
            created=card.created if isinstance(card.created, int) else None,
            window=believed(card.max_context_length) or None,
            owner=card.owned_by,
        )
        for card in listed
    ]


def embeddings(body: bytes, expected: int) -> Embeddings:
    """`expected` vectors in the order of their indexes. Raises `BrokenStream` where there are others."""
    try:
        told = _vectors(body)
    except UNREADABLE:
        raise BrokenStream(PROVIDER, reason="no vectors") from None
    ordered = sorted(told.data, key=lambda vector: vector.index or 0)
    return embedded(PROVIDER, tuple(vector.embedding for vector in ordered), expected, usage_of(told.usage))
