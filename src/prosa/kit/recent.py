"""What was made a moment ago: a bounded memory whose entries end after a while."""

import time
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

from prosa.kit.clock import Clock

T = TypeVar("T")


class Recent(Generic[T]):
    """At most `most` entries, each for `seconds`; whoever was asked for longest ago goes first."""

    def __init__(self, most: int, seconds: float, clock: Clock = time.monotonic) -> None:
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._entries: OrderedDict[Hashable, tuple[T, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Hashable) -> T | None:
        found = self._entries.get(key)
        if found is None:
            return None
        value, until = found
        if self._clock() >= until:
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return value

    def clear(self) -> None:
        self._entries.clear()

    def put(self, key: Hashable, value: T) -> None:
        self._entries[key] = value, self._clock() + self._seconds
        self._entries.move_to_end(key)
        while len(self._entries) > self._most:
            self._entries.popitem(last=False)
