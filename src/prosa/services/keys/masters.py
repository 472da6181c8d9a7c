"""The master key in use: that it fits what is stored, and how another takes its place whatever happens."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from prosa.domain.errors import MisconfiguredError, SealBroken
from prosa.domain.keys import ProviderKey, Sealed, StoredKey, place_of
from prosa.kit.log import log
from prosa.ports.keys import Vault
from prosa.ports.store import Store

WRONG = (
    "{number} provider keys are sealed under another master key ({names}) than the one that is set or kept "
    "beside the database. Put that one back: in PROSA_SECRET_KEY, or in PROSA_SECRET_KEY_OLD if a rotation "
    "did not end. Nothing was changed."
)


class Masters:
    """Each key is sealed anew in a transaction of its own, and both master keys open until all are: a process
    that is killed midway leaves every key readable, and the next start or call goes on."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store = store
        self._vault = vault
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Between the sealing of a secret and its place in the store no master key goes."""
        async with self._lock:
            yield

    async def seal(self, key: ProviderKey, secret: str) -> Sealed:
        """To be put down while `held`. Raises MisconfiguredError."""
        await self.check()
        await asyncio.to_thread(self._vault.prepare)
        return await asyncio.to_thread(self._vault.seal, secret, place_of(key))

    async def check(self) -> None:
        """Raises MisconfiguredError unless all stored keys are sealed under master keys at hand."""
        sealed = await self._sealed()
        if not sealed:
            return
        known = await asyncio.to_thread(self._vault.masters)
        strange = [master for _, master in sealed if master.master not in known]
        if strange:
            names = ", ".join(sorted({each.master for each in strange}))
            raise MisconfiguredError(WRONG.format(number=len(strange), names=names))

    async def resume(self) -> None:
        """Ends a rotation that was broken off."""
        sealed = await self._sealed()
        if not sealed:
            return
        current, *others = await asyncio.to_thread(self._vault.masters)
        under = {each.master for _, each in sealed}
        if await asyncio.to_thread(self._vault.begun) or (current in under and under & set(others)):
            log.info("master_key_rotation_resumed")
            async with self._lock:
                await self._reseal()

    async def rotate(self) -> int:
        """How many keys were sealed anew. Raises MisconfiguredError."""
        async with self._lock:
            await self.check()
            await asyncio.to_thread(self._vault.prepare)
            await asyncio.to_thread(self._vault.renew)
            return await self._reseal()

    async def _reseal(self) -> int:
        current = (await asyncio.to_thread(self._vault.masters))[0]
        done = 0
        for key, before in await self._sealed():
            if before.master != current and (after := await self._anew(key, before)) is not None:
                done += await self._store.keys.reseal(key.id, before, after)
        if all(sealed.master == current for _, sealed in await self._sealed()):
            await asyncio.to_thread(self._vault.settle)
        log.info("master_key_rotated", keys=done)
        return done

    async def _anew(self, key: ProviderKey, before: Sealed) -> Sealed | None:
        """None for one that does not open; the old master key stays for as long as it is there."""
        place = place_of(key)
        try:
            secret = await asyncio.to_thread(self._vault.open, before, place)
        except SealBroken:
            log.warning("provider_key_unreadable", key=key.id, provider=key.provider)
            return None
        return await asyncio.to_thread(self._vault.seal, secret, place)

    async def _sealed(self) -> list[tuple[ProviderKey, Sealed]]:
        stored: Sequence[StoredKey] = await self._store.keys.all()
        return [(each.key, each.sealed) for each in stored if each.sealed is not None]
