"""How long to wait before the next try."""

import pytest

from prosa.kit.backoff import Backoff


@pytest.mark.parametrize(("tries", "most"), [(1, 0.5), (2, 1.0), (3, 2.0), (5, 8.0), (50, 8.0)])
def test_full_jitter(tries: int, most: float) -> None:
    assert Backoff(pick=lambda: 0.0).before(tries) == 0
    assert Backoff(pick=lambda: 1.0).before(tries) == most


def test_a_told_time_is_the_least() -> None:
    assert Backoff(pick=lambda: 0.0).before(4, 7.0) == 7
    assert Backoff(base=0.5, pick=lambda: 1.0).before(4, 7.0) == 7.5
    assert Backoff(pick=lambda: 0.0).before(4, 0.0) == 0


def test_chance_is_the_default() -> None:
    waits = {Backoff().before(3) for _ in range(20)}
    assert len(waits) > 1
    assert all(0 <= wait <= 2 for wait in waits)
