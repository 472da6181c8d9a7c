"""How busy the store is at a moment."""

from msgspec import Struct

from prosa.domain.money import Picodollars


class Load(Struct, frozen=True):
    """Writes that wait, and by role the connections that are in use and those that are not; what a store has
    none of is empty."""

    waiting: int = 0
    connections: dict[str, tuple[int, int]] = {}


class Held(Struct, frozen=True):
    """What is reserved for all that goes on, on all nodes."""

    number: int
    tokens: int
    cost: Picodollars
