"""The keys of one provider: which one is asked next, which ones are left alone, which ones may go."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from msgspec import Struct

from prosa.domain.alerts import Trouble
from prosa.domain.errors import NoUsableKey, ProviderError, RateLimited
from prosa.kit.clock import Clock
from prosa.kit.log import log
from prosa.ports.models import ChatModel

ASIDE = 3600.0
"""Seconds for which a key that was refused, or that has no credit left, is not used."""
LAST_RESORT = 60.0
"""Seconds after which such a key is tried again where no other is left: credit may have been added."""
REST = 5.0
"""Seconds for which a key rests where its provider does not say how long to wait."""


class Key(Struct, frozen=True):
    """A model that speaks with one key. `id` is the store's, None for the key of the environment; a key of
    weight 2 is asked twice as often as one of weight 1. `aside` says that the store knows it as set aside."""

    id: str | None
    model: ChatModel
    weight: int = 1
    aside: bool = False


class Held:
    """A key on the ring, and how it fares. Times are the ring's clock's."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self.turn = 0
        self.streams = 0
        self.rests_until = 0.0
        self.aside_since: float | None = None
        self.retired = False

    def usable(self, now: float, patience: float) -> bool:
        return self.aside_since is None or now - self.aside_since >= patience


def unheard(key: str | None, error: ProviderError | None) -> None:
    """Nobody has to be told that a key was set aside."""


def unmoved(trouble: Trouble) -> None:
    """Nobody has to be told of trouble."""


class KeyRing:
    """Keys in turn, as often as they weigh: a smooth round robin, in which equal keys alternate.

    `told` hears of each key that is set aside, by its id, with the error that did it; and without one when
    the key works again.
    """

    def __init__(
        self,
        provider: str,
        keys: Sequence[Key],
        *,
        told: Callable[[str | None, ProviderError | None], None] = unheard,
        clock: Clock = time.monotonic,
    ) -> None:
        self.provider = provider
        self.troubled: Callable[[Trouble], None] = unmoved
        """Hears of each key, whosever it is, that is set aside, and of models that are left alone."""
        self._told = told
        self._clock = clock
        self._held: list[Held] = []
        self._verdict: Callable[[], ProviderError] = partial(NoUsableKey, provider)
        self._closing: set[asyncio.Task[None]] = set()
        self.replace(keys)

    def __len__(self) -> int:
        """How many keys it has, however they fare."""
        return len(self._held)

    def pick(self, tried: Sequence[Held] = ()) -> Held | None:
        """The key to ask, or None where no other than the `tried` ones can be.

        A first pick takes a key that rests where all do, for its provider is the judge of that; and one that
        was set aside where no other is left, once a minute. Raises the error that set the last key aside, or
        NoUsableKey, where even that is not to be had.
        """
        now = self._clock()
        usable = [held for held in self._held if held.usable(now, ASIDE) and held not in tried]
        if free := [held for held in usable if held.rests_until <= now]:
            return self._next(free)
        if tried:
            return None
        if usable:
            return min(usable, key=lambda held: held.rests_until)
        for held in self._held:
            if held.usable(now, LAST_RESORT):
                return held
        raise self._verdict()

    @contextmanager
    def using(self, held: Held) -> Iterator[ChatModel]:
        """The model of a picked key, which is not closed while somebody speaks with it."""
        held.streams += 1
        try:
            yield held.key.model
        finally:
            held.streams -= 1
            if held.retired and not held.streams:
                self._close(held)

    def rest(self, held: Held, seconds: float | None) -> None:
        """The key is limited for so long; other keys go before it."""
        held.rests_until = self._clock() + (REST if seconds is None else seconds)

    def set_aside(self, held: Held, error: ProviderError) -> None:
        """The key was refused, or ran out."""
        known = held.aside_since is not None
        held.aside_since = self._clock()
        self._verdict = partial(type(error), **error.details)  # anew each time: errors keep their tracebacks
        if not known and not held.retired:
            log.warning("key_set_aside", provider=self.provider, key=held.key.id, code=error.code)
            self._told(held.key.id, error)
            self.troubled(Trouble(self.provider, error.code, key=held.key.id))

    def suspended(self, model: str, code: str) -> None:
        """All keys together do not help: the model is left alone for a while."""
        self.troubled(Trouble(self.provider, code, model=model))

    def works(self, held: Held) -> None:
        """The key was accepted."""
        if held.aside_since is not None:
            held.aside_since = None
            log.info("key_works_again", provider=self.provider, key=held.key.id)
            if not held.retired:
                self._told(held.key.id, None)

    def limited(self) -> RateLimited:
        """What is to be told where all keys are limited: the wait for the first of them."""
        now = self._clock()
        rests = [held.rests_until - now for held in self._held if held.usable(now, ASIDE)]
        return RateLimited(self.provider, max(0.0, min(rests)) if rests else None)

    def replace(self, keys: Sequence[Key]) -> None:
        """From now on these. A model that goes is closed once its last stream has ended; one that stays (the
        same object) stays as it fares."""
        before = {id(held.key.model): held for held in self._held}
        now = []
        for key in keys:
            held = before.pop(id(key.model), None) or Held(key)
            held.key = key
            if key.aside and held.aside_since is None:
                held.aside_since = self._clock()
            now.append(held)
        self._held = now
        for held in before.values():
            held.retired = True
            if not held.streams:
                self._close(held)

    async def close(self) -> None:
        for held in self._held:
            await held.key.model.close()
        await asyncio.gather(*self._closing)

    def _next(self, free: Sequence[Held]) -> Held:
        for held in free:
            held.turn += held.key.weight
        chosen = max(free, key=lambda held: held.turn)
        chosen.turn -= sum(held.key.weight for held in free)
        return chosen

    def _close(self, held: Held) -> None:
        task = asyncio.get_running_loop().create_task(held.key.model.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
