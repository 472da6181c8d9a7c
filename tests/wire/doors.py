"""The doors through which one chats, as one thing: a test that takes a `Door` runs over each of them."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any, Protocol

import httpx2
from tests.wire.house import LIMIT, House
from tests.wire.sockets import Line, line

ENDS = ("done", "error")


class Refused(Exception):
    """The door said no. `told` is the error as JSON."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.told = told
        super().__init__(told["code"])

    @property
    def code(self) -> str:
        return self.told["code"]


class Told(Protocol):
    """What one connection tells of one run. `lines` are the events so far, as they were written."""

    lines: list[bytes]

    async def next(self) -> dict[str, Any]:
        """The next event. Raises EOFError after the last."""
        ...

    async def leave(self) -> None:
        """Hangs up, without a word."""
        ...


class Door(Protocol):
    """Connections are open until the test ends, or somebody leaves."""

    name: str

    async def send(self, conversation: str, content: str | None = "Olá!", **fields: Any) -> Told:
        """Raises Refused."""
        ...

    async def send_and_leave(self, conversation: str, content: str) -> None:
        """Says it, and hangs up before anything comes back."""
        ...

    async def resume(self, conversation: str, run: str, after: int) -> Told: ...

    async def stop(self, conversation: str, run: str) -> None: ...


async def rest(told: Told) -> list[dict[str, Any]]:
    """What still comes, to the end."""
    heard = []
    with contextlib.suppress(EOFError):
        while True:
            heard.append(await told.next())
    return heard


async def until_said(told: Told, pieces: int) -> list[dict[str, Any]]:
    """What comes, up to so many pieces of text."""
    heard: list[dict[str, Any]] = []
    while sum("content" in event for event in heard) < pieces:
        heard.append(await told.next())
    return heard


class SseDoor:
    name = "sse"

    def __init__(self, house: House, stack: contextlib.AsyncExitStack) -> None:
        self._house = house
        self._stack = stack
        self._client: httpx2.AsyncClient | None = None

    async def send(self, conversation: str, content: str | None = "Olá!", **fields: Any) -> Told:
        return await self._stream("POST", "/api/chat/send", json=_body(conversation, content, fields))

    async def send_and_leave(self, conversation: str, content: str) -> None:
        port = int(self._house.base_url.rpartition(":")[2])
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        body = json.dumps(_body(conversation, content, {})).encode()
        head = "POST /api/chat/send HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        writer.transport.abort()

    async def resume(self, conversation: str, run: str, after: int) -> Told:
        del conversation
        headers = {"Last-Event-ID": str(after)}
        return await self._stream("GET", f"/api/chat/runs/{run}/events", headers=headers)

    async def stop(self, conversation: str, run: str) -> None:
        del conversation
        assert (await self._house.post(f"/api/chat/runs/{run}/stop")).status_code == 200

    async def _stream(self, method: str, path: str, **options: Any) -> Told:
        if self._client is None:
            self._client = await self._stack.enter_async_context(self._house.client())
        request = self._client.build_request(method, path, **options)
        response = await self._client.send(request, stream=True)
        self._stack.push_async_callback(response.aclose)
        if response.status_code not in (200, 204):
            await response.aread()
            raise Refused(response.json())
        return _SseTold(response)


class _SseTold:
    def __init__(self, response: httpx2.Response) -> None:
        self.lines: list[bytes] = []
        self._response = response
        self._raw = response.aiter_raw()
        self._rest = b""

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(LIMIT):
            while True:
                while b"\n" not in self._rest:
                    try:
                        self._rest += await anext(self._raw)
                    except StopAsyncIteration:
                        raise EOFError from None
                row, _, self._rest = self._rest.partition(b"\n")
                if row.startswith(b"data: "):
                    self.lines.append(row[6:])
                    return json.loads(row[6:])

    async def leave(self) -> None:
        await self._response.aclose()


