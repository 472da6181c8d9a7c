"""The doors' common services, built once."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress

from prosa.domain.alerts import Rules
from prosa.domain.retention import Retention
from prosa.ports.alerts import Messenger
from prosa.ports.keys import Vault
from prosa.ports.rates import Rates
from prosa.ports.store import Store
from prosa.services.access.access import Access
from prosa.services.alerts.alerts import Alerts
from prosa.services.audit import Audit
from prosa.services.caches.cached import Memory
from prosa.services.completions import Completions
from prosa.services.conversations import Conversations
from prosa.services.embeddings import Embeddings
from prosa.services.erasure import Erasing
from prosa.services.export.exporter import Export
from prosa.services.feed import Feed
from prosa.services.feedback import Feedbacks
from prosa.services.files.files import Files
from prosa.services.guard.admission import Admission
from prosa.services.guard.guard import Guard
from prosa.services.housekeeping import Housekeeping
from prosa.services.imports.importer import Import
from prosa.services.keys.keys import Keys
from prosa.services.ledger import Ledger
from prosa.services.limits import Allowances
from prosa.services.messages import Messages
from prosa.services.models import prices
from prosa.services.models.catalogue import Catalogue
from prosa.services.models.listing import Listing
from prosa.services.process import Process
from prosa.services.retention import Sweeper
from prosa.services.runs.engine import Engine
from prosa.services.runs.start import Defaults
from prosa.services.search import Search
from prosa.services.summaries import Summaries
from prosa.services.templates import Templates
from prosa.services.tickets import Tickets
from prosa.services.titles import Titles
from prosa.services.tools.registry import Toolbox
from prosa.services.traffic import Traffic
from prosa.services.usage.estimates import Estimates
from prosa.services.usage.reports import Reports


class Chat:
    """Everything that a door calls, over one store, one catalogue of models and one box of tools."""

    def __init__(  # noqa: PLR0913 - each is a part that somebody else builds
        self,
        store: Store,
        catalogue: Catalogue,
        defaults: Defaults,
        keys: Keys,
        files: Files,
        vault: Vault,
        *,
        tools: Toolbox | None = None,
        vectors: int = 0,
        reload: Callable[[], None] = lambda: None,
        alerting: Rules | None = None,
        retention: Retention | None = None,
        messengers: Sequence[Messenger] = (),
        guard: Guard | None = None,
        rates: Rates | None = None,
    ) -> None:
        """`vectors` is how many embeddings are kept, `reload` reads anew what can change while it
        runs: routes, models, limits of providers."""
        self.store = store
        self.audit = Audit(store)
        self.catalogue = catalogue
        self.listing = Listing(catalogue)
        self.defaults = defaults
        self.keys = keys
        self.files = files
        self.access = Access(store, vault, self.audit, keys.masters)
        self.reload = reload
        self.tools = tools or Toolbox()
        self.limits = Allowances(store, defaults.limits, defaults.named, rates)
        guard = guard or Guard()
        admission = Admission(guard)
        self.engine = Engine(store, catalogue, defaults, self.tools, self.limits, admission)
        self.ledger = Ledger(store, self.limits, self.engine.boot)
        self.feed = Feed(store)
        self.conversations = Conversations(store, self.engine, catalogue, files)
        self.messages = Messages(store, files)
        self.search = Search(store)
        self.process = Process(store, self.engine, self.conversations, self.messages)
        self.tickets = Tickets(store, self.engine, self.messages)
        self.templates = Templates(store)
        self.feedback = Feedbacks(store)
        self.export = Export(store)
        self.traffic = Traffic(store, defaults.calendar)
        self.imports = Import(store)
        self.reports = Reports(store, self.limits, defaults.calendar)
        self.estimates = Estimates(store, catalogue, defaults, self.tools, self.limits)
        self.completions = Completions(self.ledger, catalogue, defaults, admission)
        guard.ask = self.completions.beside
        self.embeddings = Embeddings(self.ledger, catalogue, self.completions, vectors)
        memory = Memory(lambda owner: store.of(owner).answers, self.embeddings.vector)
        self.catalogue.remember = memory.around
        self.summaries = Summaries(store, catalogue, self.completions, defaults)
        self.titles = Titles(store, self.completions, defaults.title_model)
        self.alerts = Alerts(store, alerting or Rules(), messengers, self.limits.of, defaults.calendar)
        self.erasing = Erasing(store, files, self.engine.stop, self.engine.boot, self.access.refresh)
        self.housekeeping = Housekeeping(
            self.erasing, Sweeper(store, files, retention or Retention(), self.engine.boot)
        )
        self._introduce()

    def _introduce(self) -> None:
        """Who hears of what others do."""
        self.engine.refusals.append(self.alerts.refused)
        self.ledger.refusals.append(self.alerts.refused)
        self.ledger.listeners.append(self.alerts.used)
        self.engine.listeners += [self.summaries.after, self.titles.after, self.alerts.after]
        self.keys.listeners.append(self.alerts.troubled)
        self.access.listeners += [self.tools.forget, self.embeddings.forget]

    async def open(self) -> None:
        """Connects the store and ends what a lost process left. Raises what `Store.open` raises; then the
        store is closed again, and the next try finds the models warm. Who gives up calls `close`."""
        self.catalogue.warm()
        if self.catalogue.prices_needed():
            asyncio.get_running_loop().run_in_executor(None, _load_prices)
        try:
            await self.store.open(self._heard)
            await self.keys.open()
            await self.access.open()
            await self.files.open()
            await self.limits.open()
            self.catalogue.choose()  # whatever answers by default can answer
            await self.engine.open()
            self.ledger.open()
            self.search.open()
            self.alerts.open()
            self.housekeeping.open()
        except BaseException:
            await self.store.close()
            raise

    async def close(self) -> None:
        """In reverse: ends the runs, then tools, models and the store; each whatever became of the others."""
        async with AsyncExitStack() as left:
            left.push_async_callback(self.store.close)
            left.push_async_callback(self.access.close)
            left.push_async_callback(self.limits.close)
            left.push_async_callback(self.keys.close)
            left.push_async_callback(self.files.close)
            left.push_async_callback(self.catalogue.close)
            left.push_async_callback(self.tools.close)
            left.push_async_callback(self.search.close)
            left.push_async_callback(self.ledger.close)
            left.push_async_callback(self.alerts.close)
            left.push_async_callback(self.summaries.background.close)
            left.push_async_callback(self.titles.background.close)
            left.push_async_callback(self.engine.close)
            left.push_async_callback(self.erasing.close)
            left.push_async_callback(self.housekeeping.close)
            left.push_async_callback(self.completions.settle)
            left.push_async_callback(self.completions.drain, 0)

    async def drain(self, seconds: float) -> None:
        """Begins nothing any more, and gives what goes on `seconds` to end by itself."""
        background = (self.summaries.background, self.titles.background)
        draining = (self.engine, self.completions, *background)
        await asyncio.gather(*(each.drain(seconds) for each in draining))

    async def settle(self) -> None:
        """Waits until all ends are stored, for a second at most."""
        await asyncio.gather(self.engine.settle(), self.completions.settle())

    def _heard(self, kind: str, ids: Sequence[str]) -> None:
        """What any node told; "lost" says that anything may have been missed."""
        if kind in ("keys", "lost"):
            self.keys.heard()
        if kind in ("access", "lost"):
            self.access.heard(ids)
        if kind in ("limits", "lost"):
            self.limits.heard()
        if kind in ("journal", "stop", "lost"):
            self.engine.heard(kind, ids)
        if kind in ("begun", "messages", "conversations", "lost"):
            self.feed.heard(kind, ids)


def _load_prices() -> None:
    with suppress(Exception):  # nobody waits for it here: whoever asks for a price hears what is wrong
        prices.load()
