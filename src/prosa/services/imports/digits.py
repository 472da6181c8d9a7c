"""Whole numbers on their way to a reader that dies of one that Python does not turn into a number."""

import re

MOST = 4_000
"""Digits; Python takes 4,300."""

_DIGITS = b"0123456789"
_ESCAPE = re.compile(rb"\\.", re.DOTALL)


class Digits:
    """Looks at JSON as it comes, cut where no escape is; knows whether it is within a text."""

    def __init__(self) -> None:
        self._inside = False
        self._run = 0

    def endless(self, data: bytes) -> bool:
        """Whether the next bytes hold, or end, a number that is too long."""
        first = len(data) - len(data.lstrip(_DIGITS))
        if not self._inside and self._run + first > MOST:
            return True
        if any(not self._within(data[:start]) for start in _long(data)):
            return True
        self._inside = self._within(data)
        last = len(data) - len(data.rstrip(_DIGITS))
        self._run = 0 if self._inside else last + (self._run if last == len(data) else 0)
        return False

    def _within(self, data: bytes) -> bool:
        """Whether what comes after `data` is within a text."""
        if b"\\" in data:
            data = _ESCAPE.sub(b"", data)
        return self._inside ^ bool(data.count(b'"') & 1)


def _long(data: bytes) -> list[int]:
    """Where runs of too many digits begin: each has one at every so many bytes."""
    found: list[int] = []
    for at in range(MOST, len(data), MOST):
        if data[at] in _DIGITS:
            before = data[at - MOST : at]
            start = at - (len(before) - len(before.rstrip(_DIGITS)))
            after = data[at : start + MOST + 1]
            if at - start + len(after) - len(after.lstrip(_DIGITS)) > MOST:
                found.append(start)
    return found
