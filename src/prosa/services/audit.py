"""The audit log: what is put down in it, read of it, and how it is checked."""

from prosa.domain.audit import Detail, Finding, Head, Link, Wanted, deed
from prosa.domain.errors import InvalidRequest
from prosa.domain.principal import Principal
from prosa.domain.time import now
from prosa.kit.pages import from_cursor, to_cursor
from prosa.ports.store import Store


class Audit:
    """Of deeds that matter: who did what to which thing, never what was said."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def note(self, by: Principal, action: str, target: str = "", /, **details: Detail) -> None:
        """Puts down that `by` did `action` to `target` (`kind:id`); it stands once this returns. What is too
        long is cut. Raises StoreUnavailable: then nothing is put down, and the deed must not be done."""
        await self._put(by, action, target, details)

    async def page(
        self, by: Principal, wanted: Wanted, limit: int, cursor: str | None
    ) -> tuple[list[Link], str | None]:
        """Newest first, and where the next page begins; that it was read is put down before. Raises
        InvalidRequest (the cursor)."""
        before = _place(cursor)
        if before is None:
            await self._put(by, "admin.audit.read", "", _told(wanted))
        links = [*await self._store.operator(by).audit.page(wanted, limit + 1, before)]
        return links[:limit], to_cursor(links[limit - 1].id) if len(links) > limit else None

    async def verify(self, by: Principal, known: Head | None = None) -> Finding:
        """Walks along the whole chain, which must pass through `known`, a head of earlier; that it was walked
        is put down behind it."""
        found = await self._store.operator(by).audit.verify(known)
        await self.note(by, "admin.audit.verify", intact=found.intact, rows=found.rows)
        return found

    async def _put(self, by: Principal, action: str, target: str, details: dict[str, Detail]) -> None:
        await self._store.operator(by).audit.add(deed(by, action, target, details), now())


def _place(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    match from_cursor(cursor):
        case [int(place)] if 0 < place < 1 << 63:
            return place
    raise InvalidRequest("cursor must be the nextCursor of an earlier answer.")


def _told(wanted: Wanted) -> dict[str, Detail]:
    given = {
        "by_actor": wanted.actor,
        "of_action": wanted.action,
        "since": wanted.since,
        "until": wanted.until,
    }
    return {name: value for name, value in given.items() if value is not None}
