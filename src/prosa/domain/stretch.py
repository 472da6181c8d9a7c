"""A stretch of a branch: some of its messages, one after the other."""

from collections.abc import Sequence

from msgspec import Struct

from prosa.domain.conversations import Message


class Place(Struct, frozen=True):
    """A stretch begins past `after`, a message of the branch that ended at `head` when its place was told."""

    after: str
    head: str


class Stretch(Struct, frozen=True):
    """`siblings` are each message's, itself included, in the order of their making; `next` is where the next
    stretch begins, None where there is none."""

    messages: Sequence[Message]
    siblings: Sequence[list[str]]
    next: Place | None
