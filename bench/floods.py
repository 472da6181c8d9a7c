"""`python -m bench.floods`: what one user waits for while another one's requests come all at once."""

import argparse
import asyncio
import contextlib
import http.client
import json
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import cast

from bench.door import token
from bench.figures import SECRET
from bench.loop import run
from bench.process import Process, prosa, started
from bench.table import figure

FLOODS = {"runs": 1_000, "sockets": 1_000, "bad tokens": 3_000}
ANSWER, QUICK = "mock-20x20", "mock-3x0"
GAP = 0.05
"""Seconds between two of the other user's requests, whether he got his answers or not."""
QUIET = 2.0
"""Seconds for which nobody else asks."""
STAYS = 1.0
"""Seconds for which a socket that was let in stays."""
SEND = "/api/chat/send"
UPGRADE = (
    "upgrade: websocket\r\nconnection: upgrade\r\n"
    "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-version: 13\r\n"
)

Waits = list[tuple[float, float]]
"""Seconds until an answer began, and of those the server's busy ones."""


class Asking(asyncio.Protocol):
    """A connection of its own for a request. `begun` is when its answer's first event came, or its status
    where it is no stream; `over` its status, or what there is in place of one."""

    def __init__(self, request: bytes) -> None:
        loop = asyncio.get_running_loop()
        self._request = request
        self._came = bytearray()
        self.begun: asyncio.Future[None] = loop.create_future()
        self.over: asyncio.Future[str] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one, without saying so
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._came += data
        if not self.begun.done() and (b'"start"' in self._came or b" 200 " not in self._came[:20]):
            self.begun.set_result(None)
        status = self._came[9:12].decode()
        if b"too_many_sockets" in self._came:
            self._end("refused")
        elif status == "101":
            asyncio.get_running_loop().call_later(STAYS, self._end, status)
        elif status != "200" or self._came.endswith(b"\r\n0\r\n\r\n"):
            self._end(status)

    def connection_lost(self, error: Exception | None) -> None:
        self._end("lost" if error is None else type(error).__name__)

    def _end(self, how: str) -> None:
        for each in (self.begun, self.over):
            if not each.done():
                each.set_result(cast("None", how))
        self._transport.abort()


async def ask(port: int, request: bytes) -> Asking:
    return (await asyncio.get_running_loop().create_connection(lambda: Asking(request), "127.0.0.1", port))[1]


def flood(kind: str, port: int) -> dict[str, int]:
    """All requests at once; how they ended. To be run in a process of its own."""
    hers = authorization("flooder")
    chat = conversation(port, hers)
    if kind == "sockets":
        head = f"GET /api/websocket/conversations/{chat} HTTP/1.1\r\nhost: localhost\r\n{hers}{UPGRADE}\r\n"
        requests = [head.encode()] * FLOODS[kind]
    elif kind == "runs":
        requests = [send(hers, chat, ANSWER)] * FLOODS[kind]
    else:
        strangers = (authorization("x", f"another secret {n}") for n in range(FLOODS[kind]))
        requests = [send(each, chat, ANSWER) for each in strangers]

    async def all_of_them() -> list[str]:
        opened = await asyncio.gather(*(ask(port, request) for request in requests))
        return await asyncio.gather(*(each.over for each in opened))

    ends = run(all_of_them())
    return {how: ends.count(how) for how in sorted(set(ends))}


def authorization(user: str, secret: str = SECRET) -> str:
    return f"authorization: Bearer {token(user, secret)}\r\n"


def send(whose: str, chat: str, model: str) -> bytes:
    """A request for an answer on a branch of its own."""
    body = json.dumps({"conversationId": chat, "content": "Hello", "parentId": None, "model": model})
    head = f"POST {SEND} HTTP/1.1\r\nhost: localhost\r\n{whose}content-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n{body}".encode()


def conversation(port: int, whose: str) -> str:
    name, _, value = whose.strip().partition(": ")
    caller = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    caller.request("POST", "/api/conversations", "{}", {name: value, "content-type": "application/json"})
    made = json.loads(caller.getresponse().read())
    caller.close()
    return str(made["id"])


def busy(server: Process) -> float:
    """Seconds that the server's loop has used."""
    return int(Path(f"/proc/{server.pid}/task/{server.pid}/schedstat").read_text().split()[0]) / 1e9


async def waits(server: Process, request: bytes, until: Callable[[], bool]) -> Waits:
    async def one() -> tuple[float, float]:
        began, used = time.perf_counter(), busy(server)
        asking = await ask(server.port, request)
        await asking.begun
        waited = time.perf_counter() - began, busy(server) - used
        await asking.over
        return waited

    tasks: list[asyncio.Task[tuple[float, float]]] = []
    while not tasks or not until():
        tasks.append(asyncio.create_task(one()))
        await asyncio.sleep(GAP)
    return list(await asyncio.gather(*tasks))


async def measured(kind: str, server: Process, pool: ProcessPoolExecutor, times: int) -> None:
    """Prints a line: alone, then in the flood, so many times in alternation."""
    his = authorization("other")
    request = send(his, conversation(server.port, his), QUICK)
    alone: Waits = []
    meanwhile: Waits = []
    ends: dict[str, int] = {}
    for _ in range(times):
        quiet = asyncio.create_task(asyncio.sleep(QUIET))
        alone += await waits(server, request, quiet.done)
        going = asyncio.get_running_loop().run_in_executor(pool, flood, kind, server.port)
        meanwhile += await waits(server, request, going.done)
        ends = await going
    print(f"{FLOODS[kind]:,} {kind} at once, which ended {ends}; until the other's answer began:")
    for place, what in enumerate(("ms", "ms of the server's loop")):
        before, during = ([1_000 * each[place] for each in some] for some in (alone, meanwhile))
        told = [f"{name} {figure(at(before))} → {figure(at(during))}" for name, at in PLACES]
        print(f"  {', '.join(told)} {what}", flush=True)


PLACES: tuple[tuple[str, Callable[[list[float]], float]], ...] = (
    ("median", statistics.median),
    ("p99", lambda figures: statistics.quantiles(figures, n=100)[-1]),
)


def main() -> None:
    words = argparse.ArgumentParser(prog="bench.floods", description="What others wait for in a flood.")
    words.add_argument("--times", type=int, default=2, help="floods of each kind")
    given = words.parse_args()
    with contextlib.ExitStack() as stack:
        provider = stack.enter_context(started("bench.provider"))
        pool = stack.enter_context(ProcessPoolExecutor(1))
        settings = {
            "PROSA_JWT_SECRET": SECRET,
            "OPENAI_API_KEY": "x",
            "OPENAI_BASE_URL": f"{provider.url}/v1",
            "DEFAULT_AI_PROVIDER": "openai",
            "DEFAULT_AI_MODEL": ANSWER,
        }
        server = stack.enter_context(prosa(settings))
        for kind in FLOODS:
            run(measured(kind, server, pool, given.times))


if __name__ == "__main__":
    main()
