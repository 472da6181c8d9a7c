"""How alike two texts are, by their vectors."""

import sys
from array import array
from collections.abc import Sequence
from heapq import nsmallest
from math import hypot
from operator import mul
from typing import NamedTuple

from prosa.domain.answers import Question

EXACTLY = 8
"""So many vectors at least are compared in full: those whose numbers have the most signs in common with
another's, which is told ten times as fast, and all that have as many. Where no number is negative that is
each of them."""

SIZE = 4
"""Bytes of a number."""

TOP = SIZE - 1 if sys.byteorder == "little" else 0
"""Which of them has its sign."""


class Likest(NamedTuple):
    id: str
    likeness: float


def packed(vector: Sequence[float]) -> bytes:
    """As 32-bit floats, of length 1; nothing of a vector without a direction (one that is too short to have
    its digits has none)."""
    length = hypot(*vector)
    return array("f", (each / length for each in vector)).tobytes() if length >= sys.float_info.min else b""


def cosine(one: bytes, other: bytes) -> float:
    """From -1 to 1, of two packed vectors; 0 where they can't be compared."""
    if len(one) != len(other):
        return 0.0
    left, right = array("f"), array("f")
    left.frombytes(one)
    right.frombytes(other)
    return float(sum(map(mul, left, right)))


def nearest(vector: bytes, others: Sequence[Question]) -> Likest | None:
    """The one whose vector has the greatest cosine with this packed one; None of none. (Of several that are
    about as near it may be any.)"""
    signs, every = _signs(vector), int.from_bytes(b"\x80" * (len(vector) // SIZE))
    alike = [each for each in others if len(each.vector) == len(vector)]
    apart = [((signs ^ _signs(each.vector)) & every).bit_count() for each in alike]
    most = max(nsmallest(EXACTLY, apart), default=0)
    near = (each for each, signs_apart in zip(alike, apart, strict=True) if signs_apart <= most)
    found = (Likest(each.id, cosine(vector, each.vector)) for each in near)
    return max(found, key=lambda each: each.likeness, default=None)


def _signs(vector: bytes) -> int:
    """The first bit of each byte is the sign of a number."""
    return int.from_bytes(vector[TOP::SIZE])
