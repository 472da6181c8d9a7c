"""Who did what to which thing: one row for each deed, in a chain that shows where it was tampered with."""

import hashlib
import json
from collections.abc import Iterable

import msgspec
from msgspec import Struct

from prosa.domain.errors import InvalidRequest
from prosa.domain.principal import Principal
from prosa.domain.time import Instant
from prosa.kit.text import well_formed

Detail = str | int | bool | None

LONGEST = 255
"""Characters of an actor, a client, an action, a target."""

LONGEST_DETAIL = 200
MOST_DETAILS = 16

SWEEP = "audit.sweep"
"""The action of the link that says what was swept."""

START = ""
"""What the first link follows."""


class Deed(Struct, frozen=True):
    """`actor` is a user's id or `key:<id of an API key>`; `target` what it was done to, as `kind:id`. The
    details are few and short, and never what people wrote."""

    actor: str
    client_id: str
    action: str
    target: str
    details: dict[str, Detail] = {}


class Link(Struct, frozen=True):
    """A deed in the chain. `id` is its place, from 1, with no gap; `hash` is over all of it and over the
    hash of the link before, `previous`."""

    id: int
    at: Instant
    deed: Deed
    previous: str
    hash: str


class Head(Struct, frozen=True):
    """How many links there are, and the hash of the last."""

    rows: int = 0
    hash: str = START


class Wanted(Struct, frozen=True):
    """Which links a list shows; None: whichever."""

    actor: str | None = None
    action: str | None = None
    since: Instant | None = None
    until: Instant | None = None


class Finding(Struct, frozen=True):
    """What a walk along the chain found. `broken_at` is the first place where it does not hold: behind the
    last link, where links are missing at the end. `head` is where the walk ended; the first `swept` of the
    `rows` were swept."""

    intact: bool
    rows: int
    broken_at: int | None
    head: Head
    swept: int = 0


def deed(by: Principal, action: str, target: str, details: dict[str, Detail]) -> Deed:
    """What `by` did, cut to what a row may hold: some of it is the caller's own words."""
    kept = {
        _short(name, LONGEST_DETAIL): _short(value, LONGEST_DETAIL) if isinstance(value, str) else value
        for name, value in list(details.items())[:MOST_DETAILS]
    }
    return Deed(
        _short(by.actor, LONGEST),
        _short(by.client_id, LONGEST),
        _short(action, LONGEST),
        _short(target, LONGEST),
        kept,
    )


def chained(done: Deed, at: Instant, head: Head) -> Link:
    """`done` as the link that follows `head`."""
    place = head.rows + 1
    return Link(place, at, done, head.hash, _hash(place, at, done, head.hash))


def sweeping(by: Principal, swept: Head) -> Deed:
    """What is put down when the links up to `swept` are taken away: only with it in the chain do they count
    as swept, and not as taken out."""
    return deed(by, SWEEP, "", {"rows": swept.rows, "hash": swept.hash})


class Walk:
    """Goes along the chain from its first link that is not `swept`, in pieces, and remembers where it breaks.
    `known` is a head that somebody kept elsewhere: the chain must still pass through it. Raises
    InvalidRequest where that was swept."""

    def __init__(self, known: Head | None = None, swept: Head | None = None) -> None:
        self._known = known or Head()
        self.swept = self.head = swept or Head()
        self._put_down = not self.swept.rows
        strange = self._known.rows == self.swept.rows and self._known != self.swept
        self.broken_at = self.swept.rows if strange else None
        if 0 < self._known.rows < self.swept.rows:
            raise InvalidRequest(
                f"the log's first {self.swept.rows} rows were swept: give a head of more rows, or none."
            )

    def over(self, links: Iterable[Link]) -> bool:
        """Whether all of these follow what was walked before, and each other."""
        for link in links:
            strange = link.id == self._known.rows and link.hash != self._known.hash
            if self.broken_at is not None or strange or link != chained(link.deed, link.at, self.head):
                self.broken_at = self.broken_at or self.head.rows + 1
                return False
            self.head = Head(link.id, link.hash)
            if link.deed.action == SWEEP and link.deed.details == msgspec.structs.asdict(self.swept):
                self._put_down = True
        return True

    def end(self, head: Head) -> Finding:
        """`head` is what was kept beside the chain when its last link was read."""
        short = self.head.rows < self._known.rows
        if self.broken_at is None and (short or head != self.head):
            self.broken_at = self.head.rows + 1
        if self.broken_at is None and not self._put_down:
            self.broken_at = self.swept.rows
        return Finding(self.broken_at is None, self.head.rows, self.broken_at, self.head, self.swept.rows)


def canonical(details: dict[str, Detail]) -> str:
    """As a row keeps them: the same text for the same details."""
    return json.dumps(details, sort_keys=True, separators=(",", ":"))


def _hash(place: int, at: Instant, done: Deed, previous: str) -> str:
    said = [place, at, done.actor, done.client_id, done.action, done.target, done.details, previous]
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _short(text: str, most: int) -> str:
    plain = well_formed(text)
    return plain if len(plain) <= most else plain[: most - 1] + "…"
