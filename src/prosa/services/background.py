"""Work that runs leave behind: done beside them, one for each key, and ended with the server."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class Background:
    def __init__(self, name: str) -> None:
        self._name = name
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._tasks

    def begin(self, key: str, work: Coroutine[Any, Any, None]) -> None:
        """Does `work`, which raises nothing, from now on."""
        task = asyncio.get_running_loop().create_task(work, name=self._name)
        self._tasks[key] = task
        task.add_done_callback(lambda _: self._tasks.pop(key, None))

    async def drain(self, seconds: float | None) -> None:
        """Gives what goes on `seconds` to be done (None: as long as it takes)."""
        if self._tasks:
            await asyncio.wait(list(self._tasks.values()), timeout=seconds)

    async def close(self) -> None:
        left = list(self._tasks.values())
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
