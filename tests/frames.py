"""WebSocket written by hand, frame by frame, for peers who keep to no protocol."""

import asyncio
import base64
import os
import struct
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple, Self

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
LIMIT = 20.0
_TAIL = b"\x00\x00\xff\xff"


class Frame(NamedTuple):
    """`bits` are FIN and the three reserved ones, as they stand in the first byte."""

    bits: int
    opcode: int
    payload: bytes

    @property
    def code(self) -> int | None:
        """Of a close frame."""
        return struct.unpack("!H", self.payload[:2])[0] if len(self.payload) > 1 else None


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    reserved: int = 0,
    masked: bool = True,
    length: int | None = None,
) -> bytes:
    """`reserved` is 4 for RSV1, 2 for RSV2, 1 for RSV3; `length` is a lie about the payload's."""
    size = len(payload) if length is None else length
    first = (0x80 if fin else 0) | reserved << 4 | opcode
    mask = 0x80 if masked else 0
    if size < 126:
        head = struct.pack("!BB", first, mask | size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", first, mask | 126, size)
    else:
        head = struct.pack("!BBQ", first, mask | 127, size)
    if not masked:
        return head + payload
    key = os.urandom(4)
    long = int.from_bytes(payload) ^ int.from_bytes((key * (len(payload) // 4 + 1))[: len(payload)])
    return head + key + long.to_bytes(len(payload))


def close(code: int | None = None, reason: bytes = b"") -> bytes:
    return frame(CLOSE, b"" if code is None else struct.pack("!H", code) + reason)


class Deflate:
    """permessage-deflate as a client has it, with or without the memory of earlier messages."""

    def __init__(self, *, takeover: bool = True) -> None:
        self._takeover = takeover
        self._reset()

    def _reset(self) -> None:
        self._out = zlib.compressobj(wbits=-12)
        self._in = zlib.decompressobj(wbits=-15)

    def pack(self, data: bytes) -> bytes:
        if not self._takeover:
            self._reset()
        return (self._out.compress(data) + self._out.flush(zlib.Z_SYNC_FLUSH)).removesuffix(_TAIL)

    def unpack(self, data: bytes) -> bytes:
        if not self._takeover:
            self._reset()
        return self._in.decompress(data + _TAIL)


class Peer:
    """One connection whose request for a socket was answered with `head`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        self.reader = reader
        self.writer = writer
        self.head = head
        self.status = int(head.split()[1])

    def write(self, *frames: bytes) -> Self:
        self.writer.write(b"".join(frames))
        return self

    async def read(self) -> Frame:
        """The next frame. Raises IncompleteReadError at the end."""
        async with asyncio.timeout(LIMIT):
            first, size = await self.reader.readexactly(2)
            assert size < 128, "a server masks nothing"
            if size == 126:
                (size,) = struct.unpack("!H", await self.reader.readexactly(2))
            elif size == 127:
                (size,) = struct.unpack("!Q", await self.reader.readexactly(8))
            return Frame(first >> 4, first & 15, await self.reader.readexactly(size))

    async def until(self, opcode: int) -> Frame:
        """The next frame of this kind; the others are passed over."""
        while (found := await self.read()).opcode != opcode:
            pass
        return found

    async def said(self) -> bytes:
        """The next text."""
        return (await self.until(TEXT)).payload

    async def end(self) -> int | None:
        """The code of the close frame, then nothing but the end; None where there is no close frame."""
        code = None
        try:
            code = (await self.until(CLOSE)).code
            async with asyncio.timeout(LIMIT):
                assert await self.reader.read() == b""
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        return code


@asynccontextmanager
async def peer(
    url: str, path: str, *headers: str, first: bytes = b"", buffer: int = 2**16
) -> AsyncIterator[Peer]:
    """Asks for a socket at `url`; `first` is written with the request itself."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=buffer)
    key = base64.b64encode(os.urandom(16)).decode()
    asked = (
        f"GET {path} HTTP/1.1", f"Host: {host}:{port}", "Upgrade: websocket", "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", *headers, "", "",
    )  # fmt: skip
    writer.write("\r\n".join(asked).encode() + first)
    try:
        async with asyncio.timeout(LIMIT):
            head = await reader.readuntil(b"\r\n\r\n")
        yield Peer(reader, writer, head.decode("latin-1"))
    finally:
        writer.transport.abort()
