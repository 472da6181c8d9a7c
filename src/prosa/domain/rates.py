"""Requests a minute: what a window that slides lets through."""

import math
from collections.abc import Sequence

from msgspec import Struct

from prosa.domain.errors import ProsaError

MINUTE = 60.0

STAY = 60
"""Seconds that a node counts without a sign of life."""


class RequestLimitReached(ProsaError):
    code = "request_limit_reached"
    shown = ("limit", "remaining", "retryAfter", "scope")
    retryable = True
    en = "More requests than {limit} a minute are not allowed. Try again in {retryAfter} seconds."
    pt = "Não são permitidos mais de {limit} pedidos por minuto. Tente de novo em {retryAfter} segundos."


class RatesUnavailable(Exception):
    """Nobody can be asked how often it was done."""


class Count(Struct, frozen=True):
    """What is counted under `key`, and how often a minute it may be."""

    key: str
    limit: int


class Slot(Struct, frozen=True):
    """A minute by the clock, and how much of it is over (0 to 1)."""

    number: int
    over: float


class Taken(Struct, frozen=True):
    """How often each was done before, in the minute of the slot and in the one before; `refused` is the place
    of the first that has no room."""

    before: Sequence[tuple[int, int]]
    refused: int | None = None


def slot_at(seconds: float) -> Slot:
    number, rest = divmod(seconds, MINUTE)
    return Slot(int(number), rest / MINUTE)


def has_room(limit: int, now: int, before: int, over: float) -> bool:
    """Whether one more is within `limit`: what the minute before had counts as far as it lies within the last
    sixty seconds."""
    return now + before * (1 - over) + 1 <= limit


def left(limit: int, now: int, before: int, over: float) -> int:
    """How many more there are room for."""
    return max(0, math.floor(limit - now - before * (1 - over)))


def wait(limit: int, now: int, before: int, over: float) -> int:
    """Whole seconds until there is room for one more, at least one."""
    if limit < 1:
        return int(MINUTE)
    if now + 1 <= limit:
        share = 1 - (limit - now - 1) / before if before else over
        return max(1, math.ceil((share - over) * MINUTE))
    return max(1, math.ceil((1 - over + 1 - (limit - 1) / now) * MINUTE))
