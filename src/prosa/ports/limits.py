"""Limits that an operator sets while Prosa runs, and how they stand."""

from collections.abc import Sequence
from typing import Protocol

from prosa.domain.limits import Limits, Rule, Scope, Standing
from prosa.domain.time import Instant


class KnownLimits(Protocol):
    """What holds for everybody; no request of a user ever reads it from here."""

    async def all(self) -> list[Rule]: ...


class LimitTable(Protocol):
    """An operator's: all nodes hear of each change ("limits")."""

    async def all(self) -> Sequence[Rule]: ...

    async def put(self, rule: Rule) -> None:
        """In place of the one that there is for the same subject."""
        ...

    async def delete(self, scope: Scope, subject: str) -> None:
        """Raises LimitNotFound."""
        ...

    async def standing(self, user_id: str, limits: Limits, now: Instant) -> Sequence[Standing]:
        """Of each cap that counts when an answer begins."""
        ...
