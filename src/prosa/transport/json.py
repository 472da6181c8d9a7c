"""JSON as it comes from outside: read strictly, and in bounded time whatever it holds."""

import json
from typing import Any

import msgspec

from prosa.domain.errors import InvalidRequest

SMALL = 65_536
"""Bytes: a body up to this size can't hold so many values that reading them takes long."""
MOST_VALUES = 20_000


def decode(raw: bytes, form: Any) -> Any:
    """The body as `form`. Raises InvalidRequest, which says where and why."""
    try:
        value = msgspec.json.decode(raw, type=form)
        if len(raw) > SMALL and _crowded(raw):
            raise InvalidRequest(f"the JSON has more than {MOST_VALUES} values.")
        # msgspec keeps the last of two equal keys. Who reads the first would see another request.
        json.loads(raw, object_pairs_hook=_once)
    except RecursionError as error:
        raise InvalidRequest("the JSON is nested too deeply.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise InvalidRequest(f"{str(error).rstrip('.')}.") from error
    return value


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len(pairs) > 1:
        keys = {key for key, _ in pairs}
        if len(keys) != len(pairs):
            raise ValueError("JSON has the same key twice in one object")


def _crowded(raw: bytes) -> bool:
    """Whether well-formed JSON holds more values than anybody needs: counted outside its strings, at the
    speed of copying."""
    bare = raw.replace(rb"\\", b"").replace(rb"\"", b"")
    if bare.count(b'"') > 2 * MOST_VALUES:
        return True
    outside = b"".join(bare.split(b'"')[::2])
    return outside.count(b",") + outside.count(b":") > MOST_VALUES
