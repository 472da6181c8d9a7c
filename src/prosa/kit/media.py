"""What a file is by its first bytes, and how large a picture says that it is. Nothing is decoded."""

from collections.abc import Callable
from typing import BinaryIO

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
    found = _READERS[kind](file)
    return found if found is not None and all(found) else None


def _png(file: BinaryIO) -> Size | None:
    """PNG (W3C, third edition), 11.2.1: IHDR comes first."""
    head = file.read(24)
    if len(head) < 24 or head[12:16] != b"IHDR":  # noqa: PLR2004 - where the header ends
        return None
    return int.from_bytes(head[16:20]), int.from_bytes(head[20:24])


def _gif(file: BinaryIO) -> Size | None:
    """GIF89a, 18: the logical screen."""
    head = file.read(10)
    if len(head) < 10:  # noqa: PLR2004
        return None
    return int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")


def _webp(file: BinaryIO) -> Size | None:
    """RFC 9649, 2.5 to 2.7: lossy, lossless and extended."""
    head = file.read(30)
    if len(head) < 30:  # noqa: PLR2004
        return None
    if head[12:16] == b"VP8 " and head[23:26] == b"\x9d\x01\x2a":
        return int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(head[28:30], "little") & 0x3FFF
    if head[12:16] == b"VP8L" and head[20] == 0x2F:  # noqa: PLR2004
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if head[12:16] == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    return None


def _jpeg(file: BinaryIO) -> Size | None:
    """ITU T.81, B.1 and B.2.2: the first frame header."""
    file.seek(2)
    for _ in range(MOST_SEGMENTS):
        marker = file.read(2)
        if marker == b"\xff\xff":  # a fill byte, and maybe the marker
            file.seek(-1, 1)
            continue
        if len(marker) < 2 or marker[0] != 0xFF:  # noqa: PLR2004
            return None
        code = marker[1]
        if code == 0x01 or 0xD0 <= code <= 0xD7:  # noqa: PLR2004 - markers without a segment
            continue
        head = file.read(7)
        length = int.from_bytes(head[:2])
        if code in (0xD9, 0xDA) or len(head) < 7 or length < 2:  # noqa: PLR2004
            return None
        if 0xC0 <= code <= 0xCF and code not in (0xC4, 0xC8, 0xCC):  # noqa: PLR2004
            return int.from_bytes(head[5:7]), int.from_bytes(head[3:5])
        file.seek(length - 7, 1)
    return None


_READERS: dict[str, Callable[[BinaryIO], Size | None]] = {
    "image/png": _png,
    "image/jpeg": _jpeg,
    "image/gif": _gif,
    "image/webp": _webp,
}
