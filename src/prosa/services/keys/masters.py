"""The master key in use: that it fits what is stored, and how another takes its place whatever happens."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

from msgspec import Struct

from prosa.domain.errors import MisconfiguredError, SealBroken
from prosa.domain.keys import Place, Sealed, place_of
from prosa.kit.log import log
from prosa.ports.keys import Vault
from prosa.ports.store import Store

WRONG = (
    "{number} secrets are sealed under another master key ({names}) than the one that is set or kept "
    "beside the database. Put that one back: in PROSA_SECRET_KEY, or in PROSA_SECRET_KEY_OLD if a rotation "
    "did not end. Nothing was changed."
)


class Kept(Struct, frozen=True):
    """One secret at rest: a provider's key, or what an API key signs with. `reseal` puts another seal in the
    place of this one."""

    place: Place
    sealed: Sealed
    reseal: Callable[[Sealed, Sealed], Awaitable[bool]]


class Masters:
    """Each secret is sealed anew in a transaction of its own, and both master keys open until all are. One
    who is killed midway leaves every one readable, and the next start or call goes on."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store = store
        self._vault = vault
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Between the sealing of a secret and its place in the store no master key goes."""
        async with self._lock:
            yield

    async def seal(self, place: Place, secret: str) -> Sealed:
        """To be put down while `held`. Raises MisconfiguredError."""
        await self.check()
        await asyncio.to_thread(self._vault.prepare)
        return await asyncio.to_thread(self._vault.seal, secret, place)

    async def check(self) -> None:
        """Raises MisconfiguredError unless all stored keys are sealed under master keys at hand."""
        sealed = await self._sealed()
        if not sealed:
            return
        known = await asyncio.to_thread(self._vault.masters)
        strange = [each.sealed for each in sealed if each.sealed.master not in known]
        if strange:
            names = ", ".join(sorted({each.master for each in strange}))
            raise MisconfiguredError(WRONG.format(number=len(strange), names=names))

    async def resume(self) -> None:
        """Ends a rotation that was broken off."""
        sealed = await self._sealed()
        if not sealed:
            return
        current, *others = await asyncio.to_thread(self._vault.masters)
        under = {each.sealed.master for each in sealed}
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
        for each in await self._sealed():
            if each.sealed.master != current and (after := await self._anew(each)) is not None:
                done += await each.reseal(each.sealed, after)
        if all(each.sealed.master == current for each in await self._sealed()):
            await asyncio.to_thread(self._vault.settle)
        log.info("master_key_rotated", keys=done)
        return done

    async def _anew(self, kept: Kept) -> Sealed | None:
        """None for one that does not open; the old master key stays for as long as it is there."""
        try:
            secret = await asyncio.to_thread(self._vault.open, kept.sealed, kept.place)
        except SealBroken:
            log.warning("secret_unreadable", table=kept.place.table, key=kept.place.row)
            return None
        return await asyncio.to_thread(self._vault.seal, secret, kept.place)

    async def _sealed(self) -> list[Kept]:
        keys, access = self._store.keys, self._store.access
        providers = [
            Kept(place_of(each.key), each.sealed, partial(keys.reseal, each.key.id))
            for each in await keys.all()
            if each.sealed is not None
        ]
        signers = [
            Kept(key.place, sealed, partial(access.reseal, key.id)) for key, sealed in await access.sealed()
        ]
        return [*providers, *signers]
