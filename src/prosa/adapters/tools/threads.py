"""Runs blocking functions in threads of their own, as many at once as a tool may have."""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

MOST = 16
"""Threads at once for one tool. One that never ends keeps its place, so that a thousand can't pile up."""


class Threads:
    def __init__(self, name: str, most: int = MOST) -> None:
        self._name = name
        self._free = asyncio.Semaphore(most)

    async def run(self, function: Callable[[], Any]) -> Any:
        """What `function` returns or raises. Who stops waiting leaves the thread to itself."""
        await self._free.acquire()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[tuple[Any, Exception | None]] = loop.create_future()
        context = contextvars.copy_context()

        def settle(value: Any, error: Exception | None) -> None:
            self._free.release()
            if not done.done():
                done.set_result((value, error))

        def work() -> None:
            value: Any = None
            error: Exception | None = None
            try:
                value = context.run(function)
            except Exception as raised:  # noqa: BLE001 - it belongs to who waits, not to the thread
                error = raised
            except BaseException as raised:  # noqa: BLE001 - sys.exit() in a tool is no reason to end the server
                error = RuntimeError(f"the function raised {type(raised).__name__}")
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(settle, value, error)

        # Not the loop's executor: its threads keep a process from ending, and name lookups wait for them.
        threading.Thread(target=work, name=f"tool-{self._name}", daemon=True).start()
        value, error = await done
        if error is not None:
            raise error
        return value
