"""Counts of this process alone."""

from collections import Counter
from collections.abc import Sequence

from prosa.domain.rates import Count, Slot, Taken, has_room

MOST_KEYS = 100_000


class MemoryRates:
    """Serves `ports.rates.Rates`."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()
        self._counted: dict[str, tuple[int, int, int]] = {}

    async def take(self, counts: Sequence[Count], slot: Slot) -> Taken:
        before = [self._of(count.key, slot.number) for count in counts]
        for place, (count, (now, earlier)) in enumerate(zip(counts, before, strict=True)):
            if not has_room(count.limit, now, earlier, slot.over):
                return Taken(before, place)
        if len(self._counted) > MOST_KEYS:
            self._forget(slot.number)
        for count, (now, earlier) in zip(counts, before, strict=True):
            self._counted[count.key] = slot.number, now + 1, earlier
        return Taken(before)

    async def enter(self, counts: Sequence[Count], node: str) -> int | None:
        del node
        for place, count in enumerate(counts):
            if self._open[count.key] >= count.limit:
                return place
        self._open.update(count.key for count in counts)
        return None

    async def leave(self, keys: Sequence[str], node: str) -> None:
        del node
        for key in keys:
            self._open[key] -= 1
            if self._open[key] <= 0:
                del self._open[key]

    async def stay(self, node: str) -> None:
        """There is one node."""

    async def close(self) -> None:
        pass

    def _of(self, key: str, number: int) -> tuple[int, int]:
        known, now, earlier = self._counted.get(key, (number, 0, 0))
        if known == number:
            return now, earlier
        return 0, now if known == number - 1 else 0

    def _forget(self, number: int) -> None:
        self._counted = {key: kept for key, kept in self._counted.items() if kept[0] >= number - 1}
