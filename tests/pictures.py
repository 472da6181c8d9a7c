"""Small files of each kind, made by hand: a header that says a size, and whatever after it."""

import struct
import zlib

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int = 2, height: int = 3, *, after: bytes = b"") -> bytes:
    """A whole picture, in grey; `after` is more than it needs."""
    lines = b"\0".join([b"", *[b"\x80" * width] * height]) if width * height < 10_000 else b""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(lines)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body + after


def gif(width: int = 2, height: int = 3) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\x80\0\0" + b"\0" * 40 + b";"


def jpeg(width: int = 2, height: int = 3, *, before: bytes = b"") -> bytes:
    """`before` is segments ahead of the frame."""
    frame = struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\0"
    return b"\xff\xd8" + before + b"\xff\xe0\0\x10JFIF\0" + b"\0" * 9 + b"\xff\xff\xc0" + frame + b"\xff\xd9"


def webp(kind: bytes = b"VP8 ", width: int = 2, height: int = 3) -> bytes:
    match kind:
        case b"VP8 ":
            data = b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height)
        case b"VP8L":
            data = b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14) + b"\0" * 8
        case _:
            data = b"\0" * 4 + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    data += b"\0" * 8
    return b"RIFF" + struct.pack("<I", len(data) + 12) + b"WEBP" + kind + struct.pack("<I", len(data)) + data
