"""Which providers are configured, which model answers where none is asked for, and how much it takes."""

from collections.abc import Callable, Mapping

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
    price list says of its models; `missing` says why it can't be used, in place of `model`."""

    default_model: str
    model: ChatModel | None = None
    warm: Callable[[], None] | None = None
    missing: Callable[[], ProviderError] | None = None
    window: int | None = None


class Catalogue:
    """Offers by the provider's name, and the provider and model to take where nothing is asked for."""

    def __init__(self, offers: Mapping[str, Offer], provider: str, model: str | None) -> None:
        self._offers = offers
        self.default = Choice(provider, model or self._offer(provider).default_model)

    @property
    def providers(self) -> list[str]:
        """Those that can answer."""
        return [name for name, offer in self._offers.items() if offer.model is not None]

    def choose(self, *asked: tuple[str | None, str | None]) -> Choice:
        """The first of `asked` (provider, model) that says anything, completed; else the default.

        Raises NoSuchProvider, ProviderNotConfigured.
        """
        for provider, model in asked:
            if provider is not None or model is not None:
                name = provider or self._provider_of(model or "")
                self._offer(name)
                return Choice(name, model or self._model_of(name))
        self._offer(self.default.provider)
        return self.default

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
        offer = self._offers.get(provider)
        if offer is None:
            raise NoSuchProvider(provider, known=", ".join(self.providers))
        if offer.missing is not None:
            raise offer.missing()
        return offer

    def _model_of(self, provider: str) -> str:
        if provider == self.default.provider:
            return self.default.model
        return self._offer(provider).default_model

    def _provider_of(self, model: str) -> str:
        for provider, beginnings in _BY_NAME.items():
            if model.startswith(beginnings) and provider in self.providers:
                return provider
        return self.default.provider
