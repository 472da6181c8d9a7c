"""API keys and suspensions as people manage them; what they change is heeded at once, on every node."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Literal

from msgspec import Struct

from prosa.domain.access import (
    OWN_SCOPES,
    SCOPES,
    AlreadySuspended,
    ApiKey,
    ApiKeyNotFound,
    Suspension,
    hint,
    new_secret,
    subject_of,
    written,
)
from prosa.domain.errors import Forbidden, InvalidRequest, StoreUnavailable
from prosa.domain.ids import new_id, parse_id
from prosa.domain.principal import EMBED, RESERVED, Principal
from prosa.domain.time import Instant, now
from prosa.kit.log import log
from prosa.kit.pages import from_cursor, to_cursor
from prosa.kit.text import well_formed
from prosa.ports.keys import Vault
from prosa.ports.store import Store
from prosa.services.access.checks import Checks
from prosa.services.access.secrets import Secrets
from prosa.services.access.standing import Standing
from prosa.services.audit import Audit
from prosa.services.keys.masters import Masters

PAUSE = 30.0
"""Seconds between two times at which last uses are put down."""
AGAIN = 2.0
"""Seconds after which what could not be read is tried again."""
LONGEST_NAME = 255


class NewApiKey(Struct, frozen=True):
    """A key to be made: whose, and what for."""

    user_id: str
    client_id: str
    name: str
    scopes: tuple[str, ...]
    expires_at: Instant | None


class Made(Struct, frozen=True):
    """A key as it is shown once: `text`, and where it may sign embed tokens what they are signed with."""

    key: ApiKey
    text: str
    signing_secret: str | None

    def __repr__(self) -> str:  # a trace may show it
        return f"Made({self.key.id!r}, …)"


class Access:
    def __init__(self, store: Store, vault: Vault, audit: Audit, masters: Masters) -> None:
        self._store = store
        self._masters = masters
        self._audit = audit
        self._secrets = Secrets()
        self._reading = asyncio.Lock()
        self.listeners: list[Callable[[], None]] = []
        """Told when others may call than before: somebody may be erased, and must be in no memory either."""
        self._uses: dict[str, Instant] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._flushing: asyncio.Task[None] | None = None
        self.standing = Standing()
        self.checks = Checks(store.access, vault, audit, self._uses)

    async def open(self) -> None:
        """Raises StoreUnavailable."""
        await self.refresh()
        self._flushing = asyncio.get_running_loop().create_task(self._flush_on(), name="prosa-key-uses")

    async def close(self) -> None:
        tasks = [*self._tasks, *([] if self._flushing is None else [self._flushing])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.flush()

    def heard(self, ids: Sequence[str] = ()) -> None:
        """Another node changed keys or suspensions, or may have."""
        self._later(self._catch_up(ids))

    async def refresh(self, key_ids: Sequence[str] = ()) -> None:
        """Heeds what the store says now, and cuts off what may not go on. Raises StoreUnavailable."""
        async with self._reading:  # what was read earlier must not take the place of what was read later
            self.standing.heard(await self._store.access.suspensions())
            await self.checks.refresh(key_ids)
            self.standing.review()
        if not key_ids:
            for listener in self.listeners:
                listener()

    async def flush(self) -> None:
        """Puts down when keys were used."""
        uses = dict(self._uses)
        if not uses:
            return
        self._uses.clear()
        try:
            await self._store.access.used(uses)
        except StoreUnavailable:
            log.warning("api_key_uses_lost", keys=len(uses))

    async def add(self, asked: NewApiKey, by: Principal) -> Made:
        """Raises InvalidRequest, Forbidden (what only an operator may give), TooManyApiKeys, and
        MisconfiguredError where a signing secret can't be sealed."""
        scopes = tuple(scope for scope in SCOPES if scope in asked.scopes)
        if not scopes or set(scopes) != set(asked.scopes):
            raise InvalidRequest(f"scopes must be some of {', '.join(SCOPES)}.")
        if not by.is_operator and (not OWN_SCOPES.issuperset(scopes) or asked.user_id != by.user_id):
            raise Forbidden
        _check_name(asked.user_id, "userId")
        if asked.client_id:
            _check_name(asked.client_id, "clientId")
        if asked.expires_at is not None and asked.expires_at <= now():
            raise InvalidRequest("expiresAt must lie in the future.")
        secret = new_secret()
        key = ApiKey(
            id=new_id(),
            user_id=asked.user_id,
            client_id=asked.client_id,
            name=asked.name,
            hint=hint(secret),
            scopes=scopes,
            created_at=now(),
            created_by=by.user_id,
            expires_at=asked.expires_at,
            limits=by.limits if asked.user_id == by.user_id else None,
        )
        signing = new_secret() if EMBED in scopes else None
        await self._audit.note(
            by, "api_key.add", f"api_key:{key.id}", user=key.user_id, scopes=" ".join(scopes)
        )
        hashed = await self._secrets.hash(secret)
        if signing is None:
            await self._store.access.add(key, hashed, None)
        else:
            async with self._masters.held():
                await self._store.access.add(key, hashed, await self._masters.seal(key.place, signing))
        return Made(key, written(key.id, secret), signing)

    async def look(
        self, by: Principal, user_id: str | None, limit: int, cursor: str | None
    ) -> tuple[list[ApiKey], str | None]:
        """As `page`, for an operator: that they were read is put down."""
        if cursor is None:
            about = "" if user_id is None else subject_of("user", user_id)
            await self._audit.note(by, "admin.api_keys.read", about)
        return await self.page(user_id, limit, cursor)

    async def page(
        self, user_id: str | None, limit: int, cursor: str | None
    ) -> tuple[list[ApiKey], str | None]:
        """The newest first, of one user or of all. Raises InvalidRequest for a cursor that is none."""
        before = None
        if cursor is not None:
            match from_cursor(cursor):
                case [str(last)] if parse_id(last) == last:
                    before = last
                case _:
                    raise InvalidRequest("the cursor is not one that a list gave.")
        found = await self._store.access.page(user_id, limit + 1, before)
        more = len(found) > limit
        return found[:limit], to_cursor(found[limit - 1].id) if more else None

    async def revoke(self, key_id: str, user_id: str | None, by: Principal) -> None:
        """Of this user, or (None) of anybody; what goes on with it is cut off. Raises ApiKeyNotFound."""
        stored = await self._store.access.get(key_id)
        if user_id is not None and stored.key.user_id != user_id:
            raise ApiKeyNotFound
        await self._audit.note(by, "api_key.revoke", f"api_key:{key_id}", user=stored.key.user_id)
        await self._store.access.revoke(key_id, user_id, now())
        await self._catch_up([key_id])

    async def suspensions(self, by: Principal) -> list[Suspension]:
        await self._audit.note(by, "admin.suspensions.read")
        return await self._store.access.suspensions()

    async def suspend(
        self,
        kind: Literal["user", "client"],
        subject: str,
        by: Principal,
        *,
        part: Literal["", "admin"] = "",
        reason: str = "",
    ) -> Suspension:
        """Raises InvalidRequest where somebody would lock himself out, AlreadySuspended where a part would
        take the place of all."""
        if subject == (by.user_id if kind == "user" else by.client_id):
            raise InvalidRequest("you can't suspend yourself: ask another operator, or use the command.")
        made = Suspension(kind, subject, part, reason, now(), by.user_id)
        if part and any(
            each.name == made.name and not each.part for each in await self._store.access.suspensions()
        ):
            raise AlreadySuspended
        await self._audit.note(by, "suspension.add", made.name, only=part or None, reason=reason)
        await self._store.access.suspend(made)
        await self._catch_up(())
        return made

    async def lift(self, kind: Literal["user", "client"], subject: str, by: Principal) -> None:
        """Raises SuspensionNotFound."""
        await self._audit.note(by, "suspension.lift", subject_of(kind, subject))
        await self._store.access.lift(kind, subject)
        await self._catch_up(())

    async def _catch_up(self, ids: Sequence[str]) -> None:
        """`refresh`, until it succeeds: what was decided must not be forgotten."""
        while True:
            try:
                await self.refresh(ids)
            except StoreUnavailable:
                log.warning("access_not_up_to_date")
                await asyncio.sleep(AGAIN)
            else:
                return

    async def _flush_on(self) -> None:
        while True:
            await asyncio.sleep(PAUSE)
            await self.flush()

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _check_name(name: str, field: str) -> None:
    if not 0 < len(name) <= LONGEST_NAME or well_formed(name) != name or name.startswith(RESERVED):
        raise InvalidRequest(
            f"{field} must have 1 to {LONGEST_NAME} characters and not begin with {RESERVED}"
        )
