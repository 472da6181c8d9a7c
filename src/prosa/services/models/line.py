"""Who is next: a bounded line before a bounded number of places, in which users take turns."""

import asyncio
import time
from collections import deque
from collections.abc import Iterator
from math import ceil

from prosa.kit.clock import Clock

LONGEST_WAIT = 3600.0
PACE = 0.05
"""Seconds between two who are served after the line was closed: all at once they would close it again."""


class Waiter:
    """One who has a place, or stands in line for one."""

    def __init__(self, user: str) -> None:
        self.user = user
        self.position = 0
        self.since: float | None = None
        self._news = asyncio.Event()

    @property
    def served(self) -> bool:
        return self.since is not None

    def told(self) -> None:
        self._news.set()

    async def news(self) -> None:
        """Waits until the position is another one, or the waiter is served."""
        await self._news.wait()
        self._news.clear()


class Line:
    """`places` at once (None: any number), `waiting` in line, `waiting_each` of them of one user.

    Users take turns, each with the oldest waiter first: whoever comes with one waits for one of each other
    user at most. Everything but `full` belongs to the loop.
    """

    def __init__(
        self, places: int | None, waiting: int, waiting_each: int, clock: Clock = time.monotonic
    ) -> None:
        self.taken = 0
        self.waiting = 0
        self._places = places
        self._most = waiting
        self._most_each = waiting_each
        self._clock = clock
        self._users: dict[str, deque[Waiter]] = {}
        self._closed_until = 0.0
        self._paced = False
        self._typical = 1.0
        self._timer: asyncio.TimerHandle | None = None

    def full(self, user: str) -> int | None:
        """None where `user` may enter; else the whole seconds until there may be room. Any thread may ask:
        nothing but numbers is read."""
        if self._open() and not self.waiting:
            return None
        mine = self._users.get(user)
        if self.waiting < self._most and (mine is None or len(mine) < self._most_each):
            return None
        return self._estimate()

    def enter(self, user: str) -> Waiter:
        """A waiter, served already or in line, which must not be `full`. Whoever entered has to `leave`."""
        waiter = Waiter(user)
        if self._open() and not self.waiting:
            self._paced = False  # whoever waited for the line to open is through
            waiter.since = self._clock()
            self.taken += 1
            return waiter
        self._users.setdefault(user, deque()).append(waiter)
        self.waiting += 1
        self._serve()
        return waiter

    def leave(self, waiter: Waiter) -> None:
        """Gives the place back, or leaves the line."""
        if waiter.since is None:
            self._remove(waiter)
        else:
            self.taken -= 1
            self._typical += (self._clock() - waiter.since - self._typical) / 8
        if self.waiting or waiter.since is None:
            self._serve()

    def close_for(self, seconds: float) -> None:
        """Nobody is served for so long; those who have a place keep it."""
        self._closed_until = max(self._closed_until, self._clock() + seconds)
        self._paced = True
        self._serve()

    def closed_for(self) -> float:
        """Seconds until the line moves again."""
        return max(0.0, self._closed_until - self._clock())

    def _open(self) -> bool:
        return not self.closed_for() and (self._places is None or self.taken < self._places)

    def _serve(self) -> None:
        while self._users and self._open():
            user, waiters = next(iter(self._users.items()))
            waiter = waiters[0]
            self._remove(waiter)
            if user in self._users:  # the user's next turn is after everybody else's
                self._users[user] = self._users.pop(user)
            waiter.since = self._clock()
            waiter.told()
            self.taken += 1
            if self._paced:
                self._closed_until = self._clock() + PACE
        self._wake()
        for position, waiter in enumerate(self._order(), 1):
            if waiter.position != position:
                waiter.position = position
                waiter.told()

    def _remove(self, waiter: Waiter) -> None:
        waiters = self._users[waiter.user]
        waiters.remove(waiter)
        if not waiters:
            del self._users[waiter.user]
        self.waiting -= 1

    def _order(self) -> Iterator[Waiter]:
        """All in line, as they will be served."""
        turns = list(self._users.values())
        depth = 0
        while turns:
            for waiters in turns:
                yield waiters[depth]
            depth += 1
            turns = [waiters for waiters in turns if len(waiters) > depth]

    def _wake(self) -> None:
        """Looks again when the line opens, if somebody waits for that."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.waiting and (seconds := self.closed_for()):
            self._timer = asyncio.get_running_loop().call_later(seconds, self._serve)

    def _estimate(self) -> int:
        """What one place takes of late, shared by all places."""
        turn = self._typical / (self._places or 1)
        return ceil(min(LONGEST_WAIT, max(1.0, self.closed_for() + turn)))
