"""What a piece of work takes of the processor, whatever else goes on in this process and on this machine."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Fails where the work of this process took longer; what others do on the machine does not count."""
    with _apart():
        began = time.process_time()
        yield
        took = time.process_time() - began
    assert took <= seconds, f"it took {took * 1000:.0f} ms"


@asynccontextmanager
async def never_stalling(seconds: float = 0.1) -> AsyncIterator[None]:
    """Fails where the loop stood still for longer. A machine that is busy makes it wait, too, but meanwhile
    this process does not work: of the clock and the processor's time, the shorter one counts."""
    worst = 0.0

    async def tick() -> None:
        nonlocal worst
        while True:
            wall, used = time.perf_counter(), time.process_time()
            await asyncio.sleep(0.001)
            worst = max(worst, min(time.perf_counter() - wall, time.process_time() - used))

    with _apart():
        ticker = asyncio.create_task(tick())
        await asyncio.sleep(0)
        try:
            yield
        finally:
            ticker.cancel()
    assert worst <= seconds, f"the loop stood still for {worst * 1000:.0f} ms"


@contextmanager
def _apart() -> Iterator[None]:
    """Keeps the collector away from what the tests of a whole run have left: to look through it takes longer
    than what is measured."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
