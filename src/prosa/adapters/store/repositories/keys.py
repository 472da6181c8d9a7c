"""Providers' keys: the operator's, seen by no principal."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import BigInteger, and_, bindparam, cast, func, insert, null, select, update

from prosa.adapters.store.repositories.audit import note
from prosa.adapters.store.session import Session
from prosa.adapters.store.statement import Ask, Plan, Row, Statement, Tell
from prosa.adapters.store.tables import ai_usage, provider_keys
from prosa.domain.audit import Deed
from prosa.domain.errors import KeyNotFound, KeyRetired
from prosa.domain.keys import KeyState, KeyUse, ProviderKey, Sealed, StoredKey
from prosa.domain.money import Picodollars
from prosa.domain.time import Instant

_k, _u = provider_keys.c, ai_usage.c
_FIELDS = ProviderKey.__struct_fields__
_COLUMNS = (*(_k[name] for name in _FIELDS), _k.sealed, _k.master)
_this = _k.id == bindparam("key_id")

_ALL = Statement(select(*_COLUMNS).order_by(_k.id))
_ONE = Statement(select(*_COLUMNS).where(_this))
_LOCKED = Statement(select(*_COLUMNS).where(_this).with_for_update())
_ADD = Statement(insert(provider_keys).values({column.name: bindparam(column.name) for column in _COLUMNS}))
_SET_ASIDE = Statement(
    update(provider_keys)
    .where(_this, _k.state == bindparam("old_state"))
    .values(state=bindparam("new_state"), reason=bindparam("new_reason"), set_aside_at=bindparam("now"))
    .returning(_k.id)
)
_RESTORE = Statement(
    update(provider_keys)
    .where(_this, _k.state == bindparam("old_state"))
    .values(state=bindparam("new_state"), reason=null(), set_aside_at=null())
    .returning(_k.id)
)
_RETIRE = Statement(
    update(provider_keys)
    .where(_this, _k.retired_at.is_(None))
    .values(state=bindparam("new_state"), retired_at=bindparam("now"), sealed=null(), master=null())
    .returning(_k.id)
)
_RESEAL = Statement(
    update(provider_keys)
    .where(_this, _k.sealed == bindparam("old_sealed"), _k.master == bindparam("old_master"))
    .values(sealed=bindparam("new_sealed"), master=bindparam("new_master"))
    .returning(_k.id)
)


def _sum(column: Any) -> Any:
    return cast(func.coalesce(func.sum(column), 0), BigInteger)


_last = select(func.max(_u.created_at)).where(_u.key_id == _k.id).correlate(provider_keys).scalar_subquery()
_used = provider_keys.outerjoin(ai_usage, and_(_u.key_id == _k.id, _u.created_at >= bindparam("since")))
_USED = Statement(
    select(_k.id, func.count(_u.id), _sum(_u.prompt_tokens), _sum(_u.completion_tokens), _sum(_u.cost), _last)
    .select_from(_used)
    .group_by(_k.id)
)


def _all() -> Plan[list[StoredKey]]:
    return [_to_stored(row) for row in (yield Ask(_ALL))]


def _get(key_id: str, statement: Statement = _ONE) -> Plan[StoredKey]:
    rows = yield Ask(statement, key_id=key_id)
    if not rows:
        raise KeyNotFound
    return _to_stored(rows[0])


def _add(key: ProviderKey, sealed: Sealed, noted: Deed | None) -> Plan[None]:
    params = {**msgspec.structs.asdict(key), "state": str(key.state)}
    yield Ask(_ADD, **params, sealed=sealed.data, master=sealed.master)
    yield Tell("keys", [key.id])
    if noted is not None:
        yield from note(noted, key.created_at)


def _replace(key_id: str, key: ProviderKey, sealed: Sealed, noted: Deed | None) -> Plan[None]:
    before = yield from _get(key_id, _LOCKED)
    if before.key.state is KeyState.RETIRED:
        raise KeyRetired
    yield from _retire(key_id, key.created_at, None)
    yield from _add(key, sealed, noted)


def _set_aside(key_id: str, reason: str, now: Instant) -> Plan[bool]:
    states = {"old_state": KeyState.ACTIVE.value, "new_state": KeyState.SET_ASIDE.value}
    if not (yield Ask(_SET_ASIDE, key_id=key_id, now=now, new_reason=reason, **states)):
        return False
    yield Tell("keys", [key_id])
    return True


def _restore(key_id: str) -> Plan[bool]:
    states = {"old_state": KeyState.SET_ASIDE.value, "new_state": KeyState.ACTIVE.value}
    if not (yield Ask(_RESTORE, key_id=key_id, **states)):
        return False
    yield Tell("keys", [key_id])
    return True


def _retire(key_id: str, now: Instant, noted: Deed | None) -> Plan[None]:
    if not (yield Ask(_RETIRE, key_id=key_id, now=now, new_state=KeyState.RETIRED.value)):
        yield from _get(key_id)
        return
    yield Tell("keys", [key_id])
    if noted is not None:
        yield from note(noted, now)


def _reseal(key_id: str, before: Sealed, after: Sealed) -> Plan[bool]:
    rows = yield Ask(_RESEAL, key_id=key_id, old_sealed=before.data, old_master=before.master,
                     new_sealed=after.data, new_master=after.master)  # fmt: skip
    return bool(rows)


def _used_since(since: Instant) -> Plan[dict[str, tuple[KeyUse, Instant]]]:
    rows: Sequence[Row] = yield Ask(_USED, since=since)
    return {
        key_id: (KeyUse(requests, prompt, completion, Picodollars(cost)), last)
        for key_id, requests, prompt, completion, cost, last in rows
        if last is not None
    }


def _to_stored(row: Row) -> StoredKey:
    """From the columns `_COLUMNS`."""
    *values, data, master = row
    fields = dict(zip(_FIELDS, values, strict=True))
    key = ProviderKey(**{**fields, "state": KeyState(fields["state"])})
    return StoredKey(key, None if data is None else Sealed(bytes(data), master))


class ProviderKeys:
    """Serves `ports.keys.ProviderKeys`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def all(self) -> list[StoredKey]:
        return await self._session.read(_all)

    async def get(self, key_id: str) -> StoredKey:
        return await self._session.read(_get, key_id)

    async def add(self, key: ProviderKey, sealed: Sealed, noted: Deed | None = None) -> None:
        await self._session.write(_add, key, sealed, noted)

    async def replace(self, key_id: str, key: ProviderKey, sealed: Sealed, noted: Deed | None = None) -> None:
        await self._session.write(_replace, key_id, key, sealed, noted)

    async def set_aside(self, key_id: str, reason: str, now: Instant) -> bool:
        return await self._session.write(_set_aside, key_id, reason, now)

    async def restore(self, key_id: str) -> bool:
        return await self._session.write(_restore, key_id)

    async def retire(self, key_id: str, now: Instant, noted: Deed | None = None) -> None:
        await self._session.write(_retire, key_id, now, noted)

    async def reseal(self, key_id: str, before: Sealed, after: Sealed) -> bool:
        return await self._session.write(_reseal, key_id, before, after)

    async def used(self, since: Instant) -> Mapping[str, tuple[KeyUse, Instant]]:
        return await self._session.read(_used_since, since)
