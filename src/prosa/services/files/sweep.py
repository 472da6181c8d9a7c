"""What nobody needs is swept away: files that were never sent, and bytes of which the store knows nothing."""

import asyncio
import contextlib

from prosa.domain.errors import StoreUnavailable
from prosa.domain.time import SECOND, Instant, now
from prosa.kit.log import log
from prosa.ports.files import Blobs, KnownFiles

HOUR = 3_600 * SECOND

UNSENT = 24 * HOUR
"""How long a file waits to be sent."""

GRACE = 600 * SECOND
"""How old bytes are before it is odd that no row tells of them: rows are written right after."""

PAUSE = 3_600.0
"""Seconds between two sweeps."""


class Sweep:
    """May be broken off anywhere, and run on several nodes at once: the next one does the rest."""

    def __init__(self, known: KnownFiles, blobs: Blobs) -> None:
        self._known = known
        self._blobs = blobs
        self._keeper: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Sweeps now, and from now on every hour."""
        self._keeper = asyncio.get_running_loop().create_task(self._keep(), name="prosa-sweep")

    async def close(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)

    async def run(self) -> None:
        """One sweep. Raises StoreUnavailable, FilesUnavailable."""
        moment = now()
        unsent = await self._known.expire(Instant(moment - UNSENT))
        await asyncio.to_thread(self._blobs.remove, unsent)
        before = Instant(moment - GRACE)
        await asyncio.to_thread(self._blobs.clear, before)
        shards = self._blobs.kept(before)
        orphans = 0
        while ids := await asyncio.to_thread(next, shards, None):
            known = await self._known.known(ids)
            lost = [each for each in ids if each not in known]
            await asyncio.to_thread(self._blobs.remove, lost)
            orphans += len(lost)
        if unsent or orphans:
            log.info("files_swept", unsent=len(unsent), orphans=orphans)

    async def _keep(self) -> None:
        while True:
            with contextlib.suppress(StoreUnavailable):  # it may be away for a while; there is no hurry
                await self.run()
            await asyncio.sleep(PAUSE)
