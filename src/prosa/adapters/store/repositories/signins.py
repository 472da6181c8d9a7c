"""Sign-in links that were used, so that none works twice."""

from sqlalchemy import bindparam
from sqlalchemy.dialects import postgresql

from prosa.adapters.store.session import Session
from prosa.adapters.store.statement import Ask, Plan, Statement
from prosa.adapters.store.tables import sign_ins
from prosa.domain.time import Instant

_USE = Statement(
    postgresql.insert(sign_ins)
    .values(id=bindparam("id"), user_id=bindparam("principal"), used_at=bindparam("used_at"))
    .on_conflict_do_nothing()
    .returning(sign_ins.c.id)
)
"""Answers with a row the first time, whoever's link it was: of two at once, one wins."""


def _use(link_id: str, now: Instant) -> Plan[bool]:
    rows = yield Ask(_USE, id=link_id, used_at=now)
    return bool(rows)


class SignIns:
    """Serves `ports.store.SignIns`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def use(self, link_id: str, now: Instant) -> bool:
        return await self._session.write(_use, link_id, now)
