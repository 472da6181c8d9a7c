"""The load: turns one after another on so many connections; and what the server used for them."""

import asyncio
import contextlib
import re
import time
from dataclasses import dataclass, field
from typing import cast

from bench import usage
from bench.door import Door

LONGEST_TURN = 60
"""Seconds."""
SETTLES = 0.2
"""Seconds after the last turn in which a server may still write what belongs to it."""

_BETWEEN_CHUNKS = re.compile(rb"\r\n[0-9a-fA-F]+\r\n")


@dataclass
class Round:
    """What came of one burst of load."""

    tokens: int
    turns: int = 0
    failed: int = 0
    cpu: float = 0.0
    """Microseconds of the server's process tree, over the whole round."""
    peak: float = 0.0
    """Megabytes of it, at most."""
    seconds: float = 0.0
    first: list[float] = field(default_factory=list)
    """Milliseconds to the first token, of each turn."""
    trouble: str = ""

    @property
    def per_turn(self) -> float:
        """Microseconds."""
        return self.cpu / max(1, self.turns)

    @property
    def per_token(self) -> float:
        """Microseconds."""
        return self.per_turn / self.tokens


class Caller(asyncio.Protocol):
    """A connection that sends a request and reads the answer to its end."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.came = bytearray()
        self.first = 0.0
        self._ended: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is one, without saying so

    def connection_lost(self, error: Exception | None) -> None:
        del error
        self._end()

    def ask(self, request: bytes) -> "asyncio.Future[None]":
        self.came.clear()
        self.first = 0.0
        self._ended = self._loop.create_future()
        self.transport.write(request)
        return self._ended

    def data_received(self, data: bytes) -> None:
        if not self.first and b"w0 " in data:
            self.first = time.perf_counter()
        self.came += data
        if self.came.endswith(b"\r\n0\r\n\r\n") or not self.came.startswith(b"HTTP/1.1 200"):
            self._end()

    def whole(self, tokens: int) -> bool:
        """Whether the last token came, which may be cut in two by the chunks of the transfer."""
        last = b"w%d " % (tokens - 1)
        return bool(self.first) and (last in self.came or last in _BETWEEN_CHUNKS.sub(b"", self.came))

    def _end(self) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)


async def drive(door: Door, connections: int, turns: int, tokens: int, warm_up: int = 1) -> Round:
    """`turns` on each of `connections` after `warm_up` ones that are not counted."""
    await asyncio.to_thread(door.prepare, connections, warm_up + turns)
    result = Round(tokens)
    callers = [await _connect(door) for _ in range(connections)]
    try:
        await _all(door, callers, range(warm_up), Round(tokens))
        pid = door.process.pid
        began, cpu = time.perf_counter(), usage.cpu(pid)
        result.peak = usage.memory(pid)
        watch = asyncio.create_task(_watch(pid, result))
        await _all(door, callers, range(warm_up, warm_up + turns), result)
        result.seconds = time.perf_counter() - began
        await asyncio.sleep(SETTLES)
        watch.cancel()
        result.cpu = usage.cpu(pid) - cpu
        result.peak = max(result.peak, usage.memory(pid))
    finally:
        for caller in callers:
            caller.transport.abort()
    return result


async def _connect(door: Door) -> Caller:
    loop = asyncio.get_running_loop()
    return (await loop.create_connection(Caller, "127.0.0.1", door.process.port))[1]


async def _all(door: Door, callers: list[Caller], turns: range, result: Round) -> None:
    await asyncio.gather(*(_turns(door, callers, number, turns, result) for number in range(len(callers))))


async def _turns(door: Door, callers: list[Caller], number: int, turns: range, result: Round) -> None:
    for turn in turns:
        caller = callers[number]
        began = time.perf_counter()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(caller.ask(door.request(number, turn)), LONGEST_TURN)
        if caller.whole(result.tokens):
            result.turns += 1
            result.first.append(1_000 * (caller.first - began))
        else:
            result.failed += 1
            result.trouble = caller.came[-300:].decode(errors="replace")
            caller.transport.abort()
            callers[number] = await _connect(door)


async def _watch(pid: int, result: Round) -> None:
    while True:
        await asyncio.sleep(0.5)
        result.peak = max(result.peak, usage.memory(pid))
