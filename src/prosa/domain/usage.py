"""What was used: sums of the ledger, by day, model, provider, user and client."""

from collections.abc import Callable, Iterable
from typing import NewType

from msgspec import Struct
from msgspec.structs import replace

from prosa.domain.limits import Remaining
from prosa.domain.models import Usage
from prosa.domain.money import Picodollars
from prosa.domain.time import Instant

Day = NewType("Day", str)
"""`2026-11-29`, in the operator's time zone."""


class Sum(Struct, frozen=True):
    """Of any entries: how many (`requests`), the tokens, the cost of those that have one, how many tokens are
    estimates, and how many entries have no price."""

    requests: int = 0
    usage: Usage = Usage()
    cost: Picodollars = Picodollars(0)
    estimated: int = 0
    unpriced: int = 0

    def __add__(self, other: "Sum") -> "Sum":
        return Sum(
            self.requests + other.requests,
            self.usage + other.usage,
            Picodollars(self.cost + other.cost),
            self.estimated + other.estimated,
            self.unpriced + other.unpriced,
        )


class Share(Struct, frozen=True):
    """The sum of what one provider and model took in one day."""

    day: Day
    provider: str
    model: str
    sum: Sum


class Account(Struct, frozen=True):
    """The sum of what one user took for one client ("": for none), or one client for all of his users."""

    user_id: str
    client_id: str
    sum: Sum


TOP = 100
"""Users, and clients, that an overview tells of."""


class Overview(Struct, frozen=True):
    """What an operator asked for: its shares, the `TOP` users and clients by cost, and how many messages
    there are of that time, where that can be said."""

    shares: tuple[Share, ...]
    users: tuple[Account, ...]
    clients: tuple[Account, ...]
    messages: int | None


class Report(Struct, frozen=True):
    """What was used from `since` until before `until`; `messages` are those that the user sees of that time,
    `remaining` is what the limits leave now; `users` and `clients` are for operators alone."""

    since: Instant
    until: Instant
    zone: str
    shares: tuple[Share, ...]
    messages: int | None = 0
    remaining: Remaining = Remaining()
    users: tuple[Account, ...] = ()
    clients: tuple[Account, ...] = ()

    @property
    def total(self) -> Sum:
        return added(share.sum for share in self.shares)

    def by(self, key: Callable[[Share], tuple[str, ...]]) -> dict[tuple[str, ...], Sum]:
        """The sums of the shares that have the same key, in the order in which the keys come."""
        sums: dict[tuple[str, ...], Sum] = {}
        for share in self.shares:
            name = key(share)
            sums[name] = sums[name] + share.sum if name in sums else share.sum
        return sums


class Wanted(Struct, frozen=True):
    """Which entries an operator asks for; None: any."""

    user_id: str | None = None
    client_id: str | None = None
    provider: str | None = None
    model: str | None = None


def added(sums: Iterable[Sum]) -> Sum:
    total = Sum()
    for each in sums:
        total += each
    return total


def merged(shares: Iterable[Share]) -> tuple[Share, ...]:
    """One share a day and model, where clocks that were changed have cut a day in two; by day."""
    found: dict[tuple[str, ...], Share] = {}
    for share in shares:
        key = (share.day, share.provider, share.model)
        found[key] = replace(share, sum=found[key].sum + share.sum) if key in found else share
    return tuple(found[key] for key in sorted(found))


Place = tuple[Instant, str]
"""Where a list of entries goes on: the (created_at, id) of the last one."""
