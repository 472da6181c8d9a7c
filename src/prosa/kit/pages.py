"""Cursors of lists: opaque, made of the last item's sort keys, and refused when they are not ours."""

import base64
import binascii

import msgspec

Keys = list[int | str]

_decoder = msgspec.json.Decoder(Keys)


def to_cursor(*keys: int | str) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(keys)).decode().rstrip("=")


def from_cursor(cursor: str) -> Keys | None:
    """The keys that `to_cursor` was given, or None for anything else."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return _decoder.decode(raw)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        return None
