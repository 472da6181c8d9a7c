"""JSON on its way to a reader that gives up at half of a character: halves become a mark of their own."""

import re

_HALF = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(\\u[dD][c-fC-F][0-9a-fA-F]{2})?|\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\.",
    re.DOTALL,
)
_FIRST_HALF = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}")
_LONE = 6
"""Bytes of an escape that stands alone, and is a half if `_HALF` found it by its digits."""
_PAIR = 2 * _LONE
MARK = rb"\ufffd"


class Escapes:
    """Takes bytes as they come; what may still be a half is held until more is known."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        data = self._held + data
        end = _boundary(data)
        self._held = data[end:]
        return _mended(data[:end])

    def rest(self) -> bytes:
        """What is held when nothing more comes."""
        data, self._held = self._held, b""
        return _mended(data)


def _boundary(data: bytes) -> int:
    """The place up to which `data` can be judged: none of its escapes goes beyond it."""
    end = data.find(b"\\", max(0, len(data) - _PAIR))
    if end < 0:
        return len(data)
    if _FIRST_HALF.fullmatch(data, max(0, end - _LONE), end):
        end -= _LONE
    while end > 0 and data[end - 1 : end] == b"\\":
        end -= 1
    return end


def _mended(data: bytes) -> bytes:
    if b"\\ud" not in data and b"\\uD" not in data:
        return data
    return _HALF.sub(_whole, data)


def _whole(found: re.Match[bytes]) -> bytes:
    return MARK if len(found[0]) == _LONE else found[0]
