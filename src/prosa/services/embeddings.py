"""Texts as vectors, from any provider that makes them, billed as answers are."""

import asyncio

from msgspec import Struct

from prosa.domain.errors import ShuttingDown
from prosa.domain.limits import Bound, Remaining
from prosa.domain.models import Embeddings as Vectors
from prosa.domain.models import EmbedRequest, Usage
from prosa.domain.principal import Principal
from prosa.services.completions import Completions, bound_of
from prosa.services.context import window
from prosa.services.ledger import Ledger
from prosa.services.models.catalogue import Catalogue
from prosa.services.runs.settle import Attempt


class Embedded(Struct, frozen=True):
    """One vector for each text, the model that made them, and what it took."""

    model: str
    vectors: tuple[tuple[float, ...], ...]
    usage: Usage


class Embeddings:
    def __init__(self, ledger: Ledger, catalogue: Catalogue, completions: Completions) -> None:
        self._ledger = ledger
        self._catalogue = catalogue
        self._completions = completions

    async def embed(
        self, principal: Principal, model: str, texts: tuple[str, ...], dimensions: int | None = None
    ) -> Embedded:
        """The vectors of `texts` by the model of this name. Whoever cancels it pays what it had to take.

        Raises ProviderError, NotSupported (a provider without embeddings), ShuttingDown, LimitReached,
        PriceUnknown, StoreUnavailable.
        """
        if self._completions.draining:
            raise ShuttingDown
        choice = self._catalogue.choose((None, model or None))
        asked = self._catalogue.resolve(choice)
        most = sum(window.size(text) + window.OVERHEAD for text in texts)

        def measure(_: Remaining) -> Bound:
            return bound_of(choice.provider, choice.model, most, 0)

        _, (hold,) = await self._ledger.hold(principal, measure, route=choice.route)
        prompt = sum(map(window.estimate, texts))
        attempt = hold.begin(Attempt(choice.provider, choice.model, prompt, 0, called=True))
        try:
            told = await asked.embed(EmbedRequest(choice.model, texts, dimensions))
            attempt.reported = _credible(told)
            attempt.finished = True
        except asyncio.CancelledError:
            attempt.finished = True  # nobody tells what it took; the provider has had the texts
            raise
        finally:
            hold.close("")
            await hold.release()
        return Embedded(choice.model, told.vectors, hold.used)


def _credible(told: Vectors) -> Usage | None:
    return told.usage if told.usage is not None and told.usage.credible else None
