"""A stand-in for an OpenAI-compatible provider, cheap enough not to be what is measured.

The model's name says what it does: `mock-100x20` answers `w0 w1 ... w99 `, a token every 20 ms; `mock-100x0`
sends all at once. The answer is the same each time, so that a client can tell whether it got it whole.
"""

import asyncio
import functools
import json
import re
from typing import cast

from bench.loop import listening, run

_LENGTH = re.compile(rb"content-length:\s*(\d+)", re.IGNORECASE)
_MODEL = re.compile(rb'"model"\s*:\s*"mock-(\d+)x(\d+)"')
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_END = b"0\r\n\r\n"
_REFUSAL = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"


@functools.cache
def chunks(tokens: int) -> list[bytes]:
    """The answer's events in OpenAI's form, each an HTTP chunk of its own."""
    usage = {"prompt_tokens": 12, "completion_tokens": tokens, "total_tokens": 12 + tokens}
    events = [
        _event({"role": "assistant", "content": "", "refusal": None}),
        *(_event({"content": f"w{n} "}) for n in range(tokens)),
        _event({}, finish="stop"),
        _event(None, usage=usage),
        b"data: [DONE]\n\n",
    ]
    return [b"%x\r\n%b\r\n" % (len(event), event) for event in events]


def _event(
    delta: dict[str, object] | None, finish: str | None = None, usage: dict[str, int] | None = None
) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    event = {
        "id": "chatcmpl-bench",
        "object": "chat.completion.chunk",
        "created": 1_760_000_000,
        "model": "mock",
        "service_tier": "default",
        "system_fingerprint": "fp_bench",
        "choices": [] if delta is None else [choice],
        "usage": usage,
    }
    return b"data: " + json.dumps(event, separators=(",", ":")).encode() + b"\n\n"


class Provider(asyncio.Protocol):
    """One connection: requests one after another, each answered as its model says."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._came = b""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one, without saying so

    def connection_lost(self, error: Exception | None) -> None:
        del error
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._came += data
        head, ended, rest = self._came.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        needed = int(length[1]) if length is not None else 0
        if ended and len(rest) >= needed:
            self._came = rest[needed:]
            self._answer(rest[:needed])

    def _answer(self, body: bytes) -> None:
        model = _MODEL.search(body)
        if model is None:
            self._transport.write(_REFUSAL)
            return
        tokens, milliseconds = int(model[1]), int(model[2])
        parts = chunks(tokens)
        if not milliseconds:
            self._transport.write(_HEAD + b"".join(parts) + _END)
            return
        self._transport.write(_HEAD + parts[0])
        self._pace(parts, 1, self._loop.time(), milliseconds / 1_000)

    def _pace(self, parts: list[bytes], at: int, due: float, gap: float) -> None:
        if at == len(parts):
            self._transport.write(_END)
            return
        self._transport.write(parts[at])
        due += gap
        self._timer = self._loop.call_at(due, self._pace, parts, at + 1, due, gap)


async def serve() -> None:
    listener = listening()
    server = await asyncio.get_running_loop().create_server(Provider, sock=listener, backlog=4_096)
    await server.serve_forever()


if __name__ == "__main__":
    run(serve())
