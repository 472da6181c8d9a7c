"""Who is told of alerts, and where they are kept until they were."""

from collections.abc import Sequence
from typing import Protocol

from prosa.domain.alerts import Alert, Spent, Subject
from prosa.domain.calendar import Calendar
from prosa.domain.time import Instant


class Messenger(Protocol):
    """One way to whoever is to be told."""

    @property
    def name(self) -> str:
        """A word that stays: what is owed is kept by it."""
        ...

    async def send(self, alert: Alert) -> None:
        """Raises NotDelivered, within some seconds."""
        ...

    async def close(self) -> None: ...


class Alerts(Protocol):
    """The operator's, of no principal, shared by all nodes."""

    async def put(self, alerts: Sequence[Alert], since: Instant | None = None) -> list[Alert]:
        """Puts down those of which none with the same kind, subject, period and level is there, nor (with
        `since`) any of that kind and subject after it; answers with them."""
        ...

    async def due(self, now: Instant, until: Instant, limit: int) -> list[Alert]:
        """Takes on those that are to be delivered now, each with one more attempt: nobody else gets them
        before `until`."""
        ...

    async def settle(self, alert: Alert) -> None:
        """Puts down what is owed, when it is tried next, and when it was delivered."""
        ...

    async def spent(
        self, subjects: Sequence[Subject], calendar: Calendar, now: Instant
    ) -> dict[Subject, Spent]:
        """What those whose limits are counted have spent of this day and this month."""
        ...

    async def page(self, limit: int, before: str | None) -> list[Alert]:
        """Newest first; `before` is the id of the last one that was seen."""
        ...
