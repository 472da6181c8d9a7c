"""What a tool gives back, as text that a model can be told: well-formed, and no longer than it may be."""

from typing import Any

import msgspec
from pydantic_core import to_json

from prosa.kit.text import well_formed

MOST = 64 * 1024
"""Bytes of a result, unless a tool says otherwise."""


def text_of(value: Any) -> str:
    """Text as it is, anything else as JSON: dataclasses, pydantic models, msgspec Structs, dates, decimals,
    enums, sets. Raises ValueError or TypeError where there is no JSON for it."""
    return value if isinstance(value, str) else to_json(value, fallback=msgspec.to_builtins).decode()


def bounded(text: str, most: int = MOST, *, more: bool = False) -> str:
    """`text`, cut at a character after `most` bytes, with a note that says so. `more` says that the text goes
    on beyond what is given."""
    raw = well_formed(text).encode()
    if len(raw) <= most and not more:
        return raw.decode()
    return raw[:most].decode(errors="ignore") + f"\n[cut here: the result has more than {most} bytes]"
