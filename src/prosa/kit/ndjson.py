"""Splits a stream of bytes into the lines of newline-delimited JSON, wherever the bytes were cut."""

from prosa.kit.bounds import LIMIT, Oversized


class Lines:
    """Takes bytes as they arrive and gives the lines that they complete, without blank ones.

    Raises `Oversized` when one line is longer than `limit` bytes.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._tail = bytearray()

    def payloads(self, data: bytes) -> list[bytes]:
        tail = self._tail
        if tail:
            tail += data
            if b"\n" not in data:
                self._check(len(tail))
                return []
            data = bytes(tail)
            tail.clear()
        *lines, rest = data.split(b"\n")
        tail += rest
        self._check(max(len(rest), *map(len, lines)) if lines else len(rest))
        return [line for line in lines if line and not line.isspace()]

    def rest(self) -> list[bytes]:
        """The last line, where the stream ended without a newline behind it."""
        last = bytes(self._tail).strip()
        self._tail.clear()
        return [last] if last else []

    def _check(self, length: int) -> None:
        if length > self._limit:
            raise Oversized(self._limit)
