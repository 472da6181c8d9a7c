"""How far users, clients and all together have used their limits up."""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from prosa.domain.alerts import Kind, Spent, Subject
from prosa.domain.calendar import Calendar
from prosa.domain.limits import Cap, Limits, Scope
from prosa.domain.money import Picodollars, to_dollars
from prosa.domain.time import Instant

NEARLY = 80
"""Percent: who has used so much, and is refused an answer or has one cut, has reached the limit. (Less is
left than an answer may take; but who asks for a very long one is refused long before.)"""

WHOLE = 100


class Reached(Struct, frozen=True):
    kind: Kind
    subject: str
    period: str
    level: int
    details: dict[str, str]


def subjects_of(user_id: str, limits: Limits) -> dict[Subject, Cap]:
    """The caps on tokens and costs that count for a user."""
    names = {Scope.USER: user_id, Scope.CLIENT: limits.client_id, Scope.EVERYONE: ""}
    return {
        (scope, names[scope]): cap
        for scope, cap in limits.caps
        if cap.tokens_per_day is not None or cap.cost_per_month is not None
    }


def reached(
    caps: Mapping[Subject, Cap],
    spent: Mapping[Subject, Spent],
    refused: Iterable[tuple[Kind, Subject]],
    levels: tuple[int, ...],
    calendar: Calendar,
    moment: Instant,
) -> list[Reached]:
    """The levels that each of `caps` has reached, those that were told before, too. `refused` are those for
    which answers were refused or cut."""
    day = calendar.day(moment)
    full = set(refused)
    found = []
    for subject, cap in caps.items():
        used = spent.get(subject, Spent())
        for kind, period, limit, taken in (
            (Kind.TOKENS, day, cap.tokens_per_day, used.tokens),
            (Kind.COST, day[:7], cap.cost_per_month, used.cost),
        ):
            if not limit:
                continue
            share = taken * WHOLE // limit
            if (kind, subject) in full and share >= NEARLY:
                share = max(share, WHOLE)
            told = {"period": period, "spent": _amount(kind, taken), "limit": _amount(kind, limit)}
            found += [
                # A limit that is changed begins anew.
                Reached(kind, _named(subject), f"{period} {limit}", level, told)
                for level in levels
                if share >= level
            ]
    return found


def _named(subject: Subject) -> str:
    scope, name = subject
    return str(scope) if scope is Scope.EVERYONE else f"{scope}:{name}"


def _amount(kind: Kind, amount: int) -> str:
    return to_dollars(Picodollars(amount)) if kind is Kind.COST else str(amount)
