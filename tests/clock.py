"""A loop whose time is only counted: nobody waits for it, and a test of hours takes a moment."""

import asyncio
import functools
import selectors
from collections.abc import Awaitable, Callable, Sequence
from typing import Any


class _Skipping(selectors.DefaultSelector):
    """Where the loop would sleep, the time jumps to when it would wake."""

    def __init__(self) -> None:
        super().__init__()
        self.skipped = 0.0

    def select(self, timeout: float | None = None) -> Sequence[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise AssertionError("everybody waits, and nothing will ever happen")
        if not ready and timeout:
            self.skipped += timeout
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._skipping = _Skipping()
        super().__init__(self._skipping)

    def time(self) -> float:
        return self._skipping.skipped


def now() -> float:
    """Seconds since the test began: what a policy takes as its clock."""
    return asyncio.get_running_loop().time()


def timeless(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Runs an async test in a loop of its own, in which time is counted."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        async def whole() -> None:
            await test(*args, **kwargs)

        with asyncio.Runner(loop_factory=_Loop) as runner:
            runner.run(whole())

    return run


async def settle() -> None:
    """Lets everybody who can go on go on, without any time passing."""
    for _ in range(20):
        await asyncio.sleep(0)
