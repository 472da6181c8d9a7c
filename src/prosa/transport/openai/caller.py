"""One caller and the stream to him: he may leave, fall silent, or never read."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Send

from prosa.transport.errors import Headers

SILENCE = 15.0
"""Seconds without a word after which a comment says that the answer still comes."""

STUCK = 60.0
"""Seconds that a caller may not read before he counts as gone: the provider waits for him, and bills us."""

_PING = b": ping\n\n"
_HEADERS: Headers = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]

T = TypeVar("T")


class Caller:
    """`begun` says that a stream was begun: from then on nothing can be refused."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self.begun = False
        self._receive = receive
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._gone = asyncio.Event()
        self._writing = 0
        self._spoke = self._loop.time()
        self._ended = False

    async def attend(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` gives. It is cancelled, and its end awaited, where the caller leaves before; then it
        raises ClientDisconnect."""
        task = self._loop.create_task(work)
        watch = self._loop.create_task(self._watch())
        gone = self._loop.create_task(self._gone.wait())
        timer = self._loop.call_later(SILENCE, self._beat)
        try:
            await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise ClientDisconnect
        finally:
            self._ended = True
            timer.cancel()
            await cancelled([task, watch, gone])

    async def write(self, data: bytes) -> None:
        """Whole events, with the headers before the first of them."""
        self._writing += 1
        self._spoke = self._loop.time()
        if not self.begun:
            self.begun = True
            await self._send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await self._send({"type": "http.response.body", "body": data, "more_body": True})
        self._writing -= 1

    async def end(self, data: bytes) -> None:
        """The last events."""
        await self._send({"type": "http.response.body", "body": data})

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._gone.set()

    def _beat(self) -> None:
        if self._ended:
            return
        quiet = self._loop.time() - self._spoke
        if self._writing:
            if quiet >= STUCK:
                self._gone.set()
        elif self.begun and quiet >= SILENCE:
            self._ping = self._loop.create_task(self.write(_PING))
        self._loop.call_later(SILENCE, self._beat)


async def cancelled(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Cancels those of the tasks that go on, and waits until they have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def together(works: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """What all of them give, at once; the first that fails ends the others, and its error is raised."""
    if len(works) == 1:
        return [await works[0]]
    tasks = [asyncio.get_running_loop().create_task(work) for work in works]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        await cancelled(tasks)
