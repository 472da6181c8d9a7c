"""Whoever can say whether a text may be said: a service for it, or a model that is asked as a judge."""

from collections.abc import Callable
from typing import Protocol

from prosa.domain.limits import Bound
from prosa.domain.models import Aside
from prosa.domain.moderation import Verdict


class Moderation(Protocol):
    def bound(self, text: str) -> Bound | None:
        """The most that judging `text` may take; None where it costs nothing."""
        ...

    async def judge(self, text: str, spend: Callable[[Aside], None]) -> Verdict:
        """What it makes of `text`. `spend` hears what it took, whatever comes of it. Raises ProviderError
        where it can't say."""
        ...

    async def close(self) -> None:
        """Frees what it holds. Safe to call twice."""
        ...
