"""What the operator says of a model, above every list: `[models."provider/model"]` in prosa.toml."""

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct

from prosa.services.models.capabilities import Capability
from prosa.services.models.rates import Price


class Override(Struct, frozen=True, forbid_unknown_fields=True):
    """What is None is left to the lists. `context_window` in tokens; `shutdown_at` false: it never is."""

    name: str | None = None
    context_window: Annotated[int, Meta(ge=256)] | None = None
    prices: Price | None = None
    capabilities: tuple[Capability, ...] | None = None
    shutdown_at: date | Literal[False] | None = None
    successor: str | None = None
