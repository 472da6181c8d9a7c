"""Conversations from a file into the store of their new owner: read in a thread, stored some at a time."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import IO

from msgspec import Struct

from prosa.domain.errors import ProsaError, StoreUnavailable
from prosa.domain.imports import BrokenFile, ImportFailed, Planted, Planting, Told, UnknownFile
from prosa.domain.principal import Principal
from prosa.domain.time import now
from prosa.ports.store import Store
from prosa.services.imports.plant import Owner, plant
from prosa.services.imports.sources import Source, conversations

MOST_AT_ONCE = 2
"""Imports that are worked on at the same time; further ones wait."""
BATCH = 50
BATCH_MESSAGES = 100
"""What is stored at once: SQLite's writer does nothing else for some milliseconds."""
MOST_FAILURES = 1_000
"""Failures that are told one by one."""


class Failure(Struct, frozen=True):
    """`id` is the one that the file gives; None where it is the file itself that is broken."""

    id: str | None
    error: ProsaError


class Progress(Struct, frozen=True):
    """What was looked at so far, whatever became of it."""

    conversations: int
    messages: int


class Done(Struct, frozen=True):
    """`imported` conversations are new or have new messages, `skipped` ones were there already; `messages`
    are new; `more` failures are not among `failed`."""

    imported: int
    skipped: int
    messages: int
    failed: Sequence[Failure]
    more: int = 0


class Import:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._room = asyncio.Semaphore(MOST_AT_ONCE)

    async def run(
        self, principal: Principal, file: IO[bytes], source: Source = "auto"
    ) -> AsyncGenerator[Progress | Done, None]:
        """Stores what `file` holds; says how far it is, and at the end what became of it. Raises UnknownFile,
        NewerFile, RefusedArchive, StoreUnavailable before anything else; later failures are told at the end.
        """
        count = _Count()
        pieces = _pieces(principal, file, source)
        while await self._work(principal, pieces, count):
            yield Progress(count.conversations, count.seen)
        if not count.conversations:
            raise UnknownFile
        yield Done(count.imported, count.skipped, count.messages, count.failed, count.more)

    async def _work(
        self, principal: Principal, pieces: Iterator[Planting | Failure], count: "_Count"
    ) -> bool:
        """One batch; False where there is no further one. Whoever does not read what is told of it keeps
        nobody's place."""
        async with self._room:
            batch = await asyncio.to_thread(_batch, pieces)
            try:
                await self._store_batch(principal, batch, count)
            except StoreUnavailable as error:
                if not count.imported + count.skipped:
                    raise
                count.fail(Failure(None, error))
                return False
        return bool(batch)

    async def _store_batch(
        self, principal: Principal, batch: Sequence[Planting | Failure], count: "_Count"
    ) -> None:
        plantings = []
        for piece in batch:
            if isinstance(piece, Failure):
                count.fail(piece)
            else:
                plantings.append(piece)
        await self._plant(principal, plantings, count)
        count.conversations += len(batch)
        count.seen += sum(len(each.seedlings) for each in plantings)

    async def _plant(self, principal: Principal, plantings: Sequence[Planting], count: "_Count") -> None:
        """All together; where one of them can't be, each by itself."""
        try:
            for planted in await self._store.of(principal).imports.plant(plantings):
                count.take(planted)
        except ImportFailed as error:
            if len(plantings) == 1:
                count.fail(Failure(plantings[0].conversation.id, error))
                return
            for each in plantings:
                await self._plant(principal, [each], count)


class _Count:
    def __init__(self) -> None:
        self.conversations = self.seen = 0
        self.imported = self.skipped = self.messages = self.more = 0
        self.failed: list[Failure] = []

    def take(self, planted: Planted) -> None:
        self.messages += planted.messages
        if planted.new or planted.messages:
            self.imported += 1
        else:
            self.skipped += 1

    def fail(self, failure: Failure) -> None:
        if len(self.failed) < MOST_FAILURES:
            self.failed.append(failure)
        else:
            self.more += 1


def _pieces(principal: Principal, file: IO[bytes], source: Source) -> Iterator[Planting | Failure]:
    """What the file holds, each as it is to be stored. For a thread."""
    moment, begun = now(), False
    try:
        for name, found in conversations(file, source):
            begun = True
            owner = Owner(principal, name, moment)
            yield _planted(owner, found) if isinstance(found, Told) else Failure(*found)
    except ImportFailed as error:
        if not begun:
            raise (UnknownFile() if isinstance(error, BrokenFile) else error) from None
        yield Failure(None, error)


def _planted(owner: Owner, told: Told) -> Planting | Failure:
    try:
        return plant(owner, told)
    except ImportFailed as error:
        return Failure(told.id, error)


def _batch(pieces: Iterator[Planting | Failure]) -> list[Planting | Failure]:
    batch: list[Planting | Failure] = []
    messages = 0
    for piece in itertools.islice(pieces, BATCH):
        batch.append(piece)
        messages += len(piece.seedlings) if isinstance(piece, Planting) else 0
        if messages >= BATCH_MESSAGES:
            break
    return batch
