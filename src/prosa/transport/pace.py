"""A body that comes so slowly that it never ends is given up."""

import asyncio
import time
from collections.abc import AsyncIterator

from prosa.domain.files import UploadTooSlow

PATIENCE = 30.0
"""Seconds before anything is expected."""

SLOWEST = 4_096
"""Bytes a second, on the whole, that somebody who means to upload reaches."""


async def timely(
    chunks: AsyncIterator[bytes], patience: float = PATIENCE, slowest: float = SLOWEST
) -> AsyncIterator[bytes]:
    """`chunks`, as long as they keep up. Raises UploadTooSlow."""
    began, got = time.monotonic(), 0
    while True:
        try:
            async with asyncio.timeout(began + patience + got / slowest - time.monotonic()):
                chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise UploadTooSlow from None
        got += len(chunk)
        yield chunk
