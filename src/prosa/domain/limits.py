"""Limits: what a user, a client and all together may use, what is left of it, and what is refused beyond."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from prosa.domain.calendar import Calendar
from prosa.domain.errors import CostLimitReached, PriceUnknown, ProsaError, TokenLimitReached
from prosa.domain.money import Picodollars, to_dollars
from prosa.domain.time import Instant, to_iso


class Scope(StrEnum):
    USER = "user"
    CLIENT = "client"
    EVERYONE = "everyone"


class TooManyRuns(ProsaError):
    code = "too_many_runs"
    shown = ("scope",)
    retryable = True
    en = "As many answers as the limit allows are being written. Wait until one has ended, or stop one."
    pt = "Já há tantas respostas em curso quantas o limite permite. Espere o fim de uma delas, ou pare uma."


class Cap(Struct, frozen=True, omit_defaults=True):
    """What one user, one client or all together may use; None means without limit."""

    tokens_per_day: int | None = None
    cost_per_month: Picodollars | None = None
    requests_per_minute: int | None = None
    runs_at_once: int | None = None
    sockets: int | None = None

    @property
    def held(self) -> bool:
        """Whether something of it is counted when an answer begins."""
        return not (self.tokens_per_day is None and self.cost_per_month is None and self.runs_at_once is None)


FREE = Cap()


class Limits(Cap, frozen=True):
    """A user's own cap, and beside it those of his client (`client_id`) and of everyone; the strictest of
    each kind wins. Days and months are those of `calendar`."""

    client: Cap = FREE
    everyone: Cap = FREE
    client_id: str = ""
    calendar: Calendar = Calendar()

    def __bool__(self) -> bool:
        """Whether something is counted when an answer begins."""
        return self.held or self.client.held or self.everyone.held

    @property
    def caps(self) -> list[tuple[Scope, Cap]]:
        """The caps that count when an answer begins: always in this order, so that of two who wait for each
        other's none ever waits for ever."""
        of = ((Scope.USER, self), (Scope.CLIENT, self.client), (Scope.EVERYONE, self.everyone))
        return [(scope, cap) for scope, cap in of if cap.held]


NONE = Limits()


class Bound(Struct, frozen=True):
    """The most that asking `model` may take: tokens of input and output together, and their cost, None
    where the model's price is not known."""

    model: str
    tokens: int
    cost: Picodollars | None

    def times(self, number: int) -> Bound:
        cost = None if self.cost is None else Picodollars(self.cost * number)
        return Bound(self.model, self.tokens * number, cost)


class Remaining(Struct, frozen=True):
    """What is left of the strictest limits, reservations taken off; None means without limit. Beside each, of
    whose limit it is left."""

    tokens: int | None = None
    cost: Picodollars | None = None
    tokens_reset_at: Instant = Instant(0)
    cost_resets_at: Instant = Instant(0)
    runs: int | None = None
    tokens_scope: Scope | None = None
    cost_scope: Scope | None = None
    runs_scope: Scope | None = None

    def shared(self, number: int) -> Remaining:
        """An equal share for each of `number`."""
        return replace(
            self,
            tokens=None if self.tokens is None else self.tokens // number,
            cost=None if self.cost is None else Picodollars(self.cost // number),
        )

    def begin(self, number: int = 1) -> None:
        """Raises TooManyRuns where so many more answers at once are too many."""
        if self.runs is not None and number > self.runs:
            raise TooManyRuns(scope=str(self.runs_scope))

    def hold(self, bound: Bound) -> None:
        """Raises TokenLimitReached, CostLimitReached or PriceUnknown where `bound` is more."""
        if self.tokens is not None and bound.tokens > self.tokens:
            raise TokenLimitReached(
                remaining=max(0, self.tokens),
                resetsAt=to_iso(self.tokens_reset_at),
                scope=str(self.tokens_scope),
            )
        if self.cost is None:
            return
        if bound.cost is None:
            raise PriceUnknown(model=bound.model)
        if bound.cost > self.cost:
            left = to_dollars(Picodollars(max(0, self.cost)))
            raise CostLimitReached(
                remaining=left, resetsAt=to_iso(self.cost_resets_at), scope=str(self.cost_scope)
            )
