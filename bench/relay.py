"""A bare relay: an event comes in, an event goes out; no store, no identity.

What a chat server in Python must cost at least, made of the same parts as Prosa: aiohttp's client, msgspec,
Starlette and uvicorn.
"""

import sys
from collections.abc import AsyncIterator

import aiohttp
import msgspec
import uvicorn
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from bench.loop import listening, run


class Delta(msgspec.Struct):
    content: str | None = None


class Choice(msgspec.Struct):
    delta: Delta


class Chunk(msgspec.Struct):
    choices: list[Choice]


_decode = msgspec.json.Decoder(Chunk).decode
_encode = msgspec.json.Encoder().encode


class Relay:
    """An ASGI application that passes every request's body on to `upstream`, and the tokens back."""

    def __init__(self, upstream: str, session: aiohttp.ClientSession) -> None:
        self._upstream = upstream
        self._session = session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await Request(scope, receive).body()
        answer = StreamingResponse(self._tokens(body), media_type="text/event-stream")
        await answer(scope, receive, send)

    async def _tokens(self, body: bytes) -> AsyncIterator[bytes]:
        headers = {"content-type": "application/json"}
        async with self._session.post(self._upstream, data=body, headers=headers) as answer:
            rest = b""
            async for data in answer.content.iter_any():
                *events, rest = (rest + data).split(b"\n\n")
                out = []  # all in one place, without a call: this is the floor
                for event in events:
                    chunk = event[6:]
                    if chunk == b"[DONE]":
                        break
                    choices = _decode(chunk).choices
                    if choices and (text := choices[0].delta.content):
                        out.append(b"data: " + _encode({"content": text}) + b"\n\n")
                if out:
                    yield b"".join(out)


async def serve(upstream: str) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        config = uvicorn.Config(
            Relay(f"{upstream}/v1/chat/completions", session), lifespan="off", log_level="warning"
        )
        await uvicorn.Server(config).serve(sockets=[listening()])


if __name__ == "__main__":
    run(serve(sys.argv[1]))
