"""Providers' keys as the operator keeps them: which there are, how each is sealed, what it was used for."""

from enum import StrEnum

from msgspec import Struct

from prosa.domain.money import Picodollars
from prosa.domain.time import Instant

OPERATOR = "operator"
"""Whose the keys are: no user's."""

LONGEST = 2_000
"""Characters of a key."""

HINT = 4
SHORTEST_WITH_HINT = 20
"""Characters: the end of a shorter key would tell too much of it."""


class KeyState(StrEnum):
    ACTIVE = "active"
    SET_ASIDE = "set_aside"
    RETIRED = "retired"


class ProviderKey(Struct, frozen=True):
    """What may be told of a key. `reason` is an error's code and stands on a key that was set aside; `hint`
    is the key's last characters, "" for a short one. Of several keys each is used in proportion to its
    `weight`."""

    id: str
    provider: str
    label: str
    weight: int
    state: KeyState
    reason: str | None
    hint: str
    created_at: Instant
    set_aside_at: Instant | None = None
    retired_at: Instant | None = None


class Sealed(Struct, frozen=True):
    """A secret at rest: nonce and ciphertext, and the name of the master key that opens it."""

    data: bytes
    master: str


class Place(Struct, frozen=True):
    """Where a sealed secret belongs: elsewhere it can't be opened."""

    table: str
    row: str
    provider: str
    owner: str


class StoredKey(Struct, frozen=True):
    """A key with its secret; a retired one has none left."""

    key: ProviderKey
    sealed: Sealed | None


class KeyUse(Struct, frozen=True):
    """What was spent with a key. `cost` leaves out the requests whose price is not known."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: Picodollars = Picodollars(0)


def place_of(key: ProviderKey) -> Place:
    """What the secret of `key` is bound to."""
    return Place("provider_keys", key.id, key.provider, OPERATOR)


def hint_of(secret: str) -> str:
    """The end of a key, by which people tell it from others."""
    return secret[-HINT:] if len(secret) >= SHORTEST_WITH_HINT else ""
