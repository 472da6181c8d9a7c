"""A stand-in for a provider of chat completions on loopback: the model's name says how it behaves.

`words-NxD` says N words, D milliseconds apart, and reports its usage. After a dash, one more word can be wrong
with it: `reset` (the connection is torn down after the words), `silent` (nothing follows them), `undone` (neither
a reason nor `[DONE]`), `broken` (bytes that are no UTF-8), `garbled` (no JSON), `endless` (comments for ever),
`flood` (one line of 200 MB). `status-429` answers with that status, `deaf` with nothing at all. `calls-NAME`
calls the tool NAME for the city in the user's last words, and says what it gave. A key that begins with
`refused-` gets a 401 that quotes it.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

WORDS = re.compile(r"words-(\d+)x(\d+)(?:-(\w+))?")
FLOOD = 200_000_000
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


class Call:
    """One request, with `key` (in lower case). `left` is set when the caller hangs up before the end; `ended`
    when all is over."""

    def __init__(self, body: dict[str, Any], key: str) -> None:
        self.body = body
        self.key = key
        self.model: str = body["model"]
        self.said = 0
        self.reported: tuple[int, int] | None = None
        """The tokens of the prompt and of the answer, once they were told."""
        self.left = asyncio.Event()
        self.ended = asyncio.Event()


class Provider:
    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.base = ""
        self._arrived = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Provider"]:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=1024)
        self.base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def of(self, model: str) -> list[Call]:
        return [call for call in self.calls if call.model == model]

    async def called(self, model: str, seconds: float = 10) -> Call:
        """Waits until somebody has called `model`; that call."""
        async with asyncio.timeout(seconds), self._arrived:
            await self._arrived.wait_for(lambda: bool(self.of(model)))
        return self.of(model)[0]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                    length = int(head.partition("content-length: ")[2].partition("\r")[0])
                    key = head.partition("authorization: bearer ")[2].partition("\r")[0]
                    call = Call(json.loads(await reader.readexactly(length)), key)
                    async with self._arrived:
                        self.calls.append(call)
                        self._arrived.notify_all()
                    await self._answer(call, reader, writer)
        finally:
            writer.transport.abort()

    async def _answer(self, call: Call, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talks until the end, or until the caller hangs up."""
        speaking = asyncio.create_task(speak(call, writer))
        leaving = asyncio.create_task(reader.read(1))  # callers do not send the next request before the end
        try:
            await asyncio.wait({speaking, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not speaking.done():
                call.left.set()
                raise ConnectionResetError
            await speaking
        finally:
            call.ended.set()
            for task in (speaking, leaving):
                task.cancel()
            await asyncio.gather(speaking, leaving, return_exceptions=True)


async def speak(call: Call, writer: asyncio.StreamWriter) -> None:
    if call.key.startswith("refused-"):
        told = {"error": {"message": f"Incorrect API key provided: {call.key}.", "code": "invalid_api_key"}}
        body = json.dumps(told).encode()
        writer.write(b"HTTP/1.1 401 X\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
        return
    if call.model.startswith("status-"):
        body = b'{"error": {"message": "no", "type": "some_error"}}'
        head = f"HTTP/1.1 {call.model.removeprefix('status-')} X\r\ncontent-length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        return
    match = WORDS.search(call.model)
    if call.model.startswith("calls-"):
        await _call(call, writer, call.model.removeprefix("calls-"))
    elif match is None:
        await asyncio.Event().wait()
    else:
        await _say(call, writer, int(match[1]), int(match[2]) / 1_000, match[3])


async def _call(call: Call, writer: asyncio.StreamWriter, name: str) -> None:
    writer.write(HEAD)
    results = [message["content"] for message in call.body["messages"] if message["role"] == "tool"]
    if results:
        _chunk(writer, _event({"content": f"It gave {results[-1]}"}))
    else:
        asked = [message["content"] for message in call.body["messages"] if message["role"] == "user"][-1]
        begun = {"index": 0, "id": "call_1", "type": "function", "function": {"name": name, "arguments": ""}}
        _chunk(writer, _event({"tool_calls": [begun]}))
        for piece in ('{"city"', f": {json.dumps(asked)}", "}"):
            _chunk(writer, _event({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}))
    await _finish(call, writer, "stop" if results else "tool_calls", 5)


async def _finish(call: Call, writer: asyncio.StreamWriter, reason: str, number: int) -> None:
    _chunk(writer, _event({}, reason))
    usage = {"prompt_tokens": 12, "completion_tokens": number, "total_tokens": 12 + number}
    call.reported = (12, number)
    _chunk(writer, b"data: %b\n\n" % json.dumps({"choices": [], "usage": usage}).encode())
    _chunk(writer, b"data: [DONE]\n\n")
    writer.write(b"0\r\n\r\n")
    await writer.drain()


async def _say(
    call: Call, writer: asyncio.StreamWriter, number: int, pause: float, fault: str | None
) -> None:
    writer.write(HEAD)
    loop = asyncio.get_running_loop()
    due = loop.time()
    for place in range(number):
        _chunk(writer, _event({"content": f"w{place} "}))
        call.said += 1
        due += pause
        if pause:
            await asyncio.sleep(due - loop.time())
    await writer.drain()
    if fault is not None:
        await _misbehave(writer, fault)
        return
    await _finish(call, writer, "stop", number)


async def _misbehave(writer: asyncio.StreamWriter, fault: str) -> None:
    if fault == "reset":
        writer.transport.abort()
        raise ConnectionResetError
    if fault == "silent":
        await asyncio.Event().wait()
    if fault == "broken":
        _chunk(
            writer, b'data: {"choices": [{"index": 0, "delta": {"content": "\xff\xc3(\xed\xa0\x80"}}]}\n\n'
        )
    if fault == "garbled":
        _chunk(writer, b'data: {"choices": [{"index": 0, "del\n\n')
    while fault == "endless":
        _chunk(writer, b": still here\n\n" * 100)
        await writer.drain()
        await asyncio.sleep(0.001)
    if fault == "flood":
        block = b"a" * 1_000_000
        for _ in range(FLOOD // len(block)):
            _chunk(writer, block)
            await writer.drain()
    writer.write(b"0\r\n\r\n")
    await writer.drain()


def _event(delta: dict[str, Any], reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return b"data: %b\n\n" % json.dumps({"choices": [choice]}).encode()


def _chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(b"%x\r\n%b\r\n" % (len(data), data))
