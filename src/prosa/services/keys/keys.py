"""Providers' keys as the operator manages them: added, listed, replaced, retired, all without a restart."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from msgspec import Struct

from prosa.domain.alerts import Trouble
from prosa.domain.audit import deed
from prosa.domain.errors import (
    InvalidRequest,
    MisconfiguredError,
    NoSuchProvider,
    ProviderError,
    ProviderNotConfigured,
    SealBroken,
    StoreUnavailable,
)
from prosa.domain.ids import new_id
from prosa.domain.keys import (
    LONGEST,
    KeyState,
    KeyUse,
    ProviderKey,
    StoredKey,
    hint_of,
    place_of,
)
from prosa.domain.principal import Principal
from prosa.domain.time import SECOND, Instant, now
from prosa.kit.log import log
from prosa.ports.keys import Vault
from prosa.ports.models import ChatModel
from prosa.ports.store import Store
from prosa.services.audit import Audit
from prosa.services.keys.feed import Build, Feed
from prosa.services.keys.masters import Masters
from prosa.services.models.keyring import Key, KeyRing

SPAN = 30 * 86_400 * SECOND
"""How far back a list of keys counts what was spent with each."""

UNREADABLE = SealBroken.code


class ListedKey(Struct, frozen=True):
    """A key, what was spent with it in the last 30 days, and when it was last used."""

    key: ProviderKey
    use: KeyUse
    last_used_at: Instant | None


class Keys:
    """`by` is who asks: the audit log has it."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store = store
        self._vault = vault
        self.masters = Masters(store, vault)
        self._audit = Audit(store)
        self._feeds: dict[str, Feed] = {}
        self._filling = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self.listeners: list[Callable[[Trouble], None]] = []
        """Those who are told of keys that are set aside and of models that are left alone, here."""

    def ring(self, provider: str, build: Build, own: ChatModel | None) -> KeyRing:
        """A ring that is fed from now on; `own` speaks with the key of the environment."""
        ring = KeyRing(provider, [] if own is None else [Key(None, own)], told=self._told)
        ring.troubled = self._troubled
        self._feeds[provider] = Feed(ring, build, own)
        return ring

    @property
    def providers(self) -> list[str]:
        """Those that take keys."""
        return list(self._feeds)

    async def open(self) -> None:
        """Ends a rotation of the master key that was broken off, and fills the rings. Raises
        MisconfiguredError where the stored keys were sealed under another master key: then nothing was
        written."""
        await self.masters.check()
        await self.masters.resume()
        await self.refresh()

    async def close(self) -> None:
        """Waits for what is being put down. The rings are closed by the models over them."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def heard(self) -> None:
        """Another node changed keys, or may have."""
        self._later(self.refresh())

    async def list(self, *, by: Principal) -> list[ListedKey]:
        """In the order in which they were added, retired ones too."""
        await self._audit.note(by, "admin.keys.read")
        stored = await self._store.keys.all()
        used = await self._store.keys.used(Instant(now() - SPAN))
        return [ListedKey(each.key, *used.get(each.key.id, (KeyUse(), None))) for each in stored]

    async def add(self, provider: str, secret: str, *, label: str, weight: int, by: Principal) -> ListedKey:
        """Raises NoSuchProvider, InvalidRequest (no key looks like that), MisconfiguredError (there is no
        master key, or another one than the stored keys')."""
        key = ProviderKey(
            id=new_id(),
            provider=provider,
            label=label,
            weight=weight,
            state=KeyState.ACTIVE,
            reason=None,
            hint=hint_of(secret),
            created_at=now(),
        )
        await self._checked(provider, secret)
        async with self.masters.held():
            noted = deed(by, "key.add", _target(key.id), {"provider": provider})
            await self._store.keys.add(key, await self.masters.seal(place_of(key), secret), noted)
        log.info("provider_key_added", key=key.id, provider=provider, by=by.actor)
        await self.refresh()
        return ListedKey(key, KeyUse(), None)

    async def rotate(self, key_id: str, secret: str, *, by: Principal) -> ListedKey:
        """A new key takes the place of this one, which serves until the new one is in and then only those
        who speak with it already. Raises KeyNotFound, KeyRetired, and what `add` raises."""
        before = (await self._store.keys.get(key_id)).key
        key = ProviderKey(
            id=new_id(),
            provider=before.provider,
            label=before.label,
            weight=before.weight,
            state=KeyState.ACTIVE,
            reason=None,
            hint=hint_of(secret),
            created_at=now(),
        )
        await self._checked(before.provider, secret)
        async with self.masters.held():
            noted = deed(by, "key.rotate", _target(key.id), {"provider": key.provider, "before": key_id})
            await self._store.keys.replace(key_id, key, await self.masters.seal(place_of(key), secret), noted)
        log.info("provider_key_rotated", key=key.id, before=key_id, provider=key.provider, by=by.actor)
        await self.refresh()
        return ListedKey(key, KeyUse(), None)

    async def retire(self, key_id: str, *, by: Principal) -> None:
        """Takes it out of use and deletes its secret. Raises KeyNotFound."""
        await self._store.keys.retire(key_id, now(), deed(by, "key.retire", _target(key_id), {}))
        log.info("provider_key_retired", key=key_id, by=by.actor)
        await self.refresh()

    async def rotate_master(self, *, by: Principal) -> int:
        """Seals all keys anew; how many. Raises MisconfiguredError."""
        log.info("master_key_rotation", by=by.actor)
        await self._audit.note(by, "master.rotate")
        return await self.masters.rotate()

    async def refresh(self) -> None:
        """Fills the rings with what the store has now. Raises StoreUnavailable."""
        async with self._filling:
            stored = [each for each in await self._store.keys.all() if each.sealed is not None]
            for provider, feed in self._feeds.items():
                mine = [each for each in stored if each.key.provider == provider]
                for key_id in await feed.fill(mine, self._open):
                    await self._store.keys.set_aside(key_id, UNREADABLE, now())

    async def _open(self, stored: StoredKey) -> str:
        assert stored.sealed is not None
        return await asyncio.to_thread(self._vault.open, stored.sealed, place_of(stored.key))

    async def _checked(self, provider: str, secret: str) -> None:
        """Raises NoSuchProvider, InvalidRequest, MisconfiguredError."""
        feed = self._feeds.get(provider)
        if feed is None:
            raise NoSuchProvider(provider, known=", ".join(self.providers))
        if not (
            0 < len(secret) <= LONGEST and secret.isascii() and secret.isprintable() and " " not in secret
        ):
            raise InvalidRequest(
                "the key is empty, too long, or has characters that no key has. Copy it again."
            )
        try:
            await (await feed.made(secret)).close()
        except ProviderNotConfigured as error:  # such as an address that is missing
            raise MisconfiguredError(str(error)) from None

    def _troubled(self, trouble: Trouble) -> None:
        for listener in self.listeners:
            listener(trouble)

    def _told(self, key_id: str | None, error: ProviderError | None) -> None:
        """A ring has set a key aside, or (without an error) found that it works again."""
        if key_id is not None:
            self._later(self._put_down(key_id, error))

    async def _put_down(self, key_id: str, error: ProviderError | None) -> None:
        if error is None:
            await self._store.keys.restore(key_id)
        else:
            await self._store.keys.set_aside(key_id, error.code, now())

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(_attempt(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _target(key_id: str) -> str:
    return f"provider_key:{key_id}"


async def _attempt(work: Coroutine[Any, Any, None]) -> None:
    """Nobody waits for it; when the store is back, the next change brings all up to date."""
    try:
        await work
    except StoreUnavailable:
        log.warning("provider_keys_not_up_to_date")
