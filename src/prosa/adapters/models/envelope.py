"""Cuts a response into payloads, whether it is the stream that was asked for or an answer in one piece."""

from prosa.kit.bounds import LIMIT, Oversized
from prosa.kit.sse import Splitter

BLANK = b" \t\r\n"
JSON = (b"{", b"[")


class Envelope:
    """Server-sent events, but a response that begins like JSON is one payload: some servers stream where
    nobody asked for it, or don't where somebody did. Raises `Oversized` like the splitter."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.payloads = self._first
        """What takes the next bytes: once it is known what comes, the splitter itself."""
        self._limit = limit
        self._splitter = Splitter(limit)
        self._body = bytearray()

    def rest(self) -> list[bytes]:
        return [bytes(self._body)] if self._body else self._splitter.rest()

    def _first(self, data: bytes) -> list[bytes]:
        begun = data.lstrip(BLANK)
        if begun.startswith(JSON):
            self.payloads = self._more
            return self._more(data)
        if begun:
            self.payloads = self._splitter.payloads
        return self._splitter.payloads(data)

    def _more(self, data: bytes) -> list[bytes]:
        self._body += data
        if len(self._body) > self._limit:
            raise Oversized(self._limit)
        return []
