"""The common ground of the doors that speak WebSocket: who is calling, messages in and out, and the end.

A close code is 4000 + the status that HTTP would have had for the same error; docs/sockets.md has the table.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import nullcontext
from typing import Any

import msgspec
from msgspec import Struct
from starlette.types import Message, Receive, Scope, Send

from prosa.domain.errors import Forbidden, InvalidRequest, NotAuthenticated, OriginRefused, ProsaError
from prosa.domain.principal import CHAT, Principal
from prosa.kit.log import log
from prosa.services import meters
from prosa.services.access.standing import LOCAL_PASS, Pass, require
from prosa.services.chat import Chat
from prosa.transport.crowd import Crowd
from prosa.transport.errors import status_of
from prosa.transport.frames import CUT
from prosa.transport.identity import Identity, cookie, header
from prosa.transport.identity import told as told_in
from prosa.transport.json import decode
from prosa.transport.operation import Door

SUBPROTOCOL = "prosa"

AUTH_SECONDS = 5.0
"""Seconds that a socket without a token has to send one."""
BEAT = 2.0
"""Seconds between two looks at whether the token still holds."""
SILENCE = 25.0
"""Seconds after which a quiet socket gets a ping that proxies see, too."""
PATIENCE = 30.0
"""Seconds that one send may wait for a reader: then it is dropped."""
PARTING = 2.0
"""The same for the last words."""
LONGEST_REASON = 123
"""Bytes that a close frame has room for."""
MOST_BAD = 10
"""Messages in a row that nobody can read: then the socket is closed."""

_GONE = (OSError, RuntimeError)
"""What the server raises for a connection that is lost, or that it has closed by itself."""
_PING = b'{"type":"ping"}'
_PONG = b'{"type":"pong"}'


class Left(Exception):
    """The other side is gone, or the socket is closed: whoever works for it can stop."""


class Said(Struct, frozen=True):
    """What is common to the messages of all doors."""

    type: str | None = None
    token: str | None = None


class Socket:
    """One socket of a known caller. Whatever is long is done in `spawn`: a socket that is not listened to
    hears no pong, and counts as dead."""

    def __init__(self, door: Door, crowd: Crowd, scope: Scope, receive: Receive, send: Send) -> None:
        self.chat: Chat = door.chat
        self.language = door.language_of(scope)
        self.path: Mapping[str, str] = scope.get("path_params", {})
        self.principal = Principal("")
        self.speaks = SUBPROTOCOL in scope["subprotocols"]
        """Whether the client named our subprotocol: then it knows what plainer clients do not."""
        self._identity: Identity = door.identity
        self._given: Pass = LOCAL_PASS
        self._crowd = crowd
        self._receive = receive
        self._send = send
        self._cut: Callable[[], None] = scope.get("extensions", {}).get(CUT) or (lambda: None)
        self._loop = asyncio.get_running_loop()
        self._spoke = self._loop.time()
        self._over: asyncio.Future[None] = self._loop.create_future()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False
        self._bad = 0

    async def listen(self, form: Any, heed: Callable[[Any], Awaitable[None]]) -> None:
        """Gives `heed` each message, one after the other; ends by raising Left. Where a message is no `form`,
        or `heed` raises a ProsaError, the caller is told."""
        while True:
            raw = await self.receive()
            try:
                await self._crowd.turn(self.principal.user_id)
                if not await self._common(raw):
                    message = decode(raw, form)
                    self._bad = 0
                    await heed(message)
            except InvalidRequest as error:
                self._bad += 1
                if self._bad >= MOST_BAD:
                    raise
                await self.tell(error)
            except ProsaError as error:
                await self.tell(error)

    async def receive(self) -> bytes:
        """The next message. Raises Left."""
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            self._closed = True
            raise Left
        text = message.get("text")
        return message["bytes"] if text is None else text.encode()  # type: ignore[no-any-return]

    async def send(self, *messages: bytes, patience: float | None = None) -> None:
        """Text messages, one after the other. Waits for a reader that is slow, and drops one that is stuck.
        Raises Left."""
        if self._closed:
            raise Left
        self._spoke = self._loop.time()
        try:
            async with asyncio.timeout(patience or PATIENCE):
                for data in messages:
                    await self._send({"type": "websocket.send", "text": data.decode()})
        except TimeoutError as error:
            self.drop()
            raise Left from error
        except _GONE as error:
            raise Left from error

    async def tell(self, error: ProsaError, **more: Any) -> None:
        """Sends the error as a message; the socket stays open. Raises Left."""
        await self.send(told(error, self.language, more))

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Does `work` beside the listening. It ends with the socket; an error that it raises ends the socket,
        a ProsaError is told before."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    async def attend(self, work: Coroutine[Any, Any, None]) -> None:
        """Does `work`, the door's, to its end or the socket's. Raises what it raises, NotAuthenticated once
        the token does not hold any more, and Left."""
        self.spawn(self._watch())
        self.spawn(work).add_done_callback(self._finish)
        try:
            await self._over
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def admit(self, given: Pass | None) -> None:
        """Lets the socket be the caller's whose pass this is; without one, it waits for a message that has
        a token. Raises NotAuthenticated, Suspended, ScopeMissing, Left."""
        if given is None:
            try:
                async with asyncio.timeout(AUTH_SECONDS):
                    said = msgspec.json.decode(await self.receive(), type=Said)
            except (TimeoutError, msgspec.MsgspecError, RecursionError, ValueError) as error:
                raise NotAuthenticated from error
            given = await self._identity.verify(said.token if said.type == "auth" else None)
        principal = self.chat.access.standing.admit(given)
        require(principal, CHAT)
        self.principal, self._given = principal, given

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Safe to repeat. Of the reason a close frame takes the beginning."""
        if self._closed:
            return
        self._closed = True
        short = reason.encode()[:LONGEST_REASON].decode(errors="ignore")
        try:
            async with asyncio.timeout(PARTING):
                await self._send({"type": "websocket.close", "code": code, "reason": short})
        except (TimeoutError, *_GONE):
            self._cut()
        else:
            self._loop.call_later(2 * PARTING, self._cut)  # who does not read does not take its leave

    def drop(self) -> None:
        """Cuts the connection: what waits to be sent is thrown away."""
        self._closed = True
        self._cut()

    async def _common(self, raw: bytes) -> bool:
        """Heeds what is common to all doors. False where the message is the door's. Raises InvalidRequest,
        NotAuthenticated, Forbidden."""
        said = decode(raw, Said)
        if said.type == "auth":
            await self._renew(said.token)
        elif said.type == "ping":
            await self.send(_PONG)
        else:
            return False
        self._bad = 0
        return True

    async def _renew(self, token: str | None) -> None:
        """A newer token of the same caller takes the older one's place."""
        if self._identity.local:
            return
        given = await self._identity.verify(token)
        principal = self.chat.access.standing.admit(given)
        require(principal, CHAT)
        if (principal.user_id, principal.client_id) != (self.principal.user_id, self.principal.client_id):
            raise Forbidden
        self.principal, self._given = principal, given

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(BEAT)
            self.chat.access.standing.check(self._given, self.principal)
            if self._loop.time() - self._spoke >= SILENCE:
                await self.send(_PING)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None and not self._over.done():
            self._over.set_exception(error)

    def _finish(self, _: asyncio.Task[None]) -> None:
        if not self._over.done():
            self._over.set_result(None)


