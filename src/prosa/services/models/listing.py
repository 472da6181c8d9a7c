"""The list of models that can be asked for: routes and aliases, then each provider's, with what they cost."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from msgspec import Struct
from msgspec.structs import replace

from prosa.domain.errors import ProsaError
from prosa.domain.models import ModelCard
from prosa.kit.clock import Clock
from prosa.kit.log import log
from prosa.services.models import prices
from prosa.services.models.capabilities import UNKNOWN, Capability
from prosa.services.models.catalogue import Catalogue, Choice, Offer
from prosa.services.models.prices import ANY
from prosa.services.models.rates import Tariff

FRESH = 60.0
"""Seconds for which what a provider said of its models is not asked again."""
PATIENCE = 5.0
"""Seconds that a provider has to say it: the list does not wait for one that hangs."""


class Entry(Struct, frozen=True, kw_only=True):
    """A model as a caller may ask for it. `id` is what to write as the model: "provider/model", or the name
    of a route or an alias; these have the provider and model of the first that would answer.

    `tariff` is None where nobody knows the price; `available` is whether it would be the one to answer now.
    """

    id: str
    provider: str
    model: str
    name: str | None
    window: int
    capabilities: tuple[Capability, ...]
    tariff: Tariff | None
    shutdown_at: date | None
    successor: str | None
    default: bool
    available: bool
    kind: str = "model"
    created: int | None = None
    targets: tuple[str, ...] = ()


class Listing:
    """Asks the providers that know best which models they have, at most once a minute."""

    def __init__(self, catalogue: Catalogue, clock: Clock = time.monotonic) -> None:
        self._catalogue = catalogue
        self._clock = clock
        self._told: dict[str, tuple[float, object, list[ModelCard]]] = {}
        self._asking = asyncio.Lock()

    async def entries(self) -> list[Entry]:
        """Routes and aliases first, then the providers in their order. Each model is there once. A provider
        that fails to say what it has is left with what the price list and prosa.toml know of it."""
        told = await self._cards()
        return await asyncio.to_thread(self._entries, told)  # hundreds of prices take their time

    def _entries(self, told: Mapping[str, list[ModelCard]]) -> list[Entry]:
        entries = [*self._named()]
        for provider, offer in self._catalogue.offers.items():
            if offer.answers:
                entries += self._of(provider, offer, told.get(provider, []))
        return entries

    def _named(self) -> Iterator[Entry]:
        names = self._catalogue.names
        default = self._catalogue.default.route
        for name in (*names.routes, *names.aliases):
            choice = self._catalogue.meaning(name)
            route = names.route_of(name)
            targets = () if route is None else names.routes[route]
            yield replace(
                self._entry(choice, None),
                id=name,
                model=name,
                name=f"{choice.provider}/{choice.model}",
                kind="alias" if name in names.aliases else "route",
                default=name == default,
                targets=tuple(f"{target.provider}/{target.model}" for target in targets),
            )

    def _of(self, provider: str, offer: Offer, cards: Iterable[ModelCard]) -> Iterator[Entry]:
        known: dict[str, ModelCard] = {}
        if offer.default_model is not None:
            known[offer.default_model] = ModelCard(offer.default_model)
        listed = prices.listed(provider)
        names = dict(listed)
        told = {card.id: card for card in cards}
        if not told:
            told = {model: ModelCard(model, name) for model, name in listed if self._sold(provider, model)}
        for (whose, model), override in self._catalogue.overrides.items():
            if whose == provider and model != ANY:
                told[model] = replace(told.get(model, ModelCard(model)), name=override.name)
        for model, card in (known | told).items():
            name = card.name or names.get(model)
            yield self._entry(Choice(provider, model), replace(card, name=name))

    def _entry(self, choice: Choice, card: ModelCard | None) -> Entry:
        catalogue = self._catalogue
        shutdown = catalogue.shutdown(choice)
        gone = shutdown is not None and catalogue.today >= shutdown.day
        default = catalogue.default
        window = catalogue.window(choice) if card is None or card.window is None else card.window
        return Entry(
            id=f"{choice.provider}/{choice.model}",
            provider=choice.provider,
            model=choice.model,
            name=None if card is None else card.name,
            window=window,
            capabilities=catalogue.capabilities(choice),
            tariff=catalogue.tariff(choice),
            shutdown_at=None if shutdown is None else shutdown.day,
            successor=None if shutdown is None else shutdown.successor,
            default=choice == default,
            available=not gone and catalogue.offers[choice.provider].answers,
            created=None if card is None else card.created,
        )

    def _sold(self, provider: str, model: str) -> bool:
        """Whether what the list names is a model for chats or vectors: it knows others, and old ones."""
        known = self._catalogue.capabilities(Choice(provider, model))
        whole = ":" not in model and not model.endswith("-")
        return whole and known != UNKNOWN and prices.tariff(provider, model) is not None

    async def _cards(self) -> Mapping[str, list[ModelCard]]:
        """What providers say of themselves, by their names."""
        async with self._asking:
            asked = {
                provider: offer
                for provider, offer in self._catalogue.offers.items()
                if offer.tells and offer.answers and not self._fresh(provider, offer)
            }
            await asyncio.gather(*(self._ask(provider, offer) for provider, offer in asked.items()))
        return {provider: cards for provider, (_, _, cards) in self._told.items()}

    def _fresh(self, provider: str, offer: Offer) -> bool:
        until, model, _ = self._told.get(provider, (0.0, None, []))
        return model is offer.model and self._clock() < until

    async def _ask(self, provider: str, offer: Offer) -> None:
        assert offer.model is not None
        cards: list[ModelCard] = []
        try:
            async with asyncio.timeout(PATIENCE):
                cards = await offer.model.models()
        except (ProsaError, TimeoutError) as error:
            log.warning("models_not_told", provider=provider, reason=type(error).__name__)
            before = self._told.get(provider)
            cards = before[2] if before is not None and before[1] is offer.model else []
        self._told[provider] = (self._clock() + FRESH, offer.model, cards)
