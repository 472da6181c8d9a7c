"""What the functions of this door have opened in each event loop, and how it is closed."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

from prosa import bootstrap
from prosa.bootstrap import Models
from prosa.library import Prosa, running


class Opened:
    """`keeper` ends with the event loop, which closes its generators, and then closes everything."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._models: Models | None = None
        self._prosa: Prosa | None = None
        self.keeper = self._keep()

    def models(self) -> Models:
        """The models by the settings as they were at the first call."""
        if self._models is None:
            self._models = bootstrap.models()
            self._stack.push_async_callback(self._models.catalogue.close)
        return self._models

    def prosa(self) -> Prosa:
        if self._prosa is None:
            self._prosa = Prosa()
            self._stack.push_async_callback(self._prosa.close)
        return self._prosa

    async def _keep(self) -> AsyncGenerator[None, None]:
        async with self._stack:
            yield


_opened: dict[asyncio.AbstractEventLoop, Opened] = {}


async def default_models() -> Models:
    """The models that functions ask. Raises MisconfiguredError, NoSuchProvider, ProviderNotConfigured."""
    return (await _here()).models()


async def default_prosa() -> Prosa:
    """The Prosa that functions use: the one that is open in this event loop, the first of several; else one
    by the settings. Raises MisconfiguredError, StoreUnavailable, StoreLocked."""
    found = running()
    if found is None:
        found = (await _here()).prosa()
        await found.open()
    return found


async def close() -> None:
    """Closes what the functions opened in this event loop: connections, and the default Prosa with its store.
    The next call opens it anew, by the settings of that moment. It is closed with the event loop in any case;
    a server calls this where its lifespan ends, while its runs can still be put down in order."""
    found = _opened.pop(asyncio.get_running_loop(), None)
    if found is not None:
        await found.keeper.aclose()


async def _here() -> Opened:
    loop = asyncio.get_running_loop()
    for gone in [each for each in _opened if each.is_closed()]:
        del _opened[gone]
    found = _opened.get(loop)
    if found is None:
        found = _opened[loop] = Opened()
        await anext(found.keeper)
    return found
