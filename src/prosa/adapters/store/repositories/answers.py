"""Answers that one owner keeps."""

import msgspec
from sqlalchemy import bindparam, delete, or_, select

from prosa.adapters.store.session import Session
from prosa.adapters.store.statement import Ask, Plan, Row, Statement, insertion, owned
from prosa.adapters.store.tables import answer_cache
from prosa.domain.answers import KeptAnswer, Question
from prosa.domain.time import Instant

_a = answer_cache.c
_FIELDS = KeptAnswer.__struct_fields__
_valid = select(*(_a[name] for name in _FIELDS)).where(owned(answer_cache), _a.expires_at > bindparam("now"))

_FIND = Statement(_valid.where(_a.key == bindparam("key")))
_GET = Statement(_valid.where(_a.id == bindparam("answer_id")))
_FAMILY = Statement(
    _valid.with_only_columns(_a.id, _a.vector)
    .where(_a.family == bindparam("family"), _a.vector.is_not(None))
    .order_by(_a.created_at.desc())
    .limit(bindparam("limit"))
)
_KEEP = insertion(answer_cache, *_FIELDS)
_DROP = Statement(
    delete(answer_cache).where(
        owned(answer_cache), or_(_a.key == bindparam("old_key"), _a.expires_at <= bindparam("now"))
    )
)


def _to_answer(row: Row) -> KeptAnswer:
    values = dict(zip(_FIELDS, row, strict=True))
    values["vector"] = None if values["vector"] is None else bytes(values["vector"])
    return KeptAnswer(**values)


def _find(key: str, now: Instant) -> Plan[KeptAnswer | None]:
    rows = yield Ask(_FIND, key=key, now=now)
    return _to_answer(rows[0]) if rows else None


def _family(family: str, now: Instant, limit: int) -> Plan[list[Question]]:
    rows = yield Ask(_FAMILY, family=family, now=now, limit=limit)
    return [Question(identity, bytes(vector)) for identity, vector in rows]


def _get(answer_id: str, now: Instant) -> Plan[KeptAnswer | None]:
    rows = yield Ask(_GET, answer_id=answer_id, now=now)
    return _to_answer(rows[0]) if rows else None


def _keep(answer: KeptAnswer) -> Plan[None]:
    yield Ask(_DROP, old_key=answer.key, now=answer.created_at)
    yield Ask(_KEEP, **msgspec.structs.asdict(answer))


class Answers:
    """Serves `ports.answers.Answers`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def find(self, key: str, now: Instant) -> KeptAnswer | None:
        return await self._session.read(_find, key, now)

    async def family(self, family: str, now: Instant, limit: int) -> list[Question]:
        return await self._session.read(_family, family, now, limit)

    async def get(self, answer_id: str, now: Instant) -> KeptAnswer | None:
        return await self._session.read(_get, answer_id, now)

    async def keep(self, answer: KeptAnswer) -> None:
        await self._session.write(_keep, answer)
