"""How long what is kept is kept: by kind, for everybody and for some clients."""

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct

from prosa.domain.time import DAY, Instant

Days = Annotated[int, Meta(ge=1, le=36_500)]
Kept = Days | Literal["forever"]
Kind = Literal["messages", "files", "journal", "cache"]
KINDS: tuple[Kind, ...] = ("journal", "cache", "files", "messages")


class Keep(Struct, frozen=True, forbid_unknown_fields=True):
    """In days; None: as for everybody. `messages` goes by conversations: one in which nothing has happened
    for as long goes as a whole."""

    messages: Kept | None = None
    files: Kept | None = None
    journal: Kept | None = None
    cache: Kept | None = None


class Retention(Keep, frozen=True, forbid_unknown_fields=True):
    """For everybody, and by `clients` for theirs; the `audit` log and the `logs` of days that are over are
    one for all. What is None is kept for ever."""

    clients: dict[str, Keep] = {}
    audit: Kept | None = None
    logs: Kept | None = None

    def limit(self, kind: Kind, client_id: str, now: Instant) -> Instant | None:
        """What is of this client and older goes; None: nothing does."""
        own = self.clients.get(client_id)
        days: Kept | None = None if own is None else getattr(own, kind)
        if days is None:
            days = getattr(self, kind)
        return None if days is None or days == "forever" else Instant(now - days * DAY)

    def audited(self, now: Instant) -> Instant | None:
        """Before the day of UTC that begins then the audit log goes; None: it does not."""
        if self.audit is None or self.audit == "forever":
            return None
        before = now - self.audit * DAY
        return Instant(before - before % DAY)

    def latest(self, kind: Kind, now: Instant) -> Instant | None:
        """Nothing that is younger goes, whosever it is."""
        found = [self.limit(kind, client, now) for client in (*self.clients, "")]
        return max((each for each in found if each is not None), default=None)


class Old(Struct, frozen=True):
    """A row that may be too old: whose it is, and when something last happened to it."""

    id: str
    user_id: str
    client_id: str
    at: Instant


Swept = Mapping[str, int]
"""How much of each kind went."""
