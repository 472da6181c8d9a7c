"""A user whose requests come all at once, and another one, who must not wait behind them."""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from tests.counts import counts
from tests.engine.conftest import Serve
from tests.processes import Process

from prosa.transport.identity import Identity

pytestmark = pytest.mark.slow

SECRET, OTHERS = ("a-secret-of-more-than-thirty-two-bytes-" + name for name in ("ours", "others"))
SEND = "/api/chat/send"
HEALTH = b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n"
UPGRADE = (
    "upgrade: websocket\r\nconnection: upgrade\r\n"
    "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-version: 13\r\n"
)


def authorization(user: str, secret: str = SECRET) -> str:
    token = Identity(secret, "c").sign({"sub": user, "exp": int(time.time()) + 600})
    return f"authorization: Bearer {token}\r\n"


def get(path: str, headers: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n".encode()


def post(path: str, headers: str, **body: object) -> bytes:
    data = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\n{headers}content-length: {len(data)}\r\n"
    return f"{head}content-type: application/json\r\n\r\n".encode() + data


class Caller:
    """A connection that the server knows already: it has answered on it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self, request: bytes) -> bytes:
        """The body of an answer that is not a stream."""
        self.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
        return await self._reader.readexactly(int(length.partition(b":")[2]))

    def write(self, request: bytes) -> None:
        self._writer.write(request)

    async def status(self) -> int:
        """Of the next answer, once it has begun."""
        return int((await self._reader.readline()).split()[1])


@asynccontextmanager
async def caller(process: Process) -> AsyncIterator[Caller]:
    host, port = process.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    one = Caller(reader, writer)
    await one.ask(HEALTH)
    yield one
    writer.transport.abort()


async def before(process: Process, flood: Sequence[bytes], other: bytes) -> list[int]:
    """The statuses of those of the flood that were answered before the other one, who came last. The server
    stands still until all have asked: then they have come at once, however slow this machine is."""
    async with AsyncExitStack() as stack:
        opened = await asyncio.gather(
            *(stack.enter_async_context(caller(process)) for _ in range(len(flood) + 1))
        )
        answered: list[int] = []

        async def noted(one: Caller) -> None:
            answered.append(await one.status())

        process.signal(signal.SIGSTOP)
        try:
            for one, request in zip(opened, (*flood, other), strict=True):
                one.write(request)
        finally:
            process.signal(signal.SIGCONT)
        rest = [asyncio.create_task(noted(one)) for one in opened[:-1]]
        async with asyncio.timeout(60):
            assert await opened[-1].status() == 200
            seen = list(answered)
            await asyncio.gather(*rest)
        return seen


@pytest.mark.alone
@pytest.mark.hostile(66)
@pytest.mark.parametrize("kind", ["runs", "reads", "sockets", "tokens"])
async def test_another_user_is_not_behind_a_flood(serve: Serve, kind: str) -> None:
    process, _ = await serve(PROSA_JWT_SECRET=SECRET, PROSA_MAX_SOCKETS_PER_USER="10")
    hers, his = authorization("ana"), authorization("bia")
    async with caller(process) as one:
        made = [
            await one.ask(post("/api/conversations", whose, provider="openai", model="words-1x0"))
            for whose in (hers, his)
        ]
    chat, other_chat = (json.loads(each)["id"] for each in made)
    body = {"conversationId": chat, "content": "Hello", "parentId": None}
    asked, status = {
        "runs": (post(SEND, hers, **body), 200),
        "reads": (get("/api/conversations", hers), 200),
        "sockets": (get(f"/api/websocket/conversations/{chat}", hers + UPGRADE), 101),
        "tokens": (post(SEND, authorization("ana", OTHERS), **body), 401),
    }[kind]
    number = counts(900, 300)
    other = post(SEND, his, **body | {"conversationId": other_chat})
    seen = await before(process, [asked] * number, other)
    assert set(seen) <= {status}
    assert len(seen) < number / 2, f"{len(seen)} of {number} were answered before"
