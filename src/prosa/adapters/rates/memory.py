"""Counts of this process alone."""

from collections.abc import Sequence

from prosa.domain.rates import Count, Slot, Taken, has_room

MOST_KEYS = 100_000


class MemoryRates:
    """Serves `ports.rates.Rates`."""

    def __init__(self) -> None:
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

    async def close(self) -> None:
        pass

    def _of(self, key: str, number: int) -> tuple[int, int]:
        known, now, earlier = self._counted.get(key, (number, 0, 0))
        if known == number:
            return now, earlier
        return 0, now if known == number - 1 else 0

    def _forget(self, number: int) -> None:
        self._counted = {key: kept for key, kept in self._counted.items() if kept[0] >= number - 1}
