"""Reads JSON that is nearly right: the slow way, taken only where the fast one has refused."""

import json
from typing import Any, TypeVar

import msgspec

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec's decoder raises on JSON that is broken, or of another shape than it expects."""

T = TypeVar("T")


class Unreadable(ValueError):
    """The bytes are no JSON of the expected shape, even with good will."""


def reread(data: bytes, shape: type[T]) -> T:
    """Reads JSON with lone surrogates, control characters, huge numbers or bad UTF-8 (then U+FFFD) in it."""
    try:
        return msgspec.convert(json.loads(data.decode("utf-8", "replace"), strict=False), shape)
    except (ValueError, RecursionError):
        raise Unreadable from None


def loose(data: bytes) -> Any:
    """Any JSON value, or None where there is none."""
    try:
        return reread(data, object)
    except Unreadable:
        return None