Work = Callable[[Socket], Coroutine[Any, Any, None]]
"""What a door does with a socket: it listens, most often, and returns where there is nothing more to say."""


class SocketDoor(Struct, frozen=True):
    path: str
    work: Work


class SocketEndpoint:
    """One door as an ASGI app. Whose request says enough not to be let in is refused before the upgrade."""

    def __init__(self, door: Door, crowd: Crowd, route: str, work: Work) -> None:
        self.route = route
        self._door = door
        self._crowd = crowd
        self._work = work

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            given = await self._given(scope)
            with self._crowd.unnamed() if given is None else nullcontext():
                socket = await self._accept(scope, receive, send)
                await self._admit(socket, given)
        except ProsaError as error:
            await self._door.refuse(error, scope, send)
            return
        except Left:
            return
        if socket.principal.user_id:
            await self._attend(socket)

    async def _given(self, scope: Scope) -> Pass | None:
        """None for one who may say later who he is. Raises NotAuthenticated, Suspended, OriginRefused,
        ScopeMissing."""
        identity = self._door.identity
        if identity.local:
            return LOCAL_PASS
        token = token_of(scope, identity.cookie)
        if token is None:
            return None
        given = await identity.verify(token)
        require(self._door.chat.access.standing.admit(given), CHAT)
        return given

    async def _accept(self, scope: Scope, receive: Receive, send: Send) -> Socket:
        socket = Socket(self._door, self._crowd, scope, receive, send)
        await receive()  # websocket.connect
        try:
            await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL if socket.speaks else None})
        except _GONE as error:
            raise Left from error
        return socket

    async def _admit(self, socket: Socket, given: Pass | None) -> None:
        try:
            await socket.admit(given)
        except ProsaError as error:
            await _part(socket, error)

    async def _attend(self, socket: Socket) -> None:
        limits = self._door.chat.limits.of(socket.principal)
        try:
            user_id = socket.principal.user_id
            with self._crowd.of(user_id, limits), meters.SOCKETS.track_inprogress():
                async with self._door.chat.limits.places.of(user_id, limits):
                    await socket.attend(self._work(socket))
        except Left:
            await socket.close()
        except ProsaError as error:
            await _part(socket, error)
        except Exception:  # noqa: BLE001 - a socket's edge: the caller gets a sentence, the log the trace
            log.exception("socket_broke")
            await _part(socket, ProsaError())
        else:
            await socket.close()


