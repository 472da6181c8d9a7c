"""API keys as callers show them: checked once a minute, remembered by a keyed hash, and dead when revoked."""

import asyncio
import hashlib
import os
import time
from collections import OrderedDict
from collections.abc import Sequence
from weakref import WeakValueDictionary

from prosa.domain.access import AccessBusy, ApiKey, ApiKeyNotFound, hint, read, signer_of
from prosa.domain.errors import NotAuthenticated
from prosa.domain.keys import Sealed
from prosa.domain.time import DAY, SECOND, Instant, now
from prosa.ports.access import Access
from prosa.ports.keys import Vault
from prosa.services.access.secrets import Secrets
from prosa.services.access.standing import Credential, Pass, pass_of
from prosa.services.audit import Audit

REMEMBERED = 60.0
"""Seconds for which a key is not hashed again; a revoked one is forgotten at once."""
MOST_REMEMBERED = 10_000
MOST_SIGNERS = 1_000
MOST_CHECKED = 100
"""At once: who tries keys must not fill the server. Meanwhile those that are known are taken unhashed."""


class Signer:
    """A key that embed tokens are signed with, and its opened secret, which shows in no `repr`."""

    __slots__ = ("credential", "key", "secret")

    def __init__(self, key: ApiKey, secret: str, credential: Credential) -> None:
        self.key = key
        self.secret = secret
        self.credential = credential


class Checks:
    """`uses` is told of each use, for the list of keys."""

    def __init__(self, store: Access, vault: Vault, audit: Audit, uses: dict[str, Instant]) -> None:
        self._store = store
        self._audit = audit
        self._noted: dict[str, Instant] = {}
        self._vault = vault
        self._uses = uses
        self._secrets = Secrets()
        self._salt = os.urandom(32)
        self._passes: OrderedDict[bytes, tuple[Pass, float]] = OrderedDict()
        self._signers: OrderedDict[str, Signer] = OrderedDict()
        self._checking: dict[bytes, asyncio.Task[Pass]] = {}
        self._credentials: WeakValueDictionary[str, Credential] = WeakValueDictionary()

    def seen(self, text: str) -> Pass | None:
        """What this key was good for when it was checked last."""
        known = self._passes.get(self._digest(text))
        return None if known is None else known[0]

    async def admit(self, text: str) -> Pass:
        """Whose key this is. Raises NotAuthenticated, AccessBusy, StoreUnavailable."""
        digest = self._digest(text)
        known = self._passes.get(digest)
        if known is not None:
            given, until = known
            fresh = until > time.monotonic() or len(self._checking) >= MOST_CHECKED
            if given.credential is not None and given.credential.good and fresh:
                self._uses[given.credential.key_id] = now()
                return given
            del self._passes[digest]
        found = read(text)
        if found is None:
            raise NotAuthenticated
        task = self._checking.get(digest)
        if task is None:
            if len(self._checking) >= MOST_CHECKED:
                raise AccessBusy
            task = asyncio.get_running_loop().create_task(self._check(digest, *found))
            self._checking[digest] = task
            task.add_done_callback(lambda _: self._checking.pop(digest, None))
        return await asyncio.shield(task)

    async def signer(self, kid: str) -> Signer:
        """The key that a token names. Raises NotAuthenticated, StoreUnavailable, and where its secret can't
        be opened SealBroken."""
        known = self._signers.get(kid)
        if known is not None and known.credential.good and known.key.good(now()):
            self._uses[known.key.id] = now()
            return known
        self._signers.pop(kid, None)
        key_id = signer_of(kid)
        if key_id is None:
            raise NotAuthenticated
        credential = self._credential(key_id)
        key, _, sealed = await self._stored(key_id)
        if sealed is None:
            raise NotAuthenticated
        secret = await asyncio.to_thread(self._vault.open, sealed, key.place)
        signer = self._signers[kid] = Signer(key, secret, credential)
        if len(self._signers) > MOST_SIGNERS:
            self._signers.popitem(last=False)
        self._uses[key.id] = now()
        return signer

    async def refresh(self, key_ids: Sequence[str] = ()) -> None:
        """Reads again which of the keys that are in use (all, or those named) were revoked. Raises
        StoreUnavailable."""
        used = [each for each in key_ids or list(self._credentials) if each in self._credentials]
        if not used:
            return
        found = {key.id: key for key in await self._store.many(used)}
        for key_id in used:
            credential, key = self._credentials.get(key_id), found.get(key_id)
            if credential is not None and (key is None or key.revoked_at is not None):
                credential.good = False

    async def _check(self, digest: bytes, key_id: str, secret: str) -> Pass:
        credential = self._credential(key_id)  # before the row is read: who revokes it from now on finds it
        key, hashed, _ = await self._stored(key_id)
        if hint(secret) != key.hint:  # a guest knows the ids of keys: his guesses are not worth a hash
            raise NotAuthenticated
        if not await self._secrets.fits(hashed, secret):
            raise NotAuthenticated
        await self._note(key)
        until = float("inf") if key.expires_at is None else key.expires_at / SECOND
        given = pass_of(key.principal, until, credential)
        self._passes[digest] = given, time.monotonic() + REMEMBERED
        if len(self._passes) > MOST_REMEMBERED:
            self._passes.popitem(last=False)
        self._uses[key_id] = now()
        return given

    async def _note(self, key: ApiKey) -> None:
        """Puts down the first use of a day."""
        moment = now()
        if max(key.last_used_at or 0, self._noted.get(key.id, 0)) < moment - moment % DAY:
            self._noted[key.id] = now()
            await self._audit.note(key.principal, "api_key.use", f"api_key:{key.id}")
        if len(self._noted) > MOST_REMEMBERED:
            self._noted.clear()

    def _digest(self, text: str) -> bytes:
        return hashlib.blake2b(text.encode(), key=self._salt, digest_size=16).digest()

    def _credential(self, key_id: str) -> Credential:
        found = self._credentials.get(key_id)
        if found is None:
            found = self._credentials[key_id] = Credential(key_id)
        return found

    async def _stored(self, key_id: str) -> tuple[ApiKey, str, Sealed | None]:
        try:
            stored = await self._store.get(key_id)
        except ApiKeyNotFound:
            raise NotAuthenticated from None
        if not stored.key.good(now()):
            raise NotAuthenticated
        return stored.key, stored.hash, stored.sealed
