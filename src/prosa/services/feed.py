"""The feed of a conversation: who watches it hears of each change, on whichever node, and looks again."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from msgspec import Struct

from prosa.domain.conversations import Conversation
from prosa.domain.errors import ConversationNotFound, StoreUnavailable
from prosa.domain.principal import Principal
from prosa.domain.runs import Run
from prosa.ports.store import Store

PAUSE = 0.05
"""Seconds between two looks: what happens meanwhile is told together."""

AGAIN = 1.0
"""Seconds until the next look where the store did not answer."""

MOST_BEGUN = 32
"""Runs whose names a watcher keeps at most; who is told of more looks which ones go on."""


class News(Struct, frozen=True):
    """What a watcher sees: the conversation as it is now (None: he has it no longer), the runs that were
    begun since he last looked, and whether messages changed without a run. `whole` says that something may
    have been missed: then `runs` are those that go on."""

    conversation: Conversation | None
    runs: Sequence[Run] = ()
    messages: bool = False
    whole: bool = False


class Watch:
    """One watcher of one conversation. It keeps what it has to look for, and nothing of what it saw."""

    __slots__ = (
        "_begun", "_conversation_id", "_looked", "_messages", "_principal", "_stirred", "_store", "_waiter",
        "_woken",
    )  # fmt: skip

    def __init__(self, store: Store, principal: Principal, conversation_id: str) -> None:
        self._store = store
        self._principal = principal
        self._conversation_id = conversation_id
        self._begun: list[str] | None = None  # none by name: look for all that go on
        self._messages = False
        self._stirred = True
        self._looked = 0.0
        self._woken = False
        self._waiter: asyncio.Future[None] | None = None

    async def news(self) -> News | None:
        """The whole at first, then what changed, once something did; None where `wake` was called."""
        self._woken = False
        while not self._woken:
            if not self._stirred:
                await self._wait(None)
                continue
            loop = asyncio.get_running_loop()
            if loop.time() < self._looked + PAUSE:
                await self._wait(self._looked + PAUSE - loop.time())
                continue
            try:
                return await self._look()
            except StoreUnavailable:
                await self._wait(AGAIN)
        return None

    def wake(self) -> None:
        """Makes a `news` that waits return at once."""
        self._woken = True
        self._signal()

    def began(self, run_id: str) -> None:
        if self._begun is not None:
            self._begun.append(run_id)
            if len(self._begun) > MOST_BEGUN:
                self._begun = None
                self._messages = True
        self.stir()

    def rewrote(self) -> None:
        """Messages changed without a run."""
        self._messages = True
        self.stir()

    def missed(self) -> None:
        """Anything may have happened."""
        self._begun = None
        self._messages = True
        self.stir()

    def stir(self) -> None:
        """Something changed."""
        self._stirred = True
        self._signal()

    def _signal(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _wait(self, seconds: float | None) -> None:
        """Until something happens where `seconds` is None, else as long, whatever happens but a `wake`."""
        loop = asyncio.get_running_loop()
        until = None if seconds is None else loop.time() + seconds
        while True:
            self._waiter = loop.create_future()
            try:
                async with asyncio.timeout_at(until):
                    await self._waiter
            except TimeoutError:
                return
            finally:
                self._waiter = None
            if until is None or self._woken:
                return

    async def _look(self) -> News:
        begun, messages = self._begun, self._messages
        self._begun, self._messages, self._stirred = [], False, False
        try:
            seen = self._store.of(self._principal).runs.seen(self._conversation_id, begun)
            conversation, runs = await seen
        except ConversationNotFound:
            return News(None)
        except BaseException:
            self._begun, self._messages, self._stirred = None, True, True
            raise
        finally:
            self._looked = asyncio.get_running_loop().time()
        return News(conversation, runs, messages, whole=begun is None)


class Feed:
    """Who watches which conversation in this process. A change that nobody watches costs one look into a
    dictionary."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._watchers: dict[str, set[Watch]] = {}

    @contextmanager
    def watching(self, principal: Principal, conversation_id: str) -> Iterator[Watch]:
        """A watcher that hears of all that is committed from now on, in the principal's name."""
        watch = Watch(self._store, principal, conversation_id)
        self._watchers.setdefault(conversation_id, set()).add(watch)
        try:
            yield watch
        finally:
            there = self._watchers[conversation_id]
            there.discard(watch)
            if not there:
                del self._watchers[conversation_id]

    def heard(self, kind: str, ids: Sequence[str]) -> None:
        """What a node told all; without ids, of any conversation."""
        if not self._watchers:
            return
        if not ids:
            for watchers in self._watchers.values():
                for watch in watchers:
                    watch.missed()
        elif kind == "begun":
            for conversation_id, run_id in zip(ids[::2], ids[1::2], strict=True):
                for watch in self._watchers.get(conversation_id, ()):
                    watch.began(run_id)
        else:
            for conversation_id in ids:
                for watch in self._watchers.get(conversation_id, ()):
                    watch.rewrote() if kind == "messages" else watch.stir()
