"""What is counted: few labels, whatever callers name."""

from collections.abc import Iterator

import pytest
from prometheus_client import REGISTRY
from tests.stores import entry
from tests.unit.services.runs.test_live import run

from prosa.domain.models import Usage
from prosa.domain.money import Picodollars
from prosa.services import meters


@pytest.fixture(autouse=True)
def nobody_has_answered() -> Iterator[None]:
    before = set(meters._answered)
    meters._answered.clear()
    yield
    meters._answered.clear()
    meters._answered.update(before)


def test_a_model_has_a_label_once_it_has_answered() -> None:
    assert meters.named("p", "m") == "other"
    assert meters.named("p", "m", answered=True) == "m"
    assert meters.named("p", "m") == "m"
    assert meters.named("q", "m") == "other"


def test_labels_are_bounded() -> None:
    for number in range(meters.MOST_MODELS):
        assert meters.named("p", f"m{number}", answered=True) == f"m{number}"
    assert meters.named("p", "more", answered=True) == "other"


def test_an_attempt_counts_once_in_each_meter() -> None:
    def counted(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, {"provider": "metered", "model": "m", **labels}) or 0.0

    spent = entry(run(), provider="metered", model="m", usage=Usage(9, 4, 3, 2), cost=Picodollars(5 * 10**11))
    meters.entered(spent, "completed")
    tokens = {
        kind: counted("prosa_tokens_total", kind=kind)
        for kind in ("prompt", "completion", "cached", "reasoning")
    }
    assert tokens == {"prompt": 9, "completion": 4, "cached": 3, "reasoning": 2}
    assert counted("prosa_cost_dollars_total") == 0.5
    one = {"provider": "metered", "outcome": "completed"}
    assert REGISTRY.get_sample_value("prosa_attempts_total", one) == 1
