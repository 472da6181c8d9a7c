"""Whoever can say whether a text may be said: a service for it, or a model that is asked as a judge."""

from collections.abc import Callable
from typing import Protocol

from prosa.domain.limits import Bound
from prosa.domain.models import Aside, Origin
from prosa.domain.moderation import Verdict


class Moderation(Protocol):
    def bound(self, length: int) -> Bound | None:
        """The most that judging a text of so many bytes may take; None where it costs nothing."""
        ...

    async def judge(self, text: str, origin: Origin | None, note: Callable[[Aside], None]) -> Verdict:
        """What it makes of `text`, for `origin`, who pays where there is something to pay. `note` hears whom
        it asked, whatever comes of it. Raises ProviderError where it can't say, LimitReached and PriceUnknown
        where it can't be paid."""
        ...

    async def close(self) -> None:
        """Frees what it holds. Safe to call twice."""
        ...
