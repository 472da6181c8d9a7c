"""A provider of the test's own on loopback: plays what it is told, and notices when its caller leaves."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple

import msgspec


class Cut:
    """A step that drops the connection."""


CUT = Cut()
Step = bytes | asyncio.Event | Cut


class Play(NamedTuple):
    """One response, step by step: bytes to send, events to wait for, a cut."""

    steps: tuple[Step, ...] = ()
    status: int = 200
    headers: Mapping[str, str] = {}


class Seen(NamedTuple):
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: Any
    method: str


class Loopback:
    """`heard` is set with the first request, `gone` when a caller hangs up in the middle of a response; the
    plays go round and round."""

    def __init__(self, *plays: Play) -> None:
        self.plays = plays
        self.seen: list[Seen] = []
        self.connections = 0
        self.heard = asyncio.Event()
        self.gone = asyncio.Event()
        self.base = ""
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Loopback"]:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                await self._converse(reader, writer)
        finally:
            writer.transport.abort()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers the requests of one connection, one after the other."""
        lead = b""
        while True:
            await self._hear(reader, lead)
            play = self.plays[(len(self.seen) - 1) % len(self.plays)]
            leaving = asyncio.create_task(reader.read(1))
            try:
                if not await self._play(play, writer, leaving) or not (lead := await leaving):
                    return
            finally:
                leaving.cancel()

    async def _hear(self, reader: asyncio.StreamReader, lead: bytes) -> None:
        head = (lead + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        method, path, _ = first.split(" ")
        self.seen.append(Seen(path, headers, msgspec.json.decode(body) if body else None, method))
        self.heard.set()

    async def _play(self, play: Play, writer: asyncio.StreamWriter, leaving: asyncio.Task[bytes]) -> bool:
        headers = {"transfer-encoding": "chunked", **play.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"HTTP/1.1 {play.status} Status\r\n{lines}\r\n".encode())
        for step in play.steps:
            if isinstance(step, Cut):
                await writer.drain()
                writer.transport.abort()
                return False
            if isinstance(step, bytes):
                writer.write(b"%x\r\n%b\r\n" % (len(step), step) if step else b"")
                await writer.drain()
            elif not await self._wait(step, leaving):
                return False
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    async def _wait(self, gate: asyncio.Event, leaving: asyncio.Task[bytes]) -> bool:
        opened = asyncio.create_task(gate.wait())
        await asyncio.wait({opened, leaving}, return_when=asyncio.FIRST_COMPLETED)
        opened.cancel()
        if leaving.done():
            self.gone.set()
        return not leaving.done()
