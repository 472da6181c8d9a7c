"""API keys and suspensions: the operator's, seen by no principal."""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import bindparam, delete, func, insert, literal, null, or_, select, update
from sqlalchemy.dialects import postgresql

from prosa.adapters.store.session import Session
from prosa.adapters.store.statement import Ask, Ids, Many, Plan, Row, Statement, Tell, among
from prosa.adapters.store.tables import api_keys, erasures, suspensions
from prosa.domain.access import (
    MOST_KEYS,
    ApiKey,
    ApiKeyNotFound,
    StoredApiKey,
    Suspension,
    SuspensionNotFound,
    TooManyApiKeys,
)
from prosa.domain.keys import Sealed
from prosa.domain.limits import Cap
from prosa.domain.principal import COMMAND
from prosa.domain.time import Instant

_k, _s, _e = api_keys.c, suspensions.c, erasures.c
_FIELDS = ApiKey.__struct_fields__
_TOLD = tuple(_k[name] for name in _FIELDS)
_COLUMNS = (*_TOLD, _k.hash, _k.sealed, _k.master)
_this = _k.id == bindparam("key_id")
_of = _k.user_id == bindparam("owner")
_past = _k.id < bindparam("before")
_newest = select(*_TOLD).order_by(_k.id.desc()).limit(bindparam("most"))

