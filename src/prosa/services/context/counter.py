"""Counts tokens in a thread, before it is asked whether they fit, and keeps the counts with the messages."""

import asyncio

from msgspec import json

from prosa.domain.context import Counts, Shown
from prosa.domain.principal import Principal
from prosa.ports.store import Store
from prosa.services.context import encodings
from prosa.services.context.counts import count_parts
from prosa.services.context.fitting import SYSTEM, Uncounted, size_of_message


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
