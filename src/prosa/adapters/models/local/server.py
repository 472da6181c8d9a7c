"""Keeps the embedded model's process alive: starts it when it is first asked for, and again when it died."""

import asyncio
import secrets
from collections import deque
from pathlib import Path

import msgspec
from msgspec import Struct

from prosa.adapters.models.local.cores import threads
from prosa.adapters.models.local.life import Life
from prosa.adapters.models.local.weights import PROVIDER, Weights, find
from prosa.domain.errors import ProviderError, ProviderUnreachable
from prosa.kit.log import log

SLOTS = 2
"""Answers at a time; others wait. More would share the same cores, and each costs memory for its context."""

CONTEXT = 8_192
"""Tokens of one conversation."""

FALLS = 3
RECENTLY = 60.0
"""So many falls within so many seconds, and the process is left alone until the first of them is past."""


class Address(Struct, frozen=True):
    """Where the process speaks OpenAI's chat completions. Both change with every start."""

    base_url: str
    api_key: str


class LocalServer:
    """`model` is a GGUF file, None for the model that comes with Prosa. Nothing is looked for or started
    before it is needed."""

    def __init__(self, model: Path | None = None) -> None:
        self._model = model
        self._life: Life | None = None
        self._address = Address("", "")
        self._start: asyncio.Task[Address] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._falls: deque[float] = deque(maxlen=FALLS)
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        return None if self._life is None or self._life.over else self._life.pid

    async def address(self) -> Address:
        """Waits for the process to be ready, and starts it where there is none.

        Raises `LocalModelMissing`, `ProviderUnreachable`.
        """
        if self._life is not None and not self._life.over:
            return self._address
        start = self._started()
        await asyncio.wait([start])  # who leaves meanwhile doesn't take the start from the others
        if start.cancelled():
            raise ProviderUnreachable(PROVIDER)
        return start.result()

    def warm(self) -> None:
        """Starts the process in the background, for whoever asks first. Call it inside the loop."""
        if self._life is None or self._life.over:
            self._started()

    async def close(self) -> None:
        """Ends the process for good. Safe to call twice."""
        self._closed = True
        if self._start is not None:
            self._start.cancel()
            await asyncio.wait([self._start])
        if self._life is not None:
            await self._life.end()
        if self._watch is not None:
            await self._watch

    def _started(self) -> asyncio.Task[Address]:
        """The start that is under way, or a new one."""
        if self._start is None:
            self._start = asyncio.create_task(self._begin())
            self._start.add_done_callback(self._forget)
        return self._start

    def _forget(self, start: asyncio.Task[Address]) -> None:
        self._start = None
        if not start.cancelled() and isinstance(error := start.exception(), ProviderError):
            log.warning("local_model_unavailable", reason=str(error))

    async def _begin(self) -> Address:
        clock = asyncio.get_running_loop().time
        began = clock()
        if self._closed or (len(self._falls) == FALLS and began - self._falls[0] < RECENTLY):
            raise ProviderUnreachable(PROVIDER)
        weights = find(self._model)
        key = secrets.token_urlsafe(32)
        try:
            life = await Life.begin(order(weights, key))
        except (OSError, ValueError) as error:  # a TimeoutError is an OSError
            self._falls.append(clock())
            log.error("local_model_failed", model=weights.name, reason=str(error) or type(error).__name__)
            raise ProviderUnreachable(PROVIDER) from None
        log.info("local_model_ready", model=weights.name, seconds=round(clock() - began, 2))
        self._life, self._address = life, Address(f"{life.url}/v1", key)
        self._watch = asyncio.create_task(self._mourn(life))
        return self._address

    async def _mourn(self, life: Life) -> None:
        reason = await life.ended()
        if not self._closed:
            self._falls.append(asyncio.get_running_loop().time())
            log.warning("local_model_died", reason=reason)


def order(weights: Weights, api_key: str) -> bytes:
    """What the child reads first."""
    return msgspec.json.encode(
        {
            "model": str(weights.path),
            "name": weights.name,
            "api_key": api_key,
            "threads": threads(),
            "slots": SLOTS,
            "context": CONTEXT,
            "sampling": weights.sampling,
        }
    )
