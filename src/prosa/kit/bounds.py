"""How much of one unfinished piece of a stream a reader keeps before it gives up."""

LIMIT = 4 * 1024 * 1024
"""Bytes of one event or line. The longest real ones (a whole tool call, a citation list) stay far below."""


class Oversized(ValueError):
    """One event or line is longer than the reader may hold."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"one piece of the stream is longer than {limit} bytes")
