"""A JSON Web Key Set at an address: one bounded GET, which goes nowhere else."""

import aiohttp

MOST = 256 * 1024
"""Bytes of a set of keys."""
PATIENCE = 5.0
"""Seconds for all of it."""
_OK = 200


class HttpKeyHost:
    """Serves `ports.access.KeyHost`. A connection of its own for each fetch: there is one a minute."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def fetch(self) -> bytes:
        timeout = aiohttp.ClientTimeout(total=PATIENCE)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, trust_env=False) as session,
                session.get(
                    self._url, allow_redirects=False, headers={"Accept": "application/json"}
                ) as response,
            ):
                if response.status != _OK:
                    raise ValueError("not found")
                raw = await response.content.read(MOST + 1)
                while len(raw) <= MOST and (more := await response.content.read(MOST + 1 - len(raw))):
                    raw += more
        except aiohttp.ClientError as error:
            raise OSError from error
        if len(raw) > MOST:
            raise ValueError("too large")
        return raw
