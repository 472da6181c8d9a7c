"""What a file is by its first bytes, and how large a picture says that it is. Nothing is decoded."""

import struct
from collections.abc import Callable
from typing import Any, BinaryIO

HEAD = 32
"""Bytes that `media_type` needs to see."""

MOST_SEGMENTS = 1_000
"""Of a JPEG, fill bytes counted in, before its size must have been told."""

Size = tuple[int, int]
"""Width and height, in pixels."""

_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
)


def media_type(head: bytes) -> str | None:
    """By the first bytes; None where they are of no kind that is known here."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for beginning, kind in _BEGINNINGS if head.startswith(beginning)), None)


def dimensions(kind: str, file: BinaryIO) -> Size | None:
    """What a picture of the media type `kind` says of its size; None where it says nothing."""
    file.seek(0)
    try:
        found = _READERS[kind](file)
    except struct.error:  # it ends too early
        return None
    return found if found is not None and all(found) else None


def _png(file: BinaryIO) -> Size | None:
    """PNG (W3C, third edition), 11.2.1: IHDR comes first."""
    name, width, height = _next(_PNG, file)
    return (width, height) if name == b"IHDR" else None


def _gif(file: BinaryIO) -> Size | None:
    """GIF89a, 18: the logical screen."""
    width, height = _next(_GIF, file)
    return width, height


def _webp(file: BinaryIO) -> Size | None:
    """RFC 9649, 2.5 to 2.7: lossy, lossless and extended."""
    name, data = _next(_WEBP, file)
    if name == b"VP8 " and data[3:6] == b"\x9d\x01\x2a":
        return _little(data[6:8]) & _LOW, _little(data[8:10]) & _LOW
    if name == b"VP8L" and data[:1] == b"\x2f":
        bits = _little(data[1:5])
        return (bits & _LOW) + 1, (bits >> 14 & _LOW) + 1
    if name == b"VP8X":
        return _little(data[4:7]) + 1, _little(data[7:10]) + 1
    return None


def _jpeg(file: BinaryIO) -> Size | None:
    """ITU T.81, B.1 and B.2.2: the first frame header."""
    file.seek(2)
    for _ in range(MOST_SEGMENTS):
        mark, code = _next(_MARKER, file)
        if mark != _MARK:
            return None
        if code == _MARK:  # a fill byte; the next one may be the marker's
            file.seek(-1, 1)
        elif code in _FRAMES:
            height, width = _next(_FRAME, file)
            return width, height
        elif code in _ENDS:
            return None
        elif code not in _BARE:
            (length,) = _next(_LENGTH, file)
            if length < _LENGTH.size:
                return None
            file.seek(length - _LENGTH.size, 1)
    return None


def _next(form: struct.Struct, file: BinaryIO) -> tuple[Any, ...]:
    """Raises struct.error where the file ends before."""
    return form.unpack(file.read(form.size))


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")


_PNG, _GIF, _WEBP = struct.Struct(">12x4sII"), struct.Struct("<6xHH"), struct.Struct("<12x4s4x10s")
_LOW = 0x3FFF
_MARKER, _LENGTH, _FRAME = struct.Struct(">BB"), struct.Struct(">H"), struct.Struct(">3xHH")
_MARK = 0xFF
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BARE = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers without a segment."""
_ENDS = frozenset({0xD9, 0xDA})
"""The picture's end, and its first scan: no size comes after them."""
_READERS: dict[str, Callable[[BinaryIO], Size | None]] = {
    "image/png": _png,
    "image/jpeg": _jpeg,
    "image/gif": _gif,
    "image/webp": _webp,
}
