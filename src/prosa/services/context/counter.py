"""Counts tokens in a thread, before it is asked whether they fit, and keeps the counts with the messages."""

import asyncio
from collections.abc import Sequence

from msgspec import json

from prosa.domain.context import Counts, Shown
from prosa.domain.principal import Principal
from prosa.ports.store import Store
from prosa.services.context import encodings
from prosa.services.context.counts import MESSAGE, count_parts
from prosa.services.context.fitting import SYSTEM, Uncounted, estimates, size_of_message, stored_count


class Counter:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def count(self, principal: Principal, conversation_id: str, wanted: Uncounted) -> dict[str, int]:
        """The tokens of what is `wanted`, by message, and of the instructions. Raises StoreUnavailable."""
        counted = await asyncio.to_thread(_count, wanted)
        kept = {
            each.id: _joined(each, wanted.encoding, counted[each.id])
            for each in wanted.messages
            if len(each.id) == _ID  # not of a history that came with the request
        }
        await self._store.of(principal).messages.count(conversation_id, kept)
        return counted

    async def tokens(
        self, principal: Principal, conversation_id: str, branch: Sequence[Shown], encoding: str | None
    ) -> list[int]:
        """The tokens of each message of a stored branch, with what stands around it: exact where there is an
        encoding, else estimates. Raises StoreUnavailable."""
        sizes = [size_of_message(each) for each in branch]
        if encoding is None:
            return estimates(branch, sizes)
        known = [stored_count(each, size, encoding) for each, size in zip(branch, sizes, strict=True)]
        missing = [each for each, found in zip(branch, known, strict=True) if found is None]
        wanted = Uncounted(encoding, missing, None)
        counted = await self.count(principal, conversation_id, wanted) if missing else {}
        return [
            (counted[each.id] if found is None else found) + MESSAGE * len(each.turns)
            for each, found in zip(branch, known, strict=True)
        ]


_ID = 36


def _count(wanted: Uncounted) -> dict[str, int]:
    counted = {each.id: count_parts(each.turns, wanted.encoding) for each in wanted.messages}
    return {**counted, SYSTEM: encodings.count(wanted.system or "", wanted.encoding)}


def _joined(message: Shown, encoding: str, tokens: int) -> Counts:
    """With what was counted before in another encoding, if it still holds."""
    size = size_of_message(message)
    before = None if message.counts is None else json.decode(message.counts, type=Counts)
    by = before.by if before is not None and before.size == size else {}
    return Counts(size, {**by, encoding: tokens})
