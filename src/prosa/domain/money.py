"""Money: whole picodollars, so that a price per token is exact and a sum never drifts."""

from decimal import Decimal
from typing import NewType

Picodollars = NewType("Picodollars", int)
"""A millionth of a millionth of a US dollar. One token at $0.0375 a million costs 37,500."""

PER_DOLLAR = 10**12


def from_dollars(amount: Decimal) -> Picodollars:
    """`amount` in picodollars, rounded half up (away from zero): nobody is undercharged by rounding."""
    return Picodollars(int((amount * PER_DOLLAR).to_integral_value(rounding="ROUND_HALF_UP")))


def to_dollars(amount: Picodollars) -> str:
    """`amount` as a decimal string in US dollars without trailing zeros: "0", "0.0000375", "12.5"."""
    sign, rest = ("-", -amount) if amount < 0 else ("", amount)
    whole, part = divmod(rest, PER_DOLLAR)
    tail = f".{part:012d}".rstrip("0").rstrip(".")
    return f"{sign}{whole}{tail}"
