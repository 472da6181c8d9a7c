"""Ids: UUIDv7 for every row, and the Assistants door's names for the same rows."""

import os
import re
import secrets
import threading
import time

_FORM = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

_CHANCE = (1 << 62) - 1
"""The last 62 bits of a UUIDv7 are chance."""

_ROOM = 1 << 40
"""So many ids at least to choose from: then nobody draws the same one again."""

_lock = threading.Lock()
_last = 0
_drawn: list[bytes] = []
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_drawn.clear)  # what a parent has drawn is not a child's to use


def _chance() -> bytes:
    """Nine random bytes; the system is asked for many at once, for each asking costs microseconds."""
    if not _drawn:
        fresh = os.urandom(9 * 128)
        _drawn.extend(fresh[start : start + 9] for start in range(0, len(fresh), 9))
    return _drawn.pop()


def new_id() -> str:
    """A UUIDv7 (RFC 9562, section 5.7) in canonical form.

    Ids made by one process grow strictly: 48 bits of milliseconds, then 12 + 14 bits that count on within a
    millisecond from a random start, then 48 random bits.
    """
    global _last  # noqa: PLW0603 - the clock of a process is one value
    now = (time.time_ns() // 1_000_000) << 26
    with _lock:
        chance = int.from_bytes(_chance())
        _last = now + (chance & 0x1FFFFF) if now > _last else _last + 1
        tick = _last
    return id_at(tick, chance >> 24)


def id_at(tick: int, chance: int) -> str:
    """The UUIDv7 of a moment: 48 bits of milliseconds, 26 that count on within one, 48 of `chance`."""
    value = (tick >> 26) << 80 | 0x7 << 76 | (tick >> 14 & 0xFFF) << 64
    value |= 0b10 << 62 | (tick & 0x3FFF) << 48 | chance
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def first_id(micros: int) -> str:
    """The least UUIDv7 of a moment, in microseconds since 1970."""
    value = (micros // 1_000) << 80 | 0x7 << 76 | 0b10 << 62
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def moment_of(identity: str) -> int | None:
    """The 74 bits that `id_at` was given as `tick`; None where the UUID is no UUIDv7 (or not canonical)."""
    if identity[14] != "7" or identity[19] not in "89ab":
        return None
    value = int(identity.replace("-", ""), 16)
    return (value >> 80) << 26 | (value >> 64 & 0xFFF) << 14 | value >> 48 & 0x3FFF


def between(lower: str, upper: str) -> str:
    """An id that sorts after `lower` and before `upper`, with the time that `lower` tells; a new one where
    there is no room between them."""
    low, high = (int(each.replace("-", ""), 16) for each in (lower, upper))
    top = min(high - 1, low | _CHANCE)
    if top - low < _ROOM:
        return new_id()
    digits = f"{low + 1 + secrets.randbelow(top - low):032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def parse_id(text: str) -> str | None:
    """The canonical form of a UUID written with or without its hyphens, or None if `text` is no UUID."""
    if _FORM.fullmatch(text) is None:
        return None
    digits = text.replace("-", "").lower()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


class Prefix:
    """The kinds of object that the Assistants door names by prefix and hex."""

    CONVERSATION = "thread_"
    MESSAGE = "msg_"
    RUN = "run_"
    STEP = "step_"


def to_foreign(prefix: str, identity: str) -> str:
    """`thread_…`, `msg_…` or `run_…` with the UUID's 32 hex digits."""
    return prefix + identity.replace("-", "")


def from_foreign(prefix: str, text: str) -> str | None:
    """The UUID behind a prefixed id, or None if it is not one of ours: the inverse of `to_foreign`."""
    if not text.startswith(prefix):
        return None
    digits = text[len(prefix) :]
    found = parse_id(digits)
    return found if found is not None and to_foreign(prefix, found) == text else None
