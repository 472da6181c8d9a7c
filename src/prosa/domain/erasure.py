"""What is erased of a user or of a client, and the receipt of it."""

import hashlib
from enum import StrEnum

from msgspec import Struct

from prosa.domain.principal import RESERVED
from prosa.domain.time import Instant

ERASED = RESERVED + "erased:"


class Scope(StrEnum):
    USER = "user"
    CLIENT = "client"


class Erasure(Struct, frozen=True):
    """`subject` is a user's or a client's id, which is forgotten once it is done (`erased_at`): whoever knows
    it can tell by `hash` that the receipt is of it. `counts` is what there was when it began."""

    id: str
    scope: Scope
    subject: str | None
    hash: str
    counts: dict[str, int]
    begun_at: Instant
    erased_at: Instant | None = None

    @property
    def pseudonym(self) -> str:
        """Who the ledger says it was."""
        return ERASED + self.id


def hash_of(erasure_id: str, subject: str) -> str:
    return hashlib.sha256(f"{erasure_id} {subject}".encode()).hexdigest()
