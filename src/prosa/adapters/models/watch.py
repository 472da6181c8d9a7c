"""Notices when a provider has fallen silent, for the price of two assignments a read."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

from aiohttp import StreamReader


class Watch:
    """While it is entered, a wait that began at `since` and takes more than `limit` seconds ends with what
    `fault` makes.

    One timer lives as long as the watch and looks at the clock when it fires: to set and cancel one for each
    read costs more than to read. Time in which the reader itself is busy does not count.
    """

    def __init__(self, content: StreamReader, limit: float, fault: Callable[[], Exception]) -> None:
        self.limit = limit
        self.since: float | None = None
        self._content = content
        self._fault = fault
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        self._timer = self._loop.call_later(self.limit, self._look)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def limit_to(self, limit: float) -> None:
        self.limit = limit
        self._stop()
        self._timer = self._loop.call_later(limit, self._look)

    def _look(self) -> None:
        waited = 0.0 if self.since is None else self._loop.time() - self.since
        if waited >= self.limit:
            self._content.set_exception(self._fault())
        else:
            self._timer = self._loop.call_later(self.limit - waited, self._look)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
