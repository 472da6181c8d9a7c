"""How alike two texts are, by their vectors."""

from array import array
from collections.abc import Sequence
from math import hypot
from operator import mul
from sys import float_info


def packed(vector: Sequence[float]) -> bytes:
    """As 32-bit floats, of length 1; nothing of a vector without a direction (one that is too short to have
    its digits has none)."""
    length = hypot(*vector)
    return array("f", (each / length for each in vector)).tobytes() if length >= float_info.min else b""


def cosine(one: bytes, other: bytes) -> float:
    """From -1 to 1, of two packed vectors; 0 where they can't be compared."""
    if len(one) != len(other):
        return 0.0
    left, right = array("f"), array("f")
    left.frombytes(one)
    right.frombytes(other)
    return float(sum(map(mul, left, right)))
