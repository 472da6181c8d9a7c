"""Which levels of a limit are reached."""

from typing import Any

import pytest

from prosa.domain.alerts import LEVELS, Kind, Spent, Subject
from prosa.domain.calendar import Calendar
from prosa.domain.limits import Cap, Limits, Scope
from prosa.domain.money import Picodollars
from prosa.domain.time import Instant
from prosa.services.alerts.levels import reached, subjects_of

NOON = Instant(1_790_000_000_000_000)
ANA: Subject = (Scope.USER, "ana")


def levels(cap: Cap, spent: Spent, refused: tuple[Kind, ...] = ()) -> list[tuple[Kind, int]]:
    full = [(kind, ANA) for kind in refused]
    found = reached({ANA: cap}, {ANA: spent}, full, LEVELS, Calendar(), NOON)
    return [(each.kind, each.level) for each in found]


@pytest.mark.parametrize(
    ("tokens", "told"), [(0, []), (49, []), (50, [50]), (79, [50]), (80, [50, 80]), (100, [50, 80, 100]), (10**15, [50, 80, 100])]
)  # fmt: skip
def test_percents_of_a_limit(tokens: int, told: list[int]) -> None:
    assert levels(Cap(tokens_per_day=100), Spent(tokens)) == [(Kind.TOKENS, level) for level in told]
    cost = Spent(0, Picodollars(tokens))
    assert levels(Cap(cost_per_month=Picodollars(100)), cost) == [(Kind.COST, level) for level in told]


def test_a_limit_is_reached_where_nearly_all_is_used_and_answers_are_refused() -> None:
    cap = Cap(tokens_per_day=100)
    assert levels(cap, Spent(79), (Kind.TOKENS,)) == [(Kind.TOKENS, 50)]
    assert levels(cap, Spent(81), (Kind.TOKENS,)) == [(Kind.TOKENS, level) for level in LEVELS]
    assert levels(cap, Spent(81), (Kind.COST,)) == [(Kind.TOKENS, 50), (Kind.TOKENS, 80)]


@pytest.mark.parametrize("cap", [Cap(), Cap(tokens_per_day=0, cost_per_month=Picodollars(0))])
def test_what_has_no_percents(cap: Cap) -> None:
    assert levels(cap, Spent(10**9, Picodollars(10**9)), (Kind.TOKENS,)) == []


def test_a_new_limit_is_told_of_anew() -> None:
    told = {
        reached({ANA: Cap(tokens_per_day=limit)}, {ANA: Spent(50)}, (), LEVELS, Calendar(), NOON)[0].period
        for limit in (100, 90)
    }
    assert told == {"2026-09-21 100", "2026-09-21 90"}


def test_whose_limits_count() -> None:
    limits = Limits(
        10, client=Cap(runs_at_once=1), everyone=Cap(cost_per_month=Picodollars(5)), client_id="acme"
    )
    assert subjects_of("ana", limits).keys() == {ANA, (Scope.EVERYONE, "")}
    found: list[Any] = reached(
        subjects_of("ana", limits),
        {(Scope.EVERYONE, ""): Spent(0, Picodollars(4))},
        (),
        LEVELS,
        Calendar(),
        NOON,
    )
    assert [(each.subject, each.level) for each in found] == [("everyone", 50), ("everyone", 80)]
    assert found[0].details == {"period": "2026-09", "spent": "0.000000000004", "limit": "0.000000000005"}
