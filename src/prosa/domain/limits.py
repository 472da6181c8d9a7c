"""Limits: what a user, a client and all together may use, what is left of it, and what is refused beyond."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import force_setattr, replace

from prosa.domain.calendar import Calendar
from prosa.domain.errors import CostLimitReached, NotFound, PriceUnknown, ProsaError, TokenLimitReached
from prosa.domain.money import Picodollars, from_dollars, to_dollars
from prosa.domain.time import Instant, to_iso

MOST = 2**53
MOST_DOLLARS = 4_000_000
"""A month's: picodollars are whole numbers of 63 bits."""

Count = Annotated[int, Meta(ge=0, le=MOST)]


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

    def over(self, usual: Cap) -> Cap:
        """This cap, and `usual` where it says nothing."""
        return Cap(*(other if own is None else own for own, other in _pairs(self, usual)))

    def tightened(self, other: Cap) -> Cap:
        """The stricter of both, kind by kind."""
        return Cap(
            *(min((each for each in pair if each is not None), default=None) for pair in _pairs(self, other))
        )

    @property
    def held(self) -> bool:
        """Whether something of it is counted when an answer begins."""
        return not (self.tokens_per_day is None and self.cost_per_month is None and self.runs_at_once is None)


def _pairs(one: Cap, other: Cap) -> list[tuple[Any, Any]]:
    return [(getattr(one, name), getattr(other, name)) for name in Cap.__struct_fields__]


FREE = Cap()


def payable(dollars: Decimal) -> bool:
    """Whether so much can be the limit of a month."""
    return dollars.is_finite() and 0 <= dollars <= MOST_DOLLARS


class _Claim(Struct, rename="camel"):
    tokens_per_day: Count | None = None
    cost_per_month: Decimal | float | None = None
    requests_per_minute: Count | None = None
    runs_at_once: Count | None = None
    sockets: Count | None = None


def claimed(claim: object) -> Cap | None:
    """What a token's claim `limits` says: an object of `tokensPerDay`, `costPerMonth` (US dollars),
    `requestsPerMinute`, `runsAtOnce`, `sockets`. None where there is none. Raises ValueError where it says
    something that can't be understood: a limit that nobody keeps is none."""
    if claim is None:
        return None
    told = msgspec.convert(claim, _Claim)
    cost = None if told.cost_per_month is None else Decimal(str(told.cost_per_month))
    if cost is not None and not payable(cost):
        raise ValueError("costPerMonth")
    return Cap(
        told.tokens_per_day,
        None if cost is None else from_dollars(cost),
        told.requests_per_minute,
        told.runs_at_once,
        told.sockets,
    )


class Rule(Struct, frozen=True):
    """A cap that an operator has set, for a `subject` of `scope` ("": for each that has none of its own)."""

    scope: Scope
    subject: str
    cap: Cap
    updated_at: Instant
    updated_by: str


class LimitNotFound(NotFound):
    code = "limit_not_found"
    en = "There is no such limit."
    pt = "Esse limite não existe."


class Standing(Struct, frozen=True):
    """How one cap stands: spent today and this month, held for answers that are being written, and how many
    those are."""

    scope: Scope
    cap: Cap
    tokens: int
    cost: Picodollars
    held_tokens: int
    held_cost: Picodollars
    runs: int


class Limits(Cap, frozen=True):
    """A user's own cap, and beside it those of his client (`client_id`) and of everyone; the strictest of
    each kind wins. Days and months are those of `calendar`."""

    client: Cap = FREE
    everyone: Cap = FREE
    client_id: str = ""
    calendar: Calendar = Calendar()
    tokens_at_most: int | None = None
    """The least of the limits on the tokens of a day."""
    cost_at_most: Picodollars | None = None
    """The least of the limits on the cost of a month."""

    def __post_init__(self) -> None:
        """What each turn asks for again and again is found once."""
        for kind, least in (("tokens_per_day", "tokens_at_most"), ("cost_per_month", "cost_at_most")):
            caps = [getattr(cap, kind) for cap in (self, self.client, self.everyone)]
            force_setattr(self, least, min((cap for cap in caps if cap is not None), default=None))

    def __bool__(self) -> bool:
        """Whether something is counted when an answer begins."""
        return self.held or self.client.held or self.everyone.held

    @property
    def told(self) -> bool:
        """Whether there is something to tell a caller in each answer."""
        caps = (self, self.client, self.everyone)
        return self.spending or any(cap.requests_per_minute is not None for cap in caps)

    @property
    def spending(self) -> bool:
        """Whether money or tokens are limited."""
        return self.tokens_at_most is not None or self.cost_at_most is not None

    @property
    def caps(self) -> list[tuple[Scope, Cap]]:
        """The caps that count when an answer begins: always in this order, so that of two who wait for each
        other's none ever waits for ever."""
        of = ((Scope.USER, self), (Scope.CLIENT, self.client), (Scope.EVERYONE, self.everyone))
        return [(scope, cap) for scope, cap in of if cap.held]


NONE = Limits()


def limits_of(user: Cap, client: Cap, everyone: Cap, calendar: Calendar, client_id: str = "") -> Limits:
    return Limits(
        user.tokens_per_day,
        user.cost_per_month,
        user.requests_per_minute,
        user.runs_at_once,
        user.sockets,
        client=client,
        everyone=everyone,
        client_id=client_id,
        calendar=calendar,
    )


class Bound(Struct, frozen=True):
    """The most that asking `model` may take: tokens of input and output together, and their cost, None
    where the model's price is not known."""

    model: str
    tokens: int
    cost: Picodollars | None

    def times(self, number: int) -> Bound:
        cost = None if self.cost is None else Picodollars(self.cost * number)
        return Bound(self.model, self.tokens * number, cost)

    def plus(self, other: Bound) -> Bound:
        """Both; `model` is one whose price is not known, if there is one."""
        tokens = self.tokens + other.tokens
        if self.cost is None or other.cost is None:
            return Bound(self.model if self.cost is None else other.model, tokens, None)
        return Bound(self.model, tokens, Picodollars(self.cost + other.cost))


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
    used: float = 0.0
    """Of the limit that is nearest to its end, the share that is spent or held."""

    def shared(self, number: int) -> Remaining:
        """An equal share for each of `number`."""
        return replace(
            self,
            tokens=None if self.tokens is None else self.tokens // number,
            cost=None if self.cost is None else Picodollars(self.cost // number),
        )

    def times(self, number: int) -> Remaining:
        """What `number` have, each of whom has this share."""
        return replace(
            self,
            tokens=None if self.tokens is None else self.tokens * number,
            cost=None if self.cost is None else Picodollars(self.cost * number),
        )

    @property
    def limited(self) -> bool:
        """Whether tokens or money are."""
        return self.tokens is not None or self.cost is not None

    def less(self, bound: Bound) -> Remaining:
        """What is left once so much is held."""
        cost = None if self.cost is None else Picodollars(max(0, self.cost - (bound.cost or 0)))
        return replace(
            self, tokens=None if self.tokens is None else max(0, self.tokens - bound.tokens), cost=cost
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