class Handshake:
    """`send` of a request for a socket, which takes a whole HTTP answer, too: so it is refused as any other.
    A server that can't give one closes instead. `told` is a header of every answer; `code` says how it ended:
    the status of the refusal, the code of our close, 101 where the other side closed."""

    def __init__(self, scope: Scope, send: Send, told: tuple[bytes, bytes]) -> None:
        self.code = 0
        self._able = "websocket.http.response" in scope.get("extensions", {})
        self._send = send
        self._told = told

    async def __call__(self, message: Message) -> None:
        kind = message["type"]
        if kind == "websocket.send":
            await self._send(message)
        elif kind.startswith("http."):
            await self._refuse(kind, message)
        else:
            if kind == "websocket.accept":
                self.code = 101
                message = {**message, "headers": [*message.get("headers", ()), self._told]}
            elif kind == "websocket.close":
                self.code = message.get("code", 1000)
            await self._send(message)

    async def _refuse(self, kind: str, message: Message) -> None:
        start = kind == "http.response.start"
        if start:
            self.code = message["status"]
            message = {**message, "headers": [*message.get("headers", ()), self._told]}
        if self._able:
            await self._send({**message, "type": f"websocket.{kind}"})
        elif start:
            await self._send({"type": "websocket.close", "code": 4000 + message["status"]})


async def _part(socket: Socket, error: ProsaError) -> None:
    """Says why, and closes."""
    try:
        await socket.send(told(error, socket.language), patience=PARTING)
    except Left:
        return
    await socket.close(code_of(error), error.sentence(socket.language))


def code_of(error: ProsaError) -> int:
    """The close code that tells of an error."""
    return 4000 + status_of(type(error))


def told(error: ProsaError, language: str, more: Mapping[str, Any] | None = None) -> bytes:
    """`{"type": "error", "code", "message", "retryable"}` and the details that a caller may read."""
    shown = {name: error.details[name] for name in error.shown if name in error.details}
    body = {
        "type": "error",
        "code": error.code,
        "message": error.sentence(language),
        "retryable": error.retryable,
        **shown,
        **(more or {}),
    }
    return msgspec.json.encode(body)


def token_of(scope: Scope, cookie_name: str) -> str | None:
    """The token of a request for a socket: of the `Authorization` header, a subprotocol `bearer.…`, or the
    cookie. A cookie comes by itself, so its browser must say from where. Raises OriginRefused."""
    token = told_in(scope)
    if token is not None:
        return token
    token = cookie(scope, cookie_name)
    if token is not None and header(scope, b"origin") is None:
        raise OriginRefused
    return token
