"""What one operator sees and changes, over the engine's connection, which users' requests never use."""

from prosa.adapters.store.repositories.accounts import Accounts
from prosa.adapters.store.repositories.audit import AuditLog
from prosa.adapters.store.repositories.rules import LimitTable
from prosa.adapters.store.repositories.traffic import Traffic
from prosa.adapters.store.repositories.watched import Watched
from prosa.adapters.store.session import Session
from prosa.domain.principal import Principal

__all__ = ["OperatorRecords", "Watched"]


class OperatorRecords:
    """Serves `ports.audit.OperatorRecords`."""

    __slots__ = ("_session", "_watched")

    def __init__(self, session: Session, by: Principal) -> None:
        self._session = session
        self._watched = Watched(session, by)

    @property
    def audit(self) -> AuditLog:
        return AuditLog(self._session)

    @property
    def usage(self) -> Accounts:
        return Accounts(self._watched)

    @property
    def traffic(self) -> Traffic:
        return Traffic(self._watched)

    @property
    def limits(self) -> LimitTable:
        return LimitTable(self._watched)
