"""An answer that is being written: its pieces, and at the end the whole of it."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Generic, TypeVar

P = TypeVar("P")
M = TypeVar("M")


class Stream(AsyncIterator[P], Generic[P, M]):
    """`async for piece in stream`. Whoever leaves early calls `aclose`, or lets go of it: that stops the
    provider, and its bill.

    Iterating raises ProviderError where the answer breaks off; what keeps it from beginning was raised
    before.
    """

    def __init__(self, pieces: AsyncGenerator[P, None], whole: Callable[[], M | None]) -> None:
        self._pieces = pieces
        self._whole = whole
        self._first: list[P] = []
        self._message: M | None = None

    @property
    def message(self) -> M | None:
        """The whole answer, as it would have come without `stream`: with its calls and its usage. None as
        long as it is not complete, or where it never was."""
        return self._message

    async def begin(self) -> "Stream[P, M]":
        """Waits for the first piece. Raises what keeps it from coming."""
        try:
            self._first.append(await anext(self._pieces))
        except StopAsyncIteration:
            self._message = self._whole()
        return self

    async def __anext__(self) -> P:
        if self._first:
            return self._first.pop()
        try:
            return await anext(self._pieces)
        except StopAsyncIteration:
            self._message = self._message or self._whole()
            raise

    async def aclose(self) -> None:
        """Stops it. Safe to repeat."""
        self._first.clear()
        await self._pieces.aclose()
