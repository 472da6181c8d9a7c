"""A run as the frames of seed 004: `stream` …, then `done` or `error`."""

import asyncio
from collections.abc import Sequence

import msgspec

from prosa.domain.errors import AnswerRestarted, ProsaError
from prosa.domain.events import Done, Error, Event, Reset, decode, seq_of
from prosa.domain.runs import RunStatus
from prosa.domain.tickets import AnswerCutShort
from prosa.services.tickets import Following
from prosa.transport.websocket import Socket, told

CAUGHT_UP = 0.05
"""Seconds without a further line, after which whoever comes late has heard what there is."""

_TEXT = b'{"content":"'
_AFTER_TEXT = b'","seq":'
_WHOLE = frozenset({RunStatus.COMPLETED, RunStatus.CANCELLED})
"""Ends that close a stream with `done`: what was stopped on purpose is no error."""


class Stream:
    """One run told to one socket.

    A client that speaks the subprotocol takes back text after a `reset`. Another can't: where an answer may
    begin anew, what has been written before he came is held back until it is all there, and what was void by
    then is never sent; where it begins anew later, his stream ends with `restarted`.
    """

    def __init__(self, socket: Socket, following: Following) -> None:
        self._socket = socket
        self._run = following.run
        self._reader = following.reader
        self._resets = socket.speaks
        self._holding = not self._resets and self._run.route is not None
        self._held: list[bytes] = []
        self._sent = False

    async def tell(self) -> None:
        """To the end. Raises Left, StoreUnavailable, RunNotFound where the run was deleted."""
        while lines := await self._read():
            if await self._pass_on(lines):
                return
            if self._reader.ended:
                break
        run = await self._socket.chat.tickets.run(self._socket.principal, self._run.id)
        await self._flush()
        if run.status in _WHOLE:
            await self._socket.send(_frame(b"done", self._run.id))
        else:
            await self._socket.tell(AnswerCutShort(), runId=run.id)

    async def _read(self) -> Sequence[bytes]:
        if not self._holding:
            return await self._reader.read()
        reading = asyncio.ensure_future(self._reader.read())
        try:
            await asyncio.wait({reading}, timeout=CAUGHT_UP)
            if not reading.done():
                self._holding = False
                await self._flush()
            return await reading
        finally:
            reading.cancel()

    async def _pass_on(self, lines: Sequence[bytes]) -> bool:
        """Whether that was the end."""
        for line in lines:
            if line.startswith(_TEXT):
                self._held.append(line)
            elif await self._happened(decode(line), seq_of(line)):
                return True
        if not self._holding:
            await self._flush()
        return False

    async def _happened(self, event: Event, seq: int) -> bool:
        """Whether the stream is over with this event."""
        match event:
            case Done(status=status) if RunStatus(status) in _WHOLE:
                await self._end(_frame(b"done", self._run.id, seq))
            case Done():
                await self._fail(AnswerCutShort(), seq)
            case Error(code, message, retryable):
                await self._end(
                    msgspec.json.encode(
                        {"type": "error", "code": code, "message": message, "retryable": retryable,
                         "runId": self._run.id, "seq": seq}
                    )
                )  # fmt: skip
            case Reset() if self._resets:
                await self._flush()
                await self._socket.send(_frame(b"reset", self._run.id, seq))
                return False
            case Reset() if self._sent:
                await self._fail(AnswerRestarted(), seq)
            case Reset():
                self._held = []
                return False
            case _:
                return False
        return True

    async def _fail(self, error: ProsaError, seq: int) -> None:
        await self._end(told(error, self._socket.language, {"runId": self._run.id, "seq": seq}))

    async def _end(self, frame: bytes) -> None:
        await self._flush()
        await self._socket.send(frame)

    async def _flush(self) -> None:
        """What is held, as one frame: pieces that come together go together."""
        if self._held:
            held, self._held = self._held, []
            self._sent = True
            await self._socket.send(_text_frame(held, self._run.id))


def _text_frame(lines: Sequence[bytes], run_id: str) -> bytes:
    """The lines' texts are joined as they are, escaped: nothing is read and written anew."""
    text = b"".join([line[len(_TEXT) : line.rindex(_AFTER_TEXT)] for line in lines])
    return b'{"type":"stream","content":"%b","runId":"%b","seq":%d}' % (
        text,
        run_id.encode(),
        seq_of(lines[-1]),
    )


def _frame(kind: bytes, run_id: str, seq: int | None = None) -> bytes:
    numbered = b"" if seq is None else b',"seq":%d' % seq
    return b'{"type":"%b","runId":"%b"%b}' % (kind, run_id.encode(), numbered)