_LIVE = Statement(
    select(func.count(_k.id)).where(
        _of, _k.revoked_at.is_(None), or_(_k.expires_at.is_(None), _k.expires_at > bindparam("now"))
    )
)
_ADD = Statement(insert(api_keys).values({column.name: bindparam(column.name) for column in _COLUMNS}))
_ONE = Statement(select(*_COLUMNS).where(_this))
_MANY = Statement(select(*_TOLD).where(among(_k.id, "ids")))
_PAGES = {
    (False, False): Statement(_newest),
    (False, True): Statement(_newest.where(_past)),
    (True, False): Statement(_newest.where(_of)),
    (True, True): Statement(_newest.where(_of, _past)),
}
"""By whether they are of one user, and past one."""
_REVOKE = Statement(
    update(api_keys)
    .where(_this, _k.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"), sealed=null(), master=null())
)
_USED = Statement(
    update(api_keys)
    .where(_this, or_(_k.last_used_at.is_(None), _k.last_used_at < bindparam("at")))
    .values(last_used_at=bindparam("at"))
)
_SEALED = Statement(select(*_COLUMNS).where(_k.sealed.is_not(None)).order_by(_k.id))
_RESEAL = Statement(
    update(api_keys)
    .where(_this, _k.sealed == bindparam("old_sealed"), _k.master == bindparam("old_master"))
    .values(sealed=bindparam("new_sealed"), master=bindparam("new_master"))
    .returning(_k.id)
)
_SUSPENDED = Statement(select(*(_s[name] for name in Suspension.__struct_fields__)).order_by(_s.created_at))
_ERASED = Statement(
    select(_e.scope, _e.subject, literal(""), literal("erasure"), _e.begun_at, literal(COMMAND.user_id))
    .where(_e.subject.is_not(None))
    .order_by(_e.id)
)
"""Whose things are being erased: until it is done nobody adds any."""
_put = postgresql.insert(suspensions).values({name: bindparam(name) for name in Suspension.__struct_fields__})
_SUSPEND = Statement(
    _put.on_conflict_do_update(
        index_elements=[_s.kind, _s.subject],
        set_={name: _put.excluded[name] for name in ("part", "reason", "created_at", "created_by")},
    )
)
_LIFT = Statement(
    delete(suspensions)
    .where(_s.kind == bindparam("kind"), _s.subject == bindparam("subject"))
    .returning(_s.subject)
)


def _add(key: ApiKey, hashed: str, sealed: Sealed | None) -> Plan[None]:
    [[live]] = yield Ask(_LIVE, owner=key.user_id, now=key.created_at)
    if live >= MOST_KEYS:
        raise TooManyApiKeys
    limits = None if key.limits is None else msgspec.json.encode(key.limits).decode()
    params = {**msgspec.structs.asdict(key), "scopes": " ".join(key.scopes), "limits": limits}
    data, master = (None, None) if sealed is None else (sealed.data, sealed.master)
    yield Ask(_ADD, **params, hash=hashed, sealed=data, master=master)


def _get(key_id: str) -> Plan[StoredApiKey]:
    rows = yield Ask(_ONE, key_id=key_id)
    if not rows:
        raise ApiKeyNotFound
    return _to_stored(rows[0])


def _many(key_ids: Sequence[str]) -> Plan[list[ApiKey]]:
    return [_to_key(row) for row in (yield Ask(_MANY, ids=Ids(key_ids)))]


def _page(user_id: str | None, limit: int, before: str | None) -> Plan[list[ApiKey]]:
    statement = _PAGES[user_id is not None, before is not None]
    return [_to_key(row) for row in (yield Ask(statement, owner=user_id, before=before, most=limit))]


def _revoke(key_id: str, user_id: str | None, now: Instant) -> Plan[ApiKey]:
    before = yield from _get(key_id)
    if user_id is not None and before.key.user_id != user_id:
        raise ApiKeyNotFound
    yield Ask(_REVOKE, key_id=key_id, now=now)
    yield Tell("access", [key_id])
    return (yield from _get(key_id)).key


def _used(uses: Mapping[str, Instant]) -> Plan[None]:
    yield Many(_USED, [{"key_id": key_id, "at": at} for key_id, at in uses.items()])


def _sealed() -> Plan[list[tuple[ApiKey, Sealed]]]:
    stored = [_to_stored(row) for row in (yield Ask(_SEALED))]
    return [(each.key, each.sealed) for each in stored if each.sealed is not None]


def _reseal(key_id: str, before: Sealed, after: Sealed) -> Plan[bool]:
    rows = yield Ask(_RESEAL, key_id=key_id, old_sealed=before.data, old_master=before.master,
                     new_sealed=after.data, new_master=after.master)  # fmt: skip
    return bool(rows)


def _suspensions() -> Plan[list[Suspension]]:
    suspended = yield Ask(_SUSPENDED)
    erased = yield Ask(_ERASED)
    return [Suspension(*row) for row in (*suspended, *erased)]


def _suspend(suspension: Suspension) -> Plan[None]:
    yield Ask(_SUSPEND, **msgspec.structs.asdict(suspension))
    yield Tell("access", [])


def _lift(kind: str, subject: str) -> Plan[None]:
    if not (yield Ask(_LIFT, kind=kind, subject=subject)):
        raise SuspensionNotFound
    yield Tell("access", [])


def _to_key(row: Row) -> ApiKey:
    """From the columns `_TOLD`."""
    fields = dict(zip(_FIELDS, row, strict=True))
    limits = None if fields["limits"] is None else msgspec.json.decode(fields["limits"], type=Cap)
    return ApiKey(**{**fields, "scopes": tuple(fields["scopes"].split()), "limits": limits})


def _to_stored(row: Row) -> StoredApiKey:
    """From the columns `_COLUMNS`."""
    *told, hashed, data, master = row
    return StoredApiKey(_to_key(told), hashed, None if data is None else Sealed(bytes(data), master))


class Access:
    """Serves `ports.access.Access`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, key: ApiKey, hashed: str, sealed: Sealed | None) -> None:
        await self._session.write(_add, key, hashed, sealed)

    async def get(self, key_id: str) -> StoredApiKey:
        return await self._session.read(_get, key_id)

    async def many(self, key_ids: Sequence[str]) -> list[ApiKey]:
        return await self._session.read(_many, key_ids)

    async def page(self, user_id: str | None, limit: int, before: str | None) -> list[ApiKey]:
        return await self._session.read(_page, user_id, limit, before)

    async def revoke(self, key_id: str, user_id: str | None, now: Instant) -> ApiKey:
        return await self._session.write(_revoke, key_id, user_id, now)

    async def used(self, uses: Mapping[str, Instant]) -> None:
        await self._session.write(_used, uses)

    async def sealed(self) -> list[tuple[ApiKey, Sealed]]:
        return await self._session.read(_sealed)

    async def reseal(self, key_id: str, before: Sealed, after: Sealed) -> bool:
        return await self._session.write(_reseal, key_id, before, after)

    async def suspensions(self) -> list[Suspension]:
        return await self._session.read(_suspensions)

    async def suspend(self, suspension: Suspension) -> None:
        await self._session.write(_suspend, suspension)

    async def lift(self, kind: str, subject: str) -> None:
        await self._session.write(_lift, kind, subject)
