"""A house that listens in a thread of its own, for callers that block."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from tests.wire.house import House, furnished


class Served:
    """`with Served(folder) as served`: then `url` answers, and `house` is the house."""

    house: House
    url: str

    def __init__(self, folder: Path, **settings: Any) -> None:
        self._folder = folder
        self._settings = settings
        self._up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    async def _serve(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        async with (
            furnished(self._folder, **self._settings) as self.house,
            self.house.listening() as self.url,
        ):
            self._up.set()
            await self._end.wait()

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._up.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        self.soon(self._end.set)
        self._thread.join(20)

    def soon(self, work: Callable[[], object]) -> None:
        """In the loop of the house."""
        self._loop.call_soon_threadsafe(work)
