"""Texts as vectors, from any provider that makes them, billed as answers are."""

import asyncio
from array import array
from hashlib import sha256
from math import inf

from msgspec import Struct

from prosa.domain.errors import ShuttingDown
from prosa.domain.limits import Bound, Remaining
from prosa.domain.models import Embeddings as Vectors
from prosa.domain.models import EmbedRequest, Usage
from prosa.domain.principal import Principal
from prosa.kit.recent import Recent
from prosa.services import meters
from prosa.services.completions import Completions, bound_of
from prosa.services.context import window
from prosa.services.ledger import Ledger
from prosa.services.models.catalogue import Catalogue, Choice
from prosa.services.runs.settle import Attempt

KEPT_FOR = 86_400.0
"""Seconds."""


class Embedded(Struct, frozen=True):
    """One vector for each text, the model that made them, and what it took."""

    model: str
    vectors: tuple[tuple[float, ...], ...]
    usage: Usage


class Embeddings:
    def __init__(self, ledger: Ledger, catalogue: Catalogue, completions: Completions, kept: int = 0) -> None:
        """`kept` is how many vectors are remembered, each for whom it was made."""
        self._ledger = ledger
        self._catalogue = catalogue
        self._completions = completions
        self._kept: Recent[array[float]] | None = Recent(kept, KEPT_FOR) if kept else None

    async def embed(
        self,
        principal: Principal,
        model: str,
        texts: tuple[str, ...],
        dimensions: int | None = None,
        *,
        beside: bool = False,
    ) -> Embedded:
        """The vectors of `texts` by the model of this name; what is remembered costs nothing. Whoever cancels
        it pays what it had to take. What is asked `beside` an answer is no request and no run of his.

        Raises ProviderError, NotSupported (a provider without embeddings), ShuttingDown, LimitReached,
        PriceUnknown, StoreUnavailable.
        """
        if self._completions.draining:
            raise ShuttingDown
        if not beside:
            await self._ledger.limits.requests.take(principal)
        choice = self._catalogue.choose((None, model or None))
        if self._kept is None:
            return await self._ask(principal, choice, texts, dimensions, beside=beside)
        who = (principal.user_id, principal.client_id, choice.provider, choice.model, dimensions)
        keys = {text: (*who, sha256(text.encode(errors="surrogatepass")).digest()) for text in texts}
        found = {text: kept for text, key in keys.items() if (kept := self._kept.get(key)) is not None}
        meters.cached("embeddings", "hit").inc(len(found))
        missing = tuple(text for text in keys if text not in found)
        meters.cached("embeddings", "miss").inc(len(missing))
        told = Embedded(choice.model, (), Usage())
        if missing:
            told = await self._ask(principal, choice, missing, dimensions, beside=beside)
            for text, vector in zip(missing, told.vectors, strict=True):
                found[text] = array("d", vector)
                self._kept.put(keys[text], found[text])
        return Embedded(told.model, tuple(tuple(found[text]) for text in texts), told.usage)

    async def _ask(
        self,
        principal: Principal,
        choice: Choice,
        texts: tuple[str, ...],
        dimensions: int | None,
        *,
        beside: bool,
    ) -> Embedded:
        asked = self._catalogue.resolve(choice)
        makers = [each for each in self._catalogue.targets(choice) if each.model == choice.model] or [choice]
        most = sum(window.size(text) + window.OVERHEAD for text in texts)

        def measure(_: Remaining) -> Bound:
            """Of the dearest: who makes them in the end shows only when it is done."""
            return max((bound_of(each.provider, each.model, most, 0) for each in makers), key=_dearness)

        _, (hold,) = await self._ledger.hold(principal, measure, route=choice.route, beside=beside)
        prompt = sum(map(window.estimate, texts))
        attempt = hold.begin(Attempt(choice.provider, choice.model, prompt, 0, called=True))
        try:
            told = await asked.embed(EmbedRequest(choice.model, texts, dimensions))
            attempt.provider = told.provider or choice.provider
            attempt.reported = _credible(told)
            attempt.finished = True
        except asyncio.CancelledError:
            attempt.finished = True  # nobody tells what it took; the provider has had the texts
            raise
        finally:
            hold.close("")
            await hold.release()
        return Embedded(choice.model, told.vectors, hold.used)

    def forget(self) -> None:
        """Remembers no vector any more of what was asked before."""
        if self._kept is not None:
            self._kept.clear()

    async def vector(self, principal: Principal, model: str, text: str) -> tuple[float, ...]:
        """That of one text, for an answer that goes on. Raises what `embed` raises."""
        return (await self.embed(principal, model, (text,), beside=True)).vectors[0]


def _dearness(bound: Bound) -> float:
    return inf if bound.cost is None else bound.cost


def _credible(told: Vectors) -> Usage | None:
    return told.usage if told.usage is not None and told.usage.credible else None
