"""What prosa.toml says of masking and moderation: `[masking.<name>]` and `[moderation.<name>]`."""

from typing import Literal

from msgspec import Struct

from prosa.kit.pii import KINDS, Kind

Side = Literal["input", "output"]
"""What goes to the model, and what comes from it."""

DEFAULT = "default"
"""The masking that holds where a route says nothing."""


class MaskingTable(Struct, frozen=True, forbid_unknown_fields=True):
    """What providers must not see: `kinds` of values, in what goes to them, and with "output" also in what
    they say by themselves. With `restore` the reader gets the values again where the model repeats their
    placeholders."""

    kinds: tuple[Kind, ...] = KINDS
    on: tuple[Side, ...] = ("input",)
    restore: bool = False
