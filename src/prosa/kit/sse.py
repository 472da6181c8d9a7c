"""Splits a stream of bytes into server-sent events, wherever the bytes were cut.

Source: the HTML standard, section 9.2.6, "Interpreting an event stream".
"""

from msgspec import Struct

from prosa.kit.bounds import LIMIT, Oversized

BOM = b"\xef\xbb\xbf"
RETURN = 0x0D
RETRY_DIGITS = 9
"""A wait of more digits (eleven days in milliseconds) is not meant."""


class Event(Struct, frozen=True, gc=False):
    """One dispatched event. `data` is UTF-8 that nobody has checked; `id` is the last one that was set."""

    data: bytes
    event: str = "message"
    id: str = ""


class Splitter:
    """Takes bytes as they arrive and gives the events that they complete.

    `retry` is the reconnection time in milliseconds that the stream asked for, if it did. Raises `Oversized`
    when one event is longer than `limit` bytes. What follows the last blank line is never an event.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.retry: int | None = None
        self._limit = limit
        self._last_id = ""
        self._tail = bytearray()
        self._begun = False
        self._after_return = False

    def feed(self, data: bytes) -> list[Event]:
        return self._interpreted(self._completed(data))

    def payloads(self, data: bytes) -> list[bytes]:
        """Like `feed`, for a reader who wants the data alone: much faster on the usual streams."""
        line, _, rest = data.partition(b"\n")
        alone = rest == b"\n" and line.startswith(b"data: ") and RETURN not in line
        if alone and len(line) < self._limit and not (self._tail or self._after_return):
            self._begun = True
            return [line[6:]]  # as nearly all tokens come
        whole = self._completed(data)
        return usual(whole) or [event.data for event in self._interpreted(whole)]

    def rest(self) -> list[bytes]:
        """What an ended stream leaves: nothing, for an event without its blank line does not count."""
        return []

    def _completed(self, data: bytes) -> bytes:
        """The events that `data` completes, up to the last blank line and with LF alone; keeps the rest."""
        if not self._begun:
            data = self._without_mark(data)
        if self._after_return or RETURN in data:
            data = self._with_line_feeds(data)
        tail = self._tail
        if tail:
            # Looks for the end in the new bytes alone, lest a long event be read for ever.
            ends = b"\n\n" in data or (tail.endswith(b"\n") and data.startswith(b"\n"))
            tail += data
            if not ends:
                return self._bounded(b"")
            data = bytes(tail)
            tail.clear()
        if data.endswith(b"\n\n") and len(data) <= self._limit:
            return data
        end = data.rfind(b"\n\n") + 2
        if end == 1:
            tail += data
            return self._bounded(b"")
        tail += data[end:]
        return self._bounded(data[:end])

    def _bounded(self, whole: bytes) -> bytes:
        limit = self._limit
        if len(self._tail) > limit or (len(whole) > limit and max(map(len, whole.split(b"\n\n"))) > limit):
            raise Oversized(limit)
        return whole

    def _without_mark(self, data: bytes) -> bytes:
        """Drops the byte order mark, which may itself arrive in pieces."""
        head = bytes(self._tail) + data
        self._tail.clear()
        if len(head) < len(BOM) and BOM.startswith(head):
            self._tail += head
            return b""
        self._begun = True
        return head.removeprefix(BOM)

    def _with_line_feeds(self, data: bytes) -> bytes:
        """Turns CR and CRLF into LF. A CR ends its line at once: an LF that follows it later is skipped."""
        skip = self._after_return and data.startswith(b"\n")
        if data:
            self._after_return = data.endswith(b"\r")
        return data[skip:].replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _interpreted(self, whole: bytes) -> list[Event]:
        events = []
        for block in whole.split(b"\n\n"):
            kind = ""
            data = []
            for line in block.split(b"\n"):
                name, _, value = line.partition(b":")
                value = value.removeprefix(b" ")
                if name == b"data":
                    data.append(value)
                elif name == b"event":
                    kind = value.decode("utf-8", "replace")
                else:
                    self._remember(name, value)
            if data:
                events.append(Event(b"\n".join(data), kind or "message", self._last_id))
        return events

    def _remember(self, name: bytes, value: bytes) -> None:
        """Takes the fields that outlive their event."""
        if name == b"id" and b"\0" not in value:
            self._last_id = value.decode("utf-8", "replace")
        elif name == b"retry" and value.isdigit() and len(value) <= RETRY_DIGITS:
            self.retry = int(value)


def usual(whole: bytes) -> list[bytes]:
    """The data of each event, where each is one `data: ` line, or each an `event: ` and a `data: ` line.

    Else nothing. A count of the line feeds proves that no event has another line.
    """
    if whole.startswith(b"data: "):
        payloads = whole[6:-2].split(b"\n\ndata: ")
        return payloads if whole.count(b"\n") == 2 * len(payloads) else []
    if whole.startswith(b"event: "):
        payloads = [event.partition(b"\ndata: ")[2] for event in whole[7:-2].split(b"\n\nevent: ")]
        return payloads if all(payloads) and whole.count(b"\n") == 3 * len(payloads) else []
    return []
