"""How long to wait before the same thing is tried again."""

import random
from collections.abc import Callable

Chance = Callable[[], float]
"""A number from 0 up to 1, another one each time."""

chance: Chance = random.random


class Backoff:
    """Exponential, with full jitter: after n tries the wait is anything up to `base` * 2 ** (n - 1) seconds,
    and never more than `longest`, so that those who failed together do not come again together."""

    def __init__(self, base: float = 0.5, longest: float = 8.0, pick: Chance = chance) -> None:
        self._base = base
        self._longest = longest
        self._pick = pick

    def before(self, tries: int, told: float | None = None) -> float:
        """Seconds to wait after so many tries. A time that was `told` is waited for, and a little more."""
        spread = self._base if told is not None else min(self._longest, self._base * 2 ** (tries - 1))
        return (told or 0.0) + self._pick() * spread
