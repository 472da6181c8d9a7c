"""Which models there are: who answers what is asked for, through which policies, and how much it takes."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from datetime import date
from typing import Protocol

from msgspec import Struct

from prosa.domain.answers import Caching
from prosa.domain.errors import InvalidRequest, MisconfiguredError, NoSuchProvider, ProviderError
from prosa.kit.log import log
from prosa.ports.models import ChatModel
from prosa.services.models import prices
from prosa.services.models.able import Able, takes_all
from prosa.services.models.capabilities import Capability, capabilities
from prosa.services.models.failover import Failover
from prosa.services.models.overrides import Override
from prosa.services.models.prices import ANY
from prosa.services.models.rates import Tariff
from prosa.services.models.routes import DEFAULT, Names, Route, Target, check_provider, target_of
from prosa.services.models.shutdowns import KNOWN, Notices, Shutdown

_BY_NAME = {
    "openai": ("gpt", "chatgpt", "o1", "o3", "o4", "text-embedding-"),
    "anthropic": ("claude",),
    "mistral": ("mistral", "ministral", "magistral", "codestral", "devstral", "pixtral"),
}
"""How the names of each provider's models begin."""

_OPEN = "gpt-oss"
"""Whose weights OpenAI gave away; it does not serve them. Other open weights bear a tag behind a colon."""

_UNKNOWN_WINDOW = 32_768


class Choice(Struct, frozen=True):
    """Who answers, and with what. With a `route` it is the first target: others may answer in its place.
    `stepped` is what its route has stepped down to, if it has."""

    provider: str
    model: str
    route: str | None = None
    stepped: str | None = None


class Offer(Struct, frozen=True):
    """A provider as it is set up.

    `warm` gets it ready before somebody waits; `window` overrides what the price list says of its models;
    `missing` says why it can't be used: in place of `model`, or beside one that is `ready` only at times.
    `tells` is whether it knows best which models it has; `listed_as` is what the price list calls it.
    """

    default_model: str | None
    model: ChatModel | None = None
    warm: Callable[[], None] | None = None
    missing: Callable[[], ProviderError] | None = None
    window: int | None = None
    ready: Callable[[], bool] | None = None
    tells: bool = False
    listed_as: str | None = None

    @property
    def answers(self) -> bool:
        return self.model is not None and (self.ready is None or self.ready())


class Around(Protocol):
    """Puts what guards a route (None: where none is asked) around the model that answers for it."""

    def __call__(self, model: ChatModel, route: str | None) -> ChatModel: ...

    async def close(self) -> None: ...


Remember = Callable[[ChatModel, str, Caching], ChatModel]
"""Puts what keeps the answers of a route around the model that answers for it."""


class Book(Struct, frozen=True):
    """What the operator says of models: routes and aliases by name, overrides by "provider/model"."""

    routes: Mapping[str, Route] = {}
    aliases: Mapping[str, str] = {}
    models: Mapping[str, Override] = {}


