"""What an operator does and sees in the store: nothing without its row in the audit log."""

from collections.abc import Sequence
from typing import Protocol

from prosa.domain.audit import Deed, Finding, Head, Link, Wanted
from prosa.domain.principal import Principal
from prosa.domain.time import Instant
from prosa.ports.limits import LimitTable
from prosa.ports.traffic import Traffic
from prosa.ports.usage import Accounts


class AuditLog(Protocol):
    """Append only: there is no way to change a link, or to take one out, but for the oldest."""

    async def add(self, done: Deed, at: Instant) -> Link:
        """Puts a deed down as the next link, whichever node adds another at the same time."""
        ...

    async def page(self, wanted: Wanted, limit: int, before: int | None) -> Sequence[Link]:
        """Newest first; `before` is the id of the last one that was seen."""
        ...

    async def verify(self, known: Head | None = None) -> Finding:
        """Walks along the whole chain, in pieces of bounded size; it must pass through `known`. Raises
        InvalidRequest where that was swept."""
        ...

    async def sweep(self, by: Principal, before: Instant, at: Instant) -> bool:
        """Puts down, as a link of the chain, that the links of `before` are swept; False where none is."""
        ...

    async def drop(self) -> int:
        """Takes away a piece of what is swept; how many links that were."""
        ...


class OperatorRecords(Protocol):
    """What one operator may see of all users and change for them. Each read of what belongs to users comes
    after a row of the audit log that is committed, each change with one in the same transaction."""

    @property
    def audit(self) -> AuditLog: ...
    @property
    def usage(self) -> Accounts: ...
    @property
    def traffic(self) -> Traffic: ...
    @property
    def limits(self) -> LimitTable: ...
