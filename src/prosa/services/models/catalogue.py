"""Which providers are configured, which model answers where none is asked for, and how much it takes."""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from prosa.domain.errors import NoSuchProvider, ProviderError
from prosa.ports.models import ChatModel
from prosa.services.models import prices

_BY_NAME = {
    "openai": ("gpt", "chatgpt", "o1", "o3", "o4"),
    "anthropic": ("claude",),
    "mistral": ("mistral", "ministral", "magistral", "codestral", "devstral", "pixtral"),
}
"""How the names of each provider's models begin."""

_UNKNOWN_WINDOW = 32_768


class Choice(Struct, frozen=True):
    provider: str
    model: str


class Offer(Struct, frozen=True):
    """A provider as it is set up. `warm` gets it ready before somebody waits; `window` overrides what the
    price list says of its models; `missing` says why it can't be used: in place of `model`, or beside one
    that is `ready` only at times."""

    default_model: str
    model: ChatModel | None = None
    warm: Callable[[], None] | None = None
    missing: Callable[[], ProviderError] | None = None
    window: int | None = None
    ready: Callable[[], bool] | None = None

    @property
    def answers(self) -> bool:
        return self.model is not None and (self.ready is None or self.ready())


class Catalogue:
    """Offers by the provider's name, and the provider and model to take where nothing is asked for."""

    def __init__(self, offers: Mapping[str, Offer], provider: str | None, model: str | None) -> None:
        """Without `provider` the default is the one that `model` tells, else the first that can answer."""
        self._offers = offers
        self._set_default = provider, model
        if provider is not None and self._known(provider).model is None:
            self._offer(provider)

    @property
    def default(self) -> Choice:
        """Where the provider is not set, keys that are added or retired may change it."""
        provider, model = self._set_default
        name = provider or self._named(model or "") or self.providers[0]
        return Choice(name, model or self._known(name).default_model)

    @property
    def providers(self) -> list[str]:
        """Those that can answer."""
        return [name for name, offer in self._offers.items() if offer.answers]

    def choose(self, *asked: tuple[str | None, str | None]) -> Choice:
        """The first of `asked` (provider, model) that says anything, completed by the next ones, else by the
        defaults. A model alone stays with the provider that is set, unless its name tells another's; a
        provider alone keeps the model that is set for it.

        Raises NoSuchProvider, ProviderNotConfigured.
        """
        for place, (provider, model) in enumerate(asked, 1):
            if provider is None and model is None:
                continue
            set_provider, set_model = self._set(asked[place:])
            name = provider or self._named(model or "") or set_provider
            self._offer(name)
            return Choice(name, model or (set_model if name == set_provider else self._model_of(name)))
        self._offer(self.default.provider)
        return self.default

    def _set(self, asked: Sequence[tuple[str | None, str | None]]) -> tuple[str, str]:
        """What would hold if the first had said nothing."""
        if not any(provider or model for provider, model in asked):
            return self.default.provider, self.default.model
        try:
            choice = self.choose(*asked)
        except ProviderError:  # what is set can't be used: then only the defaults are left to complete with
            return self.default.provider, self.default.model
        return choice.provider, choice.model

    def model(self, provider: str) -> ChatModel:
        """Raises NoSuchProvider, ProviderNotConfigured."""
        found = self._offer(provider).model
        assert found is not None
        return found

    def window(self, choice: Choice) -> int:
        """Tokens of context."""
        known = self._offer(choice.provider).window or prices.context_window(choice.provider, choice.model)
        return known or _UNKNOWN_WINDOW

    def warm(self) -> None:
        """Gets the default provider ready in the background."""
        warm = self._offers[self.default.provider].warm
        if warm is not None:
            warm()

    def prices_needed(self) -> bool:
        return any(name not in prices.FREE for name in self.providers)

    async def close(self) -> None:
        for offer in self._offers.values():
            if offer.model is not None:
                await offer.model.close()

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

    def _model_of(self, provider: str) -> str:
        if provider == self.default.provider:
            return self.default.model
        return self._offer(provider).default_model

    def _named(self, model: str) -> str | None:
        """The provider whose models are called like this, if it can be used."""
        for provider, beginnings in _BY_NAME.items():
            if model.startswith(beginnings) and provider in self.providers:
                return provider
        return None
