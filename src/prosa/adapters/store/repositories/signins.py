"""Sign-in links that were used, so that none works twice."""

from sqlalchemy import bindparam, select

from prosa.adapters.store.session import Session
from prosa.adapters.store.statement import Ask, Plan, Statement, insertion, owned
from prosa.adapters.store.tables import sign_ins
from prosa.domain.time import Instant

_USED = Statement(select(sign_ins.c.id).where(sign_ins.c.id == bindparam("id"), owned(sign_ins)))
_USE = insertion(sign_ins, "id", "user_id", "used_at")


def _use(link_id: str, now: Instant) -> Plan[bool]:
    if (yield Ask(_USED, id=link_id)):
        return False
    yield Ask(_USE, id=link_id, used_at=now)
    return True


class SignIns:
    """Serves `ports.store.SignIns`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def use(self, link_id: str, now: Instant) -> bool:
        return await self._session.write(_use(link_id, now))
