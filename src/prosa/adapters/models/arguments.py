"""The arguments of a tool call, between the text that models write and the objects that some wires want."""

import json
from contextlib import suppress
from typing import Any

import msgspec

from prosa.adapters.models.repair import loose
from prosa.kit.text import well_formed


def as_object(arguments: str) -> msgspec.Raw:
    """The JSON object that a model wrote, in its own words; what is none, inside of one."""
    if not arguments.strip():
        return msgspec.Raw(b"{}")
    try:
        msgspec.json.decode(arguments, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return msgspec.Raw(well_formed(_rewritten(arguments)).encode())
    return msgspec.Raw(arguments.encode())


def _rewritten(arguments: str) -> str:
    found = loose(arguments.encode("utf-8", "replace"))
    if isinstance(found, dict):
        with suppress(ValueError):  # Python reads NaN and Infinity, which JSON has no words for
            return json.dumps(found, ensure_ascii=False, allow_nan=False)
    return json.dumps({"arguments": arguments}, ensure_ascii=False)


def as_text(arguments: Any) -> str:
    """Arguments as JSON text, whether they came as text or as an object; "" for none."""
    if isinstance(arguments, str):
        return arguments
    if arguments is None:
        return ""
    return json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))