class Catalogue:
    """Offers by the provider's name, and the provider and model to take where nothing is asked for."""

    def __init__(
        self,
        offers: Mapping[str, Offer],
        provider: str | None,
        model: str | None,
        book: Book | None = None,
        notices: Notices | None = None,
        around: Around | None = None,
    ) -> None:
        """Without `provider` the default is the one that `model` tells, else the first that can answer; the
        route "default" goes before both. Raises MisconfiguredError, NoSuchProvider, ProviderNotConfigured."""
        self.remember: Remember | None = None
        self._asked = (provider, model)
        self._notices = notices or Notices()
        self._around = around
        self._offers: dict[str, Offer] = {}
        self._leaving: list[ChatModel] = []
        self._midnight = 0.0
        self._fixed: Choice | None = None
        self._living: dict[tuple[str, str], tuple[str, str]] = {}
        self.reload(offers, book or Book())

    def reload(self, offers: Mapping[str, Offer], book: Book) -> None:
        """From now on these, or, where something in them is wrong, all as before. Raises what the constructor
        raises."""
        names = Names(
            book.routes, book.aliases, {name: offer.default_model for name, offer in offers.items()}
        )
        overrides = dict(_entries(book.models, offers))
        before = dict(self.__dict__)
        self._offers, self._names, self._overrides = dict(offers), names, overrides
        self._caching = {name: route.cache for name, route in book.routes.items() if route.cache is not None}
        self._leaving = [*self._leaving, *_models(before["_offers"], self._offers)]
        self._shutdowns = _shutdowns(overrides)
        self._midnight, self._living = 0.0, {}
        try:
            self._fixed = self._fixed_default()
        except Exception:
            self.__dict__.update(before)
            raise
        prices.overrule(
            {key: override.prices for key, override in overrides.items() if override.prices is not None},
            {name: offer.listed_as for name, offer in offers.items() if offer.listed_as is not None},
        )
        self._warn_early()

    def check(self, book: Book, defaults: Mapping[str, str | None]) -> Names:
        """The names that would hold. Raises what `reload` raises, for providers that are not built yet;
        `defaults` are their models."""
        names = Names(book.routes, book.aliases, defaults)
        dict(_entries(book.models, defaults))
        if self._asked[0] is not None and self._asked[0] not in defaults:
            raise NoSuchProvider(self._asked[0], known=", ".join(defaults))
        return names

    @property
    def default(self) -> Choice:
        """What answers where nothing is asked for. Where nothing is set, keys that are added or retired may
        change it."""
        return self._alive(self._unasked())

    @property
    def providers(self) -> list[str]:
        """Those that can answer."""
        return [name for name, offer in self._offers.items() if offer.answers]

    @property
    def offers(self) -> Mapping[str, Offer]:
        return self._offers

    @property
    def names(self) -> Names:
        return self._names

    def choose(self, *asked: tuple[str | None, str | None]) -> Choice:
        """The first of `asked` (provider, model) that says anything, completed by the next ones, else by the
        defaults. A model alone stays with the provider that is set, unless its name tells another's: as a
        route, an alias, "provider/model", or a name of that provider's kind. A provider alone keeps the model
        that is set for it. A model that is shut down gives way to its successor.

        Raises NoSuchProvider, ProviderNotConfigured, InvalidRequest (a provider without a default model).
        """
        for place, (provider, model) in enumerate(asked, 1):
            if provider is not None or model is not None:
                return self._alive(self._chosen(provider, model, asked[place:]))
        unasked = self._unasked()
        self._offer(unasked.provider)
        return self._alive(unasked)

    def resolve(self, choice: Choice) -> ChatModel:
        """Who is to be asked: the provider behind its policies, or the targets of the route, in their order,
        without those that can't be used; and what guards them. Raises NoSuchProvider,
        ProviderNotConfigured."""
        found = self.unguarded(choice)
        return found if self._around is None else self._around(found, choice.route)

    def unguarded(self, choice: Choice) -> ChatModel:
        """As `resolve`, for what the guard itself asks. Raises NoSuchProvider, ProviderNotConfigured."""
        targets = self.targets(choice)
        if not targets:
            return self._model(choice.provider)
        found = Failover([(self._able(target), target.model) for target in targets])
        caching = self._caching.get(choice.route or "")
        if caching is None or self.remember is None:
            return found
        return self.remember(found, choice.route or "", caching)

    def targets(self, choice: Choice) -> list[Choice]:
        """Those of the route, in their order, that can be used; none where no route is asked, or one that was
        taken out of prosa.toml meanwhile."""
        name = choice.route if choice.stepped is None else self._names.route_of(choice.stepped)
        route = () if name is None else self._names.routes.get(name, ())
        return [self._alive(_choice(target)) for target in route if self._usable(target)]

    def stepped(self, choice: Choice, used: float) -> Choice:
        """What answers in place of `choice` where `used` of a limit (0 to 1) is used up: its route may step
        down to something cheaper, and that again."""
        seen: set[str] = set()
        while (name := choice.route if choice.stepped is None else self._names.route_of(choice.stepped)) in (
            self._names.steps
        ):
            assert name is not None
            meaning, at = self._names.steps[name]
            if used < at or meaning in seen:
                break
            seen.add(meaning)
            lower = self._by_name(meaning)
            if lower is None or not self._offers[lower.provider].answers:
                break
            choice = self._alive(Choice(lower.provider, lower.model, choice.route, meaning))
        return choice

    def model(self, provider: str) -> ChatModel:
        """A provider behind its policies, guarded as where no route is asked. Raises NoSuchProvider,
        ProviderNotConfigured."""
        found = self._model(provider)
        return found if self._around is None else self._around(found, None)

    def _model(self, provider: str) -> ChatModel:
        found = self._offer(provider).model
        assert found is not None
        return found

    def _able(self, target: Choice) -> ChatModel:
        """As `model`, but spared what it is known not to take."""
        model, able = self._model(target.provider), self.capabilities(target)
        return model if takes_all(able) else Able(model, able)

    def window(self, choice: Choice) -> int:
        """Tokens of context; of a route, those of its first target."""
        provider, model = choice.provider, choice.model
        override = self._override(provider, model)
        if override is not None and override.context_window is not None:
            return override.context_window
        return self._known(provider).window or prices.context_window(provider, model) or _UNKNOWN_WINDOW

    def capabilities(self, choice: Choice) -> tuple[Capability, ...]:
        """What the model can do, as far as anybody tells; ("unknown",) where nobody does."""
        override = self._override(choice.provider, choice.model)
        if override is not None and override.capabilities is not None:
            return override.capabilities
        return capabilities(choice.provider, choice.model)

    def tariff(self, choice: Choice) -> Tariff | None:
        return prices.tariff(choice.provider, choice.model)

    def shutdown(self, choice: Choice) -> Shutdown | None:
        return self._shutdowns.get((choice.provider, choice.model))

    @property
    def overrides(self) -> Mapping[tuple[str, str], Override]:
        """By provider and model; "*" is any."""
        return self._overrides

    @property
    def today(self) -> date:
        """In UTC."""
        return self._notices.today

    def meaning(self, name: str) -> Choice:
        """What a route or an alias stands for now."""
        choice = self._by_name(name)
        assert choice is not None
        return self._alive(choice)

    def warm(self) -> None:
        """Gets the default provider ready in the background."""
        warm = self._offers[self._unasked().provider].warm
        if warm is not None:
            warm()

    def prices_needed(self) -> bool:
        return any(name not in prices.FREE for name in self.providers)

    async def close(self) -> None:
        """Those that others took the place of last, whose runs have ended by now."""
        for model in [*_models(self._offers, {}), *self._leaving]:
            await model.close()
        if self._around is not None:
            await self._around.close()

    def _fixed_default(self) -> Choice | None:
        """The default where the provider is set, if it can ever answer."""
        provider, model = self._asked
        if provider is None or DEFAULT in self._names.routes:
            return None
        if self._known(provider).model is None:
            self._offer(provider)
        model = model or self._known(provider).default_model
        if model is None:
            raise MisconfiguredError(
                f"DEFAULT_AI_PROVIDER is {provider}, which has no default model. Set DEFAULT_AI_MODEL."
            )
        return Choice(provider, model)

    def _unasked(self) -> Choice:
        """The default, be it shut down or not."""
        if self._fixed is not None:
            return self._fixed
        if (route := self._routed(DEFAULT)) is not None:
            return route
        model = self._asked[1]
        if model is not None and (named := self._by_name(model)) is not None:
            return named
        if model is not None:
            return Choice(self._named(model) or next(iter(self.providers), ""), model)
        offers = self._offers.items()
        name = next((name for name, offer in offers if offer.answers and offer.default_model), "")
        return Choice(name, self._default_of(name))

    def _chosen(
        self, provider: str | None, model: str | None, others: Sequence[tuple[str | None, str | None]]
    ) -> Choice:
        if model is not None:
            named = self._by_name(model)
            if named is not None and provider in (None, named.provider):
                self._offer(named.provider)
                return named
        known = self._set(others)
        name = provider or self._named(model or "") or known.provider
        self._offer(name)
        if model is not None:
            return Choice(name, model)
        return known if name == known.provider else Choice(name, self._model_of(name))

    def _set(self, asked: Sequence[tuple[str | None, str | None]]) -> Choice:
        """What would hold if the first had said nothing."""
        for place, (provider, model) in enumerate(asked, 1):
            if provider is not None or model is not None:
                try:
                    return self._chosen(provider, model, asked[place:])
                except ProviderError:  # it can't be used: then only the defaults are left to complete with
                    break
        return self._unasked()

    def _by_name(self, model: str) -> Choice | None:
        """A route, an alias, or "provider/model" with a provider that there is."""
        if self._names.routes or self._names.aliases:
            if (route := self._routed(model)) is not None:
                return route
            if (alias := self._names.alias_of(model)) is not None:
                return _choice(alias)
        provider, slash, name = model.partition("/")
        return Choice(provider, name) if slash and name and provider in self._offers else None

    def _routed(self, name: str) -> Choice | None:
        """The first target that can be used; where none can, the first."""
        route = self._names.route_of(name)
        if route is None:
            return None
        targets = self._names.routes[route]
        first = next((target for target in targets if self._usable(target)), targets[0])
        return _choice(first, route)

    def _usable(self, target: Target) -> bool:
        return self._offers[target.provider].answers

    def _alive(self, choice: Choice) -> Choice:
        """The model itself, or who succeeds it if it is shut down, and so on."""
        key = (choice.provider, choice.model)
        if key not in self._shutdowns:
            return choice
        if self._notices.clock() >= self._midnight:
            self._midnight, self._living = self._notices.midnight, {}
        living = self._living.get(key)
        if living is None:
            living = self._living[key] = self._follow(key)
        return choice if living == key else Choice(*living, choice.route, choice.stepped)

    def _follow(self, key: tuple[str, str]) -> tuple[str, str]:
        today = self._notices.today
        seen = {key}
        while (shutdown := self._shutdowns.get(key)) is not None:
            self._notices.tell(*key, shutdown, today)
            following = self._successor(key[0], shutdown)
            if today < shutdown.day or following is None or following in seen:
                break
            key = following
            seen.add(key)
        return key

    def _successor(self, provider: str, shutdown: Shutdown) -> tuple[str, str] | None:
        """None where there is none, or none that can be used."""
        if shutdown.successor is None:
            return None
        other = target_of(shutdown.successor)
        if other.model is not None and other.provider in self._offers:
            return (other.provider, other.model) if self._usable(other) else None
        return provider, shutdown.successor

    def _warn_early(self) -> None:
        """So that the log tells of what is going at the start, and not in the night in which it goes."""
        for target in (target for route in self._names.routes.values() for target in route):
            self._alive(_choice(target))
            if not self._usable(target):
                log.warning("route_target_not_usable", provider=target.provider, model=target.model)
        self._alive(self._unasked())

    def _override(self, provider: str, model: str) -> Override | None:
        if not self._overrides:
            return None
        return self._overrides.get((provider, model)) or self._overrides.get((provider, ANY))

    def _offer(self, provider: str) -> Offer:
        offer = self._known(provider)
        if offer.missing is not None and not offer.answers:
            raise offer.missing()
        return offer

    def _known(self, provider: str) -> Offer:
        offer = self._offers.get(provider)
        if offer is None:
            raise NoSuchProvider(provider, known=", ".join(self.providers))
        return offer

    def _default_of(self, provider: str) -> str:
        model = self._known(provider).default_model
        if model is None:
            raise InvalidRequest(f"{provider} has no default model: say which one.")
        return model

    def _model_of(self, provider: str) -> str:
        unasked = self._unasked()
        if provider == unasked.provider:
            return unasked.model
        return self._default_of(provider)

    def _named(self, model: str) -> str | None:
        """The provider whose models are called like this, if it can be used. Open weights are called alike
        wherever they run, so their names (`gpt-oss-20b`, `mistral:7b`) tell none."""
        if model.startswith(_OPEN) or ":" in model:
            return None
        for provider, beginnings in _BY_NAME.items():
            if model.startswith(beginnings):
                offer = self._offers.get(provider)
                return provider if offer is not None and offer.answers else None
        return None