class SocketDoor:
    name = "socket"

    def __init__(self, house: House, stack: contextlib.AsyncExitStack) -> None:
        self._house = house
        self._stack = stack
        self._names = 0

    async def send(self, conversation: str, content: str | None = "Olá!", **fields: Any) -> Told:
        self._names += 1
        fields = {"clientMessageId": f"door-{self._names}"} | fields
        heard = await self._open(conversation)
        body = _body(None, content, fields)
        await heard.line.say(type="send", **body)
        while True:
            message = await heard.other()
            if message.get("clientMessageId") == fields["clientMessageId"]:
                break
        if message["type"] == "error":
            raise Refused({key: value for key, value in message.items() if key != "clientMessageId"})
        heard.run = message["runId"]
        return heard

    async def send_and_leave(self, conversation: str, content: str) -> None:
        heard = await self._open(conversation)
        await heard.line.say(type="send", content=content)
        heard.line.connection.transport.abort()

    async def resume(self, conversation: str, run: str, after: int) -> Told:
        """Passes over what it has already, as clients do."""
        heard = await self._open(conversation)
        await heard.line.say(type="follow", runId=run, after=after)
        heard.run, heard.after = run, after
        return heard

    async def stop(self, conversation: str, run: str) -> None:
        heard = await self._open(conversation)
        await heard.line.say(type="stop", runId=run)
        async with asyncio.timeout(LIMIT):
            while (await self._house.get(f"/api/chat/runs/{run}")).json()["endedAt"] is None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await heard.leave()

    async def _open(self, conversation: str) -> "_SocketTold":
        path = f"/api/websocket/conversations/{conversation}"
        opened = _SocketTold(await self._stack.enter_async_context(line(self._house, path)))
        first = await opened.other()
        if first["type"] == "error":
            raise Refused(first)
        assert first["type"] == "conversation"
        return opened


class _SocketTold:
    def __init__(self, opened: Line) -> None:
        self.line = opened
        self.lines: list[bytes] = []
        self.run: str | None = None
        self.after = 0
        self._heard: dict[str, list[bytes]] = {}
        self._ended = False

    async def other(self) -> dict[str, Any]:
        """The next message that is no event of a run; those are kept."""
        while True:
            message = await self._hear()
            if "seq" not in message:
                return message

    async def next(self) -> dict[str, Any]:
        assert self.run is not None
        if self._ended:
            raise EOFError
        while True:
            while not self._heard.get(self.run):
                await self._hear()
            event = json.loads(raw := self._heard[self.run].pop(0))
            if event["seq"] > self.after:
                break
        self.lines.append(raw)
        self.after = event["seq"]
        if event.get("type") in ENDS:
            self._ended = True
            await self._nothing_follows()
        return event

    async def leave(self) -> None:
        self.line.connection.transport.abort()

    async def _hear(self) -> dict[str, Any]:
        async with asyncio.timeout(LIMIT):
            raw = await self.line.connection.recv(decode=False)
        message = json.loads(raw)
        if "seq" in message:
            head = b'{"runId":"%b",' % message["runId"].encode()
            assert raw.startswith(head)
            self._heard.setdefault(message["runId"], []).append(b"{" + raw.removeprefix(head))
        return message

    async def _nothing_follows(self) -> None:
        """After its end a run says nothing more but what one has, and passes over."""
        await self.line.say(type="ping")
        while (await self._hear()).get("type") != "pong":
            pass
        left = [json.loads(raw)["seq"] for raw in self._heard.pop(self.run or "", [])]
        assert all(seq <= self.after for seq in left)


def _body(conversation: str | None, content: str | None, fields: dict[str, Any]) -> dict[str, Any]:
    named = {} if conversation is None else {"conversationId": conversation}
    return named | ({} if content is None else {"content": content}) | fields


DOORS = (SseDoor, SocketDoor)


@contextlib.asynccontextmanager
async def opened(kind: type, house: House) -> AsyncIterator[Door]:
    async with contextlib.AsyncExitStack() as stack:
        yield kind(house, stack)
