"""Counts in Redis, shared by all nodes: one round trip, all keys or none."""

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from prosa.domain.rates import Count, RatesUnavailable, Slot, Taken

PATIENCE = 0.5
"""Seconds that Redis may take: nobody waits longer for a count."""

_SCRIPT = """
local over, told, refused = tonumber(ARGV[1]), {}, 0
for place = 1, #KEYS / 2 do
  local now = tonumber(redis.call('GET', KEYS[2 * place - 1]) or '0')
  local before = tonumber(redis.call('GET', KEYS[2 * place]) or '0')
  told[2 * place - 1], told[2 * place] = now, before
  if refused == 0 and now + before * (1 - over) + 1 > tonumber(ARGV[place + 1]) then refused = place end
end
if refused == 0 then
  for place = 1, #KEYS / 2 do
    redis.call('INCR', KEYS[2 * place - 1])
    redis.call('EXPIRE', KEYS[2 * place - 1], 180)
  end
end
told[#told + 1] = refused
return told
"""


class RedisRates:
    """Serves `ports.rates.Rates`; keys begin with `prosa:rate:`."""

    def __init__(self, url: str) -> None:
        self._client: Any = Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)
        self._take = self._client.register_script(_SCRIPT)

    async def take(self, counts: Sequence[Count], slot: Slot) -> Taken:
        keys = [
            f"prosa:rate:{number}:{count.key}"
            for count in counts
            for number in (slot.number, slot.number - 1)
        ]
        try:
            *told, refused = await self._take(keys, [slot.over, *(count.limit for count in counts)])
        except (RedisError, OSError, TimeoutError) as error:
            raise RatesUnavailable from error
        before = list(zip(told[::2], told[1::2], strict=True))
        return Taken(before, refused - 1 if refused else None)

    async def close(self) -> None:
        await self._client.aclose()
