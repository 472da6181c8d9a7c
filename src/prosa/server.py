"""The server process: it listens, owns the signals, and ends without losing an answer."""

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import Callable, Iterator

import uvicorn
from starlette.types import ASGIApp

from prosa.domain.errors import MisconfiguredError, ProsaError
from prosa.kit.log import log
from prosa.services.chat import Chat

COLLECTED = (20_000, 20, 50)
"""When Python's collector looks for cycles: nearly all that a run makes is freed without it, and to look each
700 objects takes a twelfth of a turn."""

SEND_BUFFER = 64 * 1024
"""Bytes that the kernel holds for a reader: one who does not read must not hold more."""

MOST_IN_A_MESSAGE = 2 * 1024 * 1024
"""Bytes of a message of a socket, as of a body, however it was compressed: more is refused with 1009."""

BACKLOG = 2048
ACCEPTS = 4
"""Connections that are taken in a round of the event loop. libuv takes one for each handle that listens: with
one alone, whoever comes anew waits a whole round for each of those who came before him."""
AFTER_DRAIN = 0.5
"""Seconds that open connections get once all runs have ended: then those that nobody reads are cut."""


class Server(uvicorn.Server):
    """uvicorn closes the listener at the first signal and then waits for open streams; Prosa keeps listening,
    so that callers hear 503 instead of nothing, and ends the streams itself."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """A connection that is cut ends its task quietly; uvicorn would tear the task off, with a trace."""
        cut = asyncio.get_running_loop().call_later(AFTER_DRAIN, self._cut)
        await super().shutdown(sockets)
        cut.cancel()

    def _cut(self) -> None:
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(host: str, port: int) -> socket.socket:
    """Raises MisconfiguredError where the address can't be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise MisconfiguredError(
            f"Prosa can't listen on {host}:{port}: {error.strerror}. Set PROSA_PORT or PROSA_HOST."
        ) from error
    listener.listen(BACKLOG)
    listener.setblocking(False)  # noqa: FBT003 - the socket's own signature
    return listener


def configured(app: ASGIApp) -> uvicorn.Config:
    """How uvicorn serves `app`."""
    from prosa.transport.frames import Frames

    return uvicorn.Config(
        app,
        lifespan="off",
        ws=Frames,
        ws_max_size=MOST_IN_A_MESSAGE,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )


async def serve(
    build: Callable[[], ASGIApp], chat: Chat, listener: socket.socket, drain_seconds: float
) -> None:
    """Opens the services, then builds the application: to load it takes a while, in which the embedded model
    starts. Serves until SIGTERM or SIGINT: then new runs are refused, those that go on have `drain_seconds`,
    and the process ends two seconds after that at the latest. SIGHUP reads prosa.toml anew."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, _too_early)
    await chat.open()
    server = Server(configured(build()))
    ending = _Ending(server, chat, drain_seconds)
    loop.add_signal_handler(signal.SIGHUP, _reload, chat)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.begin)
    gc.freeze()  # what stays is not looked through again and again: that would stop the loop for 80 ms
    gc.set_threshold(*COLLECTED)
    try:
        with contextlib.ExitStack() as stack:
            more = [stack.enter_context(listener.dup()) for _ in range(ACCEPTS - 1)]
            await server.serve(sockets=[listener, *more])
    finally:
        await chat.close()


def _too_early() -> None:
    """What is being read for the first time need not be read anew; without this the signal would kill."""


def _reload(chat: Chat) -> None:
    try:
        chat.reload()
    except ProsaError as error:
        log.error("reload_refused", reason=str(error))  # all stays as it was
    else:
        log.info("reloaded", providers=chat.catalogue.providers, routes=list(chat.catalogue.names.routes))


class _Ending:
    """The way out: the first signal drains, the second cuts the drain short."""

    def __init__(self, server: Server, chat: Chat, seconds: float) -> None:
        self._server = server
        self._chat = chat
        self._seconds = seconds
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        if self._task is None:
            log.info("draining", runs=self._chat.engine.running, seconds=self._seconds)
            self._task = asyncio.get_running_loop().create_task(self._drain())
        else:
            self._task.cancel()

    async def _drain(self) -> None:
        try:
            try:
                await self._chat.drain(self._seconds)
            except asyncio.CancelledError:  # the second signal: what goes on still ends as it should
                await self._chat.drain(0)
            await self._chat.settle()
        finally:
            self._server.should_exit = True
