"""Rates of failures and waits: told when they are crossed, and not in a storm."""

from prosa.domain.alerts import Kind, Rules
from prosa.services.alerts.rates import MOST, Answer, Rates

RULES = Rules(errors=0.2, latency=2.0, window=60.0, least=10)


def answers(*failed: bool, at: float = 0.0, waited: float = 0.1, model: str = "p/m") -> list[Answer]:
    return [Answer(model, at, "upstream_error" if each else None, waited) for each in failed]


def kinds(rates: Rates, seen: list[Answer]) -> list[Kind]:
    return [finding.kind for finding in rates.seen(seen)]


def test_a_share_of_failures_is_told_once_until_it_has_been_well_below() -> None:
    rates = Rates(RULES)
    assert kinds(rates, answers(*[True] * 9)) == []  # too few to say
    (found,) = rates.seen(answers(True))
    assert (found.kind, found.model, found.level) == (Kind.ERRORS, "p/m", 20)
    assert found.details == {"failed": "10", "answers": "10", "code": "upstream_error"}
    for at in range(50):  # it stays bad, and swings about the threshold
        assert kinds(rates, answers(at % 5 == 0, False, False, at=float(at))) == []
    assert kinds(rates, answers(*[False] * 100, at=100.0)) == []
    assert kinds(rates, answers(*[True] * 40, at=101.0)) == [Kind.ERRORS]


def test_what_is_long_past_does_not_count() -> None:
    rates = Rates(RULES)
    assert kinds(rates, answers(*[True] * 9)) == []
    assert kinds(rates, answers(*[False] * 9, True, at=61.0)) == []


def test_the_slowest_twentieth_is_waited_for() -> None:
    rates = Rates(RULES)
    assert kinds(rates, answers(*[False] * 95)) == []
    assert kinds(rates, answers(*[False] * 5, waited=9.0)) == []
    (found,) = rates.seen(answers(False, waited=9.0))
    assert (found.kind, found.level) == (Kind.LATENCY, 2_000)
    assert found.details == {"answers": "101", "seconds": "9.00"}


def test_each_model_for_itself() -> None:
    rates = Rates(RULES)
    assert kinds(rates, [*answers(*[True] * 6), *answers(*[True] * 6, model="p/n")]) == []
    found = rates.seen([*answers(*[True] * 4), *answers(*[False] * 40, model="p/n")])
    assert [each.model for each in found] == ["p/m"]


def test_off() -> None:
    rates = Rates(Rules(errors=None, latency=None))
    assert not rates.on
    assert rates.seen(answers(*[True] * 50)) == []


def test_names_that_callers_choose_do_not_grow_memory() -> None:
    rates = Rates(RULES)
    for place in range(MOST + 50):
        rates.seen(answers(*[True] * 10, model=f"p/{place}"))
    assert len(rates._answers) == MOST
    assert len(rates._told) <= MOST
