"""Where providers' keys are kept, and what seals them.

The keys belong to the operator: no view of a principal (`Store.of`) reaches them.
"""

from collections.abc import Mapping
from typing import Protocol

from prosa.domain.audit import Deed
from prosa.domain.keys import KeyUse, Place, ProviderKey, Sealed, StoredKey
from prosa.domain.time import Instant


class ProviderKeys(Protocol):
    """Each call is one transaction, with the row of the audit log that is given; what changes keys tells the
    other nodes (`heard("keys", ids)`)."""

    async def all(self) -> list[StoredKey]:
        """Retired ones too, in the order in which they were added."""
        ...

    async def get(self, key_id: str) -> StoredKey:
        """Raises KeyNotFound."""
        ...

    async def add(self, key: ProviderKey, sealed: Sealed, noted: Deed | None = None) -> None: ...

    async def replace(self, key_id: str, key: ProviderKey, sealed: Sealed, noted: Deed | None = None) -> None:
        """Adds `key` and retires the one that it stands in for, both or none. Raises KeyNotFound,
        KeyRetired."""
        ...

    async def set_aside(self, key_id: str, reason: str, now: Instant) -> bool:
        """Whether it was active until now."""
        ...

    async def restore(self, key_id: str) -> bool:
        """Whether it was set aside until now; it is active again."""
        ...

    async def retire(self, key_id: str, now: Instant, noted: Deed | None = None) -> None:
        """Its secret is deleted; the rest stays, for the ledger speaks of it. Once retired, it stays as it
        is. Raises KeyNotFound."""
        ...

    async def reseal(self, key_id: str, before: Sealed, after: Sealed) -> bool:
        """Puts `after` in the place of `before`. False where something else stands there by now."""
        ...

    async def used(self, since: Instant) -> Mapping[str, tuple[KeyUse, Instant]]:
        """By key: what was spent with it since then, and when it was used last, however long ago."""
        ...


class Vault(Protocol):
    """Seals secrets under a master key that never leaves it. Waits for files: call it in a thread."""

    def masters(self) -> tuple[str, ...]:
        """The names of the master keys at hand, the one that seals first; none where none was made yet.
        Raises MisconfiguredError."""
        ...

    def prepare(self) -> None:
        """Makes a master key where there is none. Raises MisconfiguredError where that is the operator's to
        do."""
        ...

    def seal(self, secret: str, place: Place) -> Sealed:
        """Under the first of `masters`."""
        ...

    def open(self, sealed: Sealed, place: Place) -> str:
        """Raises SealBroken for another place or changed data, MasterKeyMissing for a master key that is not
        at hand."""
        ...

    def renew(self) -> None:
        """Begins a rotation: a new master key seals from now on, the old ones still open. Where one has begun
        already, or the operator has set both, nothing changes. Raises MisconfiguredError where the operator
        has to set a new one."""
        ...

    def begun(self) -> bool:
        """Whether `renew` made a new master key and `settle` was not called since, however long ago."""
        ...

    def settle(self) -> None:
        """Ends a rotation: nothing is sealed under the old ones any more."""
        ...
