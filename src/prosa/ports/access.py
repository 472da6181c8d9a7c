"""Where API keys and suspensions are kept, and where others' public keys come from.

They belong to the operator: no view of a principal (`Store.of`) reaches them.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from prosa.domain.access import ApiKey, StoredApiKey, Suspension
from prosa.domain.keys import Sealed
from prosa.domain.time import Instant


class Access(Protocol):
    """Each call is one transaction; what changes anything tells the other nodes (`heard("access", ids)`; no
    ids: a suspension)."""

    async def add(self, key: ApiKey, hashed: str, sealed: Sealed | None) -> None:
        """Raises TooManyApiKeys."""
        ...

    async def get(self, key_id: str) -> StoredApiKey:
        """Raises ApiKeyNotFound."""
        ...

    async def many(self, key_ids: Sequence[str]) -> list[ApiKey]: ...

    async def page(self, user_id: str | None, limit: int, before: str | None) -> list[ApiKey]:
        """The newest first, of one user or of all, past the id `before`; revoked ones, too."""
        ...

    async def revoke(self, key_id: str, user_id: str | None, now: Instant) -> ApiKey:
        """Of this user, or (None) of anybody. Once revoked, it stays as it is. Raises ApiKeyNotFound."""
        ...

    async def used(self, uses: Mapping[str, Instant]) -> None:
        """By key: when it was used last."""
        ...

    async def sealed(self) -> list[tuple[ApiKey, Sealed]]:
        """The keys that sign."""
        ...

    async def reseal(self, key_id: str, before: Sealed, after: Sealed) -> bool:
        """Puts `after` in the place of `before`. False where something else stands there by now."""
        ...

    async def suspensions(self) -> list[Suspension]:
        """In the order of their making."""
        ...

    async def suspend(self, suspension: Suspension) -> None:
        """In place of one that there is of the same subject."""
        ...

    async def lift(self, kind: str, subject: str) -> None:
        """Raises SuspensionNotFound."""
        ...


class KeyHost(Protocol):
    """Who publishes the public keys that tokens of others are checked with."""

    async def fetch(self) -> bytes:
        """The JSON Web Key Set as it is now: 256 KiB at most, in 5 seconds. Raises OSError, ValueError."""
        ...
