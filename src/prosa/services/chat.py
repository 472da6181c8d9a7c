"""The doors' common services, built once."""

import asyncio

from prosa.ports.store import Store
from prosa.services.conversations import Conversations
from prosa.services.messages import Messages
from prosa.services.models import prices
from prosa.services.models.catalogue import Catalogue
from prosa.services.process import Process
from prosa.services.runs.engine import Engine
from prosa.services.runs.start import Defaults


class Chat:
    """Everything that a door calls, over one store and one catalogue of models."""

    def __init__(self, store: Store, catalogue: Catalogue, defaults: Defaults) -> None:
        self.store = store
        self.catalogue = catalogue
        self.defaults = defaults
        self.engine = Engine(store, catalogue, defaults)
        self.conversations = Conversations(store, self.engine, catalogue)
        self.messages = Messages(store)
        self.process = Process(store, self.engine, self.conversations, self.messages)
        self._loading: asyncio.Future[None] | None = None

    async def open(self) -> None:
        """Connects the store and ends what a lost process left. Raises what `Store.open` raises."""
        self.catalogue.warm()
        if self.catalogue.prices_needed():
            self._loading = asyncio.get_running_loop().run_in_executor(None, prices.load)
        await self.store.open(self.engine.heard)
        await self.engine.open()

    async def close(self) -> None:
        """In reverse: ends the runs, then the models, then the store."""
        await self.engine.close()
        await self.catalogue.close()
        await self.store.close()
