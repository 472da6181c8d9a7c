"""Reads the embeddings of servers of OpenAI's wire."""

import sys
from array import array
from base64 import b64decode
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from prosa.adapters.models.openai.errors import complained, midstream
from prosa.adapters.models.repair import UNREADABLE, loose
from prosa.adapters.models.vectors import embedded, usage_of
from prosa.domain.errors import BrokenStream
from prosa.domain.models import Embeddings


class Entry(Struct):
    embedding: list[float] | str
    index: int | None = None


class Reply(Struct):
    data: list[Entry]
    usage: Any = None


_decode = msgspec.json.Decoder(Reply).decode


def embeddings(provider: str, body: bytes, expected: int, model: str = "") -> Embeddings:
    """`expected` vectors, as lists of numbers or in base64, in the order of their indexes.

    Raises `BrokenStream` where they are not that many or not of one length, and what an error in their place
    means.
    """
    try:
        reply = _decode(body)
        order = sorted(enumerate(reply.data), key=lambda found: _place(*found))
        vectors = tuple(_vector(entry.embedding) for _, entry in order)
    except (*UNREADABLE, ValueError):
        if complained(loose(body)):
            raise midstream(provider, body, model) from None
        raise BrokenStream(provider, reason="no vectors") from None
    return embedded(provider, vectors, expected, usage_of(reply.usage))


def _place(at: int, entry: Entry) -> int:
    return at if entry.index is None else entry.index


def _vector(told: Iterable[float] | str) -> tuple[float, ...]:
    if not isinstance(told, str):
        return tuple(told)
    numbers = array("f")
    numbers.frombytes(b64decode(told, validate=True))
    if sys.byteorder == "big":
        numbers.byteswap()
    return tuple(numbers)
