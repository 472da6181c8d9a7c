"""Reads the list of models that an Ollama server has, and its embeddings."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from prosa.adapters.models.answer import counted
from prosa.adapters.models.ollama.errors import PROVIDER
from prosa.adapters.models.repair import UNREADABLE, Unreadable, reread
from prosa.adapters.models.vectors import embedded
from prosa.domain.errors import BrokenStream
from prosa.domain.models import Embeddings, ModelCard

LIBRARY = "library"
"""Who owns the models whose names tell no owner."""


class Tag(Struct):
    name: str | None = None
    model: str | None = None
    modified_at: str | None = None


class Tags(Struct):
    models: list[Tag] | None


class Vectors(Struct):
    embeddings: list[tuple[float, ...]]
    prompt_eval_count: Any = None


class Vector(Struct):
    """What servers of before `/api/embed` answer."""

    embedding: tuple[float, ...]


_vectors = msgspec.json.Decoder(Vectors).decode
_vector = msgspec.json.Decoder(Vector).decode


def cards(body: bytes) -> list[ModelCard]:
    """The models of `GET /api/tags`; a server without any says null. Raises `BrokenStream`."""
    try:
        listed = reread(body, Tags).models or []
    except Unreadable:
        raise BrokenStream(PROVIDER, reason="no list") from None
    return [card(tag) for tag in listed if tag.model or tag.name]


def card(tag: Tag) -> ModelCard:
    identity = tag.model or tag.name or ""
    *owner, _ = identity.split("/")
    return ModelCard(
        identity, name=tag.name or None, created=moment(tag.modified_at), owner="/".join(owner) or LIBRARY
    )


def moment(told: str | None) -> int | None:
    """Seconds since 1970 of a date in RFC 3339, which has nanoseconds here."""
    try:
        return int(datetime.fromisoformat(told or "").timestamp())
    except ValueError:
        return None


def embeddings(body: bytes, expected: int) -> Embeddings:
    """`expected` vectors. Raises `BrokenStream` where they are not that many."""
    try:
        told = _vectors(body)
    except UNREADABLE:
        raise BrokenStream(PROVIDER, reason="no vectors") from None
    return embedded(PROVIDER, tuple(told.embeddings), expected, counted(told.prompt_eval_count, 0))


def embedding(body: bytes) -> tuple[float, ...]:
    """The one vector of `POST /api/embeddings`. Raises `BrokenStream`."""
    try:
        vector = _vector(body).embedding
    except UNREADABLE:
        raise BrokenStream(PROVIDER, reason="no vector") from None
    if not vector:
        raise BrokenStream(PROVIDER, reason="no vector")
    return vector
