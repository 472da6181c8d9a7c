"""How many sockets a user may have open, and how fast their messages are heeded."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct

from prosa.domain.limits import NONE, Limits, Scope
from prosa.domain.sockets import TooManyMessages, TooManySockets

LONGEST_WAIT = 2.0
"""Seconds that a message waits for its turn at most."""


class SocketLimits(Struct, frozen=True):
    """`sockets` a user may have where no limit says otherwise. `waiting` of all callers together may not have
    said yet who they are; `messages` a second are heeded of all sockets of one user."""

    sockets: int = 100
    waiting: int = 256
    messages: float = 100.0


class Crowd:
    """The open sockets of this process."""

    def __init__(self, limits: SocketLimits) -> None:
        self._limits = limits
        self._open: Counter[tuple[Scope, str]] = Counter()
        self._next: dict[str, float] = {}
        self._waiting = 0

    @contextmanager
    def unnamed(self) -> Iterator[None]:
        """A place for a socket that has not said whose it is. Raises TooManySockets."""
        if self._waiting >= self._limits.waiting:
            raise TooManySockets
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    @contextmanager
    def of(self, user_id: str, limits: Limits = NONE) -> Iterator[None]:
        """A place for a socket of this user, among those of his client and of everyone, too. Raises
        TooManySockets."""
        usual = self._limits.sockets if limits.sockets is None else limits.sockets
        places = (
            ((Scope.USER, user_id), usual),
            ((Scope.CLIENT, limits.client_id), limits.client.sockets),
            ((Scope.EVERYONE, ""), limits.everyone.sockets),
        )
        if any(most is not None and self._open[whose] >= most for whose, most in places):
            raise TooManySockets
        taken = [whose for whose, _ in places]
        self._open.update(taken)
        try:
            yield
        finally:
            self._open.subtract(taken)
            for whose in taken:
                if not self._open[whose]:
                    del self._open[whose]
            if (Scope.USER, user_id) not in self._open:
                self._next.pop(user_id, None)

    async def turn(self, user_id: str) -> None:
        """Waits until a message of this user may be heeded. Meanwhile its socket is not read, so a flood
        waits where it comes from. Raises TooManyMessages where it would take too long."""
        now = asyncio.get_running_loop().time()
        earliest = now - 1  # a second's worth may come at once
        mine = max(earliest, self._next.get(user_id, earliest))
        if mine - now > LONGEST_WAIT:
            await asyncio.sleep(
                LONGEST_WAIT
            )  # so that a flood of refusals costs no more than one of messages
            raise TooManyMessages
        self._next[user_id] = mine + 1 / self._limits.messages
        if mine > now:
            await asyncio.sleep(mine - now)
