"""API keys' secrets: hashed with argon2id, in threads, a few at once; the library is loaded late."""

import asyncio
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argon2 import PasswordHasher

MEMORY = 8 * 1024
"""KiB. The secrets are 256 bits of chance, which no hash makes harder to guess: it is there for whoever reads
the table, and must not be what exhausts the server."""
ROUNDS = 2
AT_ONCE = 2


@cache
def _hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=ROUNDS, memory_cost=MEMORY, parallelism=1)


class Secrets:
    """`fits` is asked for a few at a time: its callers bound how many wait."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def hash(self, secret: str) -> str:
        return await asyncio.to_thread(lambda: _hasher().hash(secret))

    async def fits(self, hashed: str, secret: str) -> bool:
        async with self._turns:
            return await asyncio.to_thread(_fits, hashed, secret)


def _fits(hashed: str, secret: str) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return _hasher().verify(hashed, secret)
    except (VerificationError, InvalidHashError):
        return False
