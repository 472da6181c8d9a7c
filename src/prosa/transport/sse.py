"""Runs as Server-Sent Events: the paced form for readers without a buffer, and the numbered one."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Sequence

from msgspec import Struct
from msgspec.structs import replace
from starlette.types import Receive, Send

from prosa.domain.errors import AnswerRestarted
from prosa.domain.events import Error, encode, seq_of
from prosa.services.runs.readers import Reader
from prosa.transport.errors import Headers

MOST_IN_A_WRITE = 2_048
MOST_IN_A_SEND = 65_536
PACE = 0.001
"""Seconds between two writes while more waits: a browser hands them to its reader one by one."""
QUICK = 4
SLOW_PACE = 0.008
"""From the fifth write of a row on: a browser that is busy for a tenth of a second must not find more than
32 KB waiting: there it cuts what it reads, be it within an event. No model is that fast for long."""
SILENCE = 15.0
"""Seconds after which a reader gets a ping, so that no proxy takes the silence for the end."""

_RESET = b'{"type":"reset"'
_PING = b": ping\n\n"
_HEADERS: Headers = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]


def paced_frames(lines: Sequence[bytes]) -> list[bytes]:
    """Whole events, as many in a write as fit into 2 KB."""
    if len(lines) == 1:  # nearly always
        return [b"data: %b\n\n" % lines[0]]
    writes: list[bytes] = []
    write = b""
    for line in lines:
        frame = b"data: %b\n\n" % line
        if write and len(write) + len(frame) > MOST_IN_A_WRITE:
            writes.append(write)
            write = b""
        write += frame
    return [*writes, write]


Write = Callable[["Writing", Sequence[bytes]], Awaitable[None]]


class Form(Struct, frozen=True):
    """How a stream looks: its headers, how it writes lines, and what it says in a silence (None: nothing)."""

    headers: Headers
    write: Write
    ping: bytes | None = None


class Writing:
    """One stream to one reader: it ends with the run, or when the caller leaves.

    The run is not the reader's: whoever leaves changes nothing about it.
    """

    __slots__ = (
        "_began",
        "_broken",
        "_closed",
        "_finished",
        "_loop",
        "_pace",
        "_receive",
        "_row",
        "_send",
        "_sent",
        "_timer",
        "left",
        "reader",
    )

    def __init__(self, reader: Reader, receive: Receive, send: Send) -> None:
        self.reader = reader
        self.left = False
        self._broken = False
        self._closed = False
        self._finished = False
        self._receive = receive
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._sent = 0.0
        self._began = time.perf_counter()
        self._row = 0
        self._pace = PACE
        self._timer = self._loop.call_later(SILENCE, self._beat)

    async def run(self, form: Form, first: Sequence[bytes] = ()) -> None:
        """Writes `first`, then all that the reader gives: in a task of its own, for each of the many frames
        that stand above this one (server, middlewares, routes) would be woken for each token."""
        watch = self._loop.create_task(self._watch())
        try:
            await self._loop.create_task(self._write(form, first))
        finally:
            watch.cancel()
            self._timer.cancel()

    async def _write(self, form: Form, first: Sequence[bytes]) -> None:
        await self._send({"type": "http.response.start", "status": 200, "headers": form.headers})
        if first:
            await form.write(self, first)
        await self._copy(form)

    @property
    def begun(self) -> bool:
        """Whether anything but headers was written."""
        return self._sent > 0

    def hurried(self) -> bool:
        """Whether the next write would come too soon: before `PACE` after the last one, or, after many in a
        row, before `SLOW_PACE`. Then `rest` waits as long."""
        self._row += 1
        self._pace = PACE if self._row <= QUICK else SLOW_PACE
        if time.perf_counter() - self._sent >= self._pace:
            self._row = 0
            return False
        return True

    async def rest(self) -> None:
        while time.perf_counter() - self._sent < self._pace:  # noqa: ASYNC110 - nothing happens but time
            await asyncio.sleep(self._pace)

    def body(self, data: bytes, *, last: bool = False) -> Awaitable[None]:
        """Writes `data`; with the stream's end, where it is the `last` of what was read, and nothing follows:
        a write costs more than what is in it."""
        self._sent = time.perf_counter()  # the loop's own clock stands still within a turn
        self._closed = last and self.reader.ended
        return self._send({"type": "http.response.body", "body": data, "more_body": not self._closed})

    def finish(self) -> None:
        """Lets the stream end properly here, whatever else the reader would give."""
        self._finished = True

    def break_off(self) -> None:
        """Lets the stream end without its proper end, so that the reader sees a broken connection."""
        self._broken = True

    async def _copy(self, form: Form) -> None:
        while not (self.left or self._closed):
            lines = () if self._finished else await self.reader.read()
            if lines:
                await form.write(self, lines)
            elif self.reader.ended or self._finished:
                if not self._broken:
                    await self._send({"type": "http.response.body", "body": b""})
                return
            elif form.ping is not None and not self.left:
                await self.body(form.ping)

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.left = True
        self.reader.wake()

    def _beat(self) -> None:
        quiet = time.perf_counter() - (self._sent or self._began)
        if quiet >= SILENCE:
            self.reader.wake()
            quiet = 0.0
        self._timer = self._loop.call_later(SILENCE - quiet, self._beat)


async def paced(writing: Writing, lines: Sequence[bytes]) -> None:
    """Whole events, 2 KB in a write at most, with a pause between writes while more waits."""
    writes = paced_frames(lines)
    for write in writes:
        if writing.hurried():
            await writing.rest()
        if writing.left:
            return
        await writing.body(write, last=write is writes[-1])


async def numbered(writing: Writing, lines: Sequence[bytes]) -> None:
    """Events with `id:` lines, without pacing: for `EventSource`."""
    frames: list[bytes] = []
    size = 0
    for line in lines:
        frame = b"id: %d\ndata: %b\n\n" % (seq_of(line), line)
        if frames and size + len(frame) > MOST_IN_A_SEND:
            await writing.body(b"".join(frames))
            frames, size = [], 0
            if writing.left:
                return
        frames.append(frame)
        size += len(frame)
    await writing.body(b"".join(frames), last=True)


async def whole(writing: Writing, lines: Sequence[bytes]) -> None:
    """Whole events without numbers, as they come: they are few."""
    await writing.body(b"".join([b"data: %b\n\n" % line for line in lines]), last=True)


def unaware_of_resets(write: Write, language: str) -> Write:
    """`write` for a reader that can't take text back: where an answer begins anew, its stream ends with an
    error of the code `restarted`. The message is whole in the end."""

    def writing_until_reset(writing: Writing, lines: Sequence[bytes]) -> Awaitable[None]:
        for place, line in enumerate(lines):
            if line.startswith(_RESET):
                return ending(writing, lines[:place], seq_of(line))
        return write(writing, lines)

    async def ending(writing: Writing, lines: Sequence[bytes], seq: int) -> None:
        error = AnswerRestarted()
        told = Error(error.code, error.sentence(language), retryable=error.retryable)
        await write(writing, [*lines, encode(told, seq)])
        writing.finish()

    return writing_until_reset


def stream_form(form: Form, accepts: Collection[str], language: str) -> Form:
    """`form` for a reader that says what beside the plain events it accepts."""
    return form if "reset" in accepts else replace(form, write=unaware_of_resets(form.write, language))


PACED = Form(_HEADERS, paced, _PING)
NUMBERED = Form(_HEADERS, numbered, _PING)
WHOLE = Form(_HEADERS, whole, _PING)
