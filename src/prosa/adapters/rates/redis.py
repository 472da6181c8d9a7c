"""Counts in Redis, shared by all nodes: one round trip, all keys or none."""

from collections.abc import Awaitable, Iterable, Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from prosa.domain.rates import STAY, Count, RatesUnavailable, Slot, Taken

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


_ENTER = """
local node, places = ARGV[1], #ARGV - 2
redis.call('SET', 'prosa:node:' .. node, '1', 'EX', ARGV[2])
for place = 1, places do
  local all, open = redis.call('HGETALL', KEYS[place]), 0
  for at = 1, #all, 2 do
    if redis.call('EXISTS', 'prosa:node:' .. all[at]) == 1 then
      open = open + tonumber(all[at + 1])
    else
      redis.call('HDEL', KEYS[place], all[at])
    end
  end
  if open >= tonumber(ARGV[place + 2]) then return place end
end
for place = 1, places do
  redis.call('HINCRBY', KEYS[place], node, 1)
  redis.call('EXPIRE', KEYS[place], 86400)
end
return 0
"""

_LEAVE = """
for place = 1, #KEYS do
  if redis.call('HINCRBY', KEYS[place], ARGV[1], -1) <= 0 then redis.call('HDEL', KEYS[place], ARGV[1]) end
end
"""


class RedisRates:
    """Serves `ports.rates.Rates`; keys begin with `prosa:rate:`."""

    def __init__(self, url: str) -> None:
        self._client: Any = Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)
        self._take = self._client.register_script(_SCRIPT)
        self._enter = self._client.register_script(_ENTER)
        self._leave = self._client.register_script(_LEAVE)

    async def take(self, counts: Sequence[Count], slot: Slot) -> Taken:
        keys = [
            f"prosa:rate:{number}:{count.key}"
            for count in counts
            for number in (slot.number, slot.number - 1)
        ]
        *told, refused = await _asked(self._take(keys, [slot.over, *(count.limit for count in counts)]))
        before = list(zip(told[::2], told[1::2], strict=True))
        return Taken(before, refused - 1 if refused else None)

    async def enter(self, counts: Sequence[Count], node: str) -> int | None:
        limits = [count.limit for count in counts]
        full = await _asked(self._enter(_open(count.key for count in counts), [node, STAY, *limits]))
        return full - 1 if full else None

    async def leave(self, keys: Sequence[str], node: str) -> None:
        await _asked(self._leave(_open(keys), [node]))

    async def stay(self, node: str) -> None:
        await _asked(self._client.set(f"prosa:node:{node}", "1", ex=STAY))

    async def close(self) -> None:
        await self._client.aclose()


async def _asked(answer: Awaitable[Any]) -> Any:
    try:
        return await answer
    except (RedisError, OSError, TimeoutError) as error:
        raise RatesUnavailable from error


def _open(keys: Iterable[str]) -> list[str]:
    return [f"prosa:open:{key}" for key in keys]
