"""The event loop that all parts of the bench run on, and the socket that a part listens on."""

import asyncio
import socket
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """On uvloop where it is installed, as Prosa itself."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(work)
    return uvloop.run(work)


def listening() -> socket.socket:
    """A free port of the loopback; its address is printed, for the process that started this one."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=4_096)
    host, port = listener.getsockname()
    print(f"Listening at http://{host}:{port}/", flush=True)
    return listener