def _models(offers: Mapping[str, Offer], kept: Mapping[str, Offer]) -> list[ChatModel]:
    """Those of `offers` that are not in `kept`."""
    stay = {id(offer.model) for offer in kept.values()}
    return [
        offer.model for offer in offers.values() if offer.model is not None and id(offer.model) not in stay
    ]


def _choice(target: Target, route: str | None = None) -> Choice:
    assert target.model is not None
    return Choice(target.provider, target.model, route)


def _entries(
    models: Mapping[str, Override], providers: Container[str]
) -> Iterable[tuple[tuple[str, str], Override]]:
    for name, override in models.items():
        where = f'[models."{name}"]'
        provider, _, model = name.partition("/")
        check_provider(provider, providers, where)
        if not model:
            raise MisconfiguredError(f'prosa.toml, {where}: name it "provider/model", or "{provider}/*".')
        yield (provider, model), override


def _shutdowns(overrides: Mapping[tuple[str, str], Override]) -> dict[tuple[str, str], Shutdown]:
    known = dict(KNOWN)
    for key, override in overrides.items():
        before = known.get(key)
        if override.shutdown_at is False:
            known.pop(key, None)
        elif override.shutdown_at is not None or (override.successor is not None and before is not None):
            day = override.shutdown_at or (before.day if before else None)
            successor = override.successor or (before.successor if before else None)
            if day:
                known[key] = Shutdown(day, successor)
    return known
