"""The arguments of a tool call, between the text that models write and the objects that some wires want."""

import json
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
        found = loose(arguments.encode("utf-8", "replace"))
        made = found if isinstance(found, dict) else {"arguments": arguments}
        return msgspec.Raw(well_formed(json.dumps(made, ensure_ascii=False)).encode())
    return msgspec.Raw(arguments.encode())


def as_text(arguments: Any) -> str:
    """Arguments as JSON text, whether they came as text or as an object; "" for none."""
    if isinstance(arguments, str):
        return arguments
    if arguments is None:
        return ""
    return json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))
