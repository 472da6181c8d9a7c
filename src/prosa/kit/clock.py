"""What tells the time that passes: seconds that only ever grow, from whatever beginning."""

from collections.abc import Callable

Clock = Callable[[], float]
