"""Search over the messages of one's own."""

import asyncio
import contextlib

from msgspec import Struct

from prosa.domain.errors import InvalidRequest, MessageNotFound, StoreUnavailable
from prosa.domain.principal import Principal
from prosa.domain.search import Found, Hits, Piece, Sought, Spot, beginning
from prosa.kit.pages import from_cursor, to_cursor
from prosa.ports.store import Search as StoredSearch
from prosa.ports.store import Store

MOST = 2**63
"""No number in a place is greater."""

PAUSE = 2.0
"""Seconds between two looks at what waits for the index."""

WAITING = 256
"""Messages that wait for the index at most, if nobody searches: many at once cost a quarter."""


LONGEST = 1.0
"""Seconds for which a search waits for the index: while somebody imports a lot, it is behind."""


class Hit(Struct, frozen=True):
    """A message that was found, and a line of it in which the hits are marked."""

    found: Found
    pieces: list[Piece]


class Search:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._keeper: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Keeps the index from now on, so that no search has much to wait for."""
        self._keeper = asyncio.create_task(self._keep(), name="prosa-search")

    async def close(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)

    async def page(
        self, principal: Principal, sought: Sought, limit: int, cursor: str | None
    ) -> tuple[list[Hit], str | None]:
        """At most `limit`, newest message first, and the next page's cursor. Raises InvalidRequest,
        ConversationNotFound (`conversation_id`)."""
        before = _place(cursor)
        records = self._store.of(principal)
        if sought.conversation_id is not None:
            await records.conversations.get(sought.conversation_id)
        if not sought.phrases:
            return [], None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LONGEST):
                await self._store.index()
        found = await records.search.page(sought, limit + 1, before)
        seen = Hits(sought.phrases)
        hits = []
        for each in found[:limit]:
            hits.append(Hit(each, await _pieces(records.search, seen, each)))
            await asyncio.sleep(0)  # a page of long messages takes a while, and others are waiting
        return hits, to_cursor(*found[limit - 1].place) if len(found) > limit else None

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(PAUSE)
            with contextlib.suppress(StoreUnavailable):  # the next look comes soon
                await self._store.index(WAITING)


async def _pieces(records: StoredSearch, seen: Hits, found: Found) -> list[Piece]:
    """Of a long message whose beginning has no hit, the whole text is looked through: one at a time."""
    pieces = seen.pieces(found.text)
    if pieces is None and found.cut:
        try:
            pieces = seen.pieces(await records.text(found.message_id))
        except MessageNotFound:  # it was deleted meanwhile
            pieces = None
    return beginning(found.text) if pieces is None else pieces


def _place(cursor: str | None) -> Spot | None:
    if cursor is None:
        return None
    match from_cursor(cursor):
        case [int(number), str(name)] if -MOST <= number < MOST and len(name) <= len("-" * 36):
            return number, name
    raise InvalidRequest("cursor must be the nextCursor of an earlier answer.")
