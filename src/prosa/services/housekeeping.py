"""What is done beside all else, quietly and on one node at a time: erasures that broke off are ended."""

import asyncio

from prosa.domain.errors import StoreUnavailable
from prosa.kit.log import log
from prosa.services.erasure import Erasing

PAUSE = 15.0
"""Seconds between two looks."""


class Housekeeping:
    def __init__(self, erasing: Erasing) -> None:
        self._erasing = erasing
        self._keeper: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Looks now, and from now on again and again."""
        self._keeper = asyncio.get_running_loop().create_task(self._keep(), name="prosa-housekeeping")

    async def close(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)

    async def _keep(self) -> None:
        while True:
            try:
                await self._erasing.resume()
            except StoreUnavailable:
                log.warning("housekeeping_waits", reason="the store can't be used at the moment")
            except Exception:  # noqa: BLE001 - a task's edge: the next look must come
                log.exception("housekeeping_broke")
            await asyncio.sleep(PAUSE)
