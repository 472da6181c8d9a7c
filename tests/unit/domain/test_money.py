"""Money is exact: what goes in comes out, and sums never drift."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosa.domain.money import PER_DOLLAR, Picodollars, from_dollars, to_dollars

amounts = st.integers(-(10**20), 10**20).map(Picodollars)


@given(amounts)
def test_the_string_is_the_amount(amount: Picodollars) -> None:
    shown = to_dollars(amount)
    assert Decimal(shown) * PER_DOLLAR == amount
    assert from_dollars(Decimal(shown)) == amount
    assert "e" not in shown.lower()
    assert not shown.endswith(".")
    assert "." not in shown or not shown.endswith("0")


@given(st.decimals(-1000, 1000, places=12))
def test_twelve_places_are_kept(dollars: Decimal) -> None:
    assert Decimal(to_dollars(from_dollars(dollars))) == dollars


@given(st.lists(amounts, max_size=50))
def test_a_sum_is_a_sum(several: list[Picodollars]) -> None:
    assert from_dollars(sum((Decimal(to_dollars(each)) for each in several), Decimal(0))) == sum(several)


@pytest.mark.parametrize(
    ("amount", "shown"),
    [(0, "0"), (1, "0.000000000001"), (37_500_000, "0.0000375"), (12_500_000_000_000, "12.5"),
     (10**12, "1"), (-1, "-0.000000000001"), (100 * 10**12, "100")],
)  # fmt: skip
def test_forms(amount: int, shown: str) -> None:
    assert to_dollars(Picodollars(amount)) == shown


@pytest.mark.parametrize(
    ("dollars", "amount"),
    [("0.0000000000005", 1), ("0.0000000000004999", 0), ("0.0000000000015", 2), ("-0.0000000000005", -1)],
)
def test_halves_go_up(dollars: str, amount: int) -> None:
    assert from_dollars(Decimal(dollars)) == amount
