"""What is done beside all else, quietly and by one node at a time: erasures that broke off are ended, and
what is too old is swept away."""

import asyncio
import time

from prosa.domain.errors import StoreUnavailable
from prosa.kit.log import log
from prosa.services.erasure import Erasing
from prosa.services.retention import Sweeper

PAUSE = 15.0
"""Seconds between two looks."""


BETWEEN = 3_600.0
"""Seconds between two sweeps of what is too old."""


class Housekeeping:
    def __init__(self, erasing: Erasing, sweeper: Sweeper) -> None:
        self._erasing = erasing
        self._sweeper = sweeper
        self._keeper: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Looks now, and from now on again and again."""
        self._keeper = asyncio.get_running_loop().create_task(self._keep(), name="prosa-housekeeping")

    async def close(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)

    async def _keep(self) -> None:
        due = 0.0
        while True:
            try:
                await self._erasing.resume()
                if time.monotonic() >= due:
                    await self._sweeper.sweep()
                    due = time.monotonic() + BETWEEN
            except StoreUnavailable:
                log.warning("housekeeping_waits", reason="the store can't be used at the moment")
            except Exception:  # noqa: BLE001 - a task's edge: the next look must come
                log.exception("housekeeping_broke")
            await asyncio.sleep(PAUSE)
