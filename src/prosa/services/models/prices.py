"""What models cost: the operator's word first, then our corrections, then genai-prices offline, else None."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from importlib import metadata
from typing import Any

from msgspec import Struct

from prosa.domain.errors import CostUnknown, InvalidRequest
from prosa.domain.models import Usage
from prosa.domain.money import Picodollars, to_dollars
from prosa.kit.log import log
from prosa.services.models.rates import Price, Rates, Tariff, rates_of

FREE = frozenset({"local", "ollama", "fake"})
ANY = "*"
"""In place of a model's name: all models of a provider."""

_LISTED_AS = {
    "xai": "x-ai",
    "gemini": "google",
    "moonshot": "moonshotai",
    "kimi": "moonshotai",
    "bedrock": "aws",
    "zhipu": "zhipuai",
}
"""Providers that the list calls otherwise than they are usually called."""

CORRECTIONS = {
    # Since December 2025 the name stands for Mistral Large 3, with the price of `mistral-large-2512`.
    ("mistral", "mistral-large-latest"): Price(
        input=Decimal("0.5"), output=Decimal("1.5"), cached=Decimal("0.05")
    ),
}
"""Where the list is wrong."""

WINDOWS = {
    ("mistral", "mistral-large-latest"): 262_144,
    ("mistral", "mistral-medium-latest"): 262_144,
    ("mistral", "mistral-small-latest"): 262_144,
}
"""Tokens of context that the list does not tell. Source: the models' cards in Mistral's documentation."""

_KINDS = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cached": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "reasoning": "output_reasoning_mtok",
}
_SOON = timedelta(hours=1)
"""What a reservation is made for may be asked of the provider, and priced, this much later."""


class Period(Struct, frozen=True):
    """A tariff and when it holds: always, or while `constraint` is active."""

    tariff: Tariff
    rates: Rates
    constraint: Any = None


class Known(Struct, frozen=True):
    """What is known of a price. Of its `periods` the last one that is active counts, else the first."""

    periods: tuple[Period, ...]
    always: Rates | None
    """Where it is the same at any time."""
    version: str
    """Whose word it is: that of prosa.toml (with a sign of what it says), of this Prosa or of the list."""

    def at(self, moment: datetime) -> Period:
        for period in reversed(self.periods):
            if period.constraint is None or period.constraint.active(moment):
                return period
        return self.periods[0]


class _Word(Struct, frozen=True):
    """What the operator says: prices by provider and model, and names that the list knows."""

    prices: Mapping[tuple[str, str], Price] = {}
    names: Mapping[str, str] = {}


_word = _Word()


def overrule(prices: Mapping[tuple[str, str], Price], names: Mapping[str, str]) -> None:
    """From now on `prices` (by provider and model, or provider and "*") hold in this process, whatever the
    list says; `names` are what the list calls a provider."""
    global _word  # noqa: PLW0603 - prices are the world's: one set of them for all of a process
    _word = _Word(dict(prices), dict(names))
    _known.cache_clear()
    _find.cache_clear()


def load() -> None:
    """Reads the price list (a fifth of a second) before somebody waits for it."""
    _find("openai", "gpt-4o")


def cost(provider: str, model: str, usage: Usage) -> Picodollars | None:
    """What `usage` costs at this moment, or None for a model without a known price."""
    known = _known(provider, model)
    if known is None:
        return None
    return (known.always or known.at(datetime.now(UTC)).rates).cost(usage)


def version(provider: str, model: str) -> str | None:
    """By which prices `cost` counts: `genai-prices 0.2.3`, `prosa.toml 5e884898`, `prosa 0b14d501`, `free`.
    None for a model without a known price. To be kept with what was counted."""
    known = _known(provider, model)
    return None if known is None else known.version


def most(provider: str, model: str, prompt: int, completion: int) -> Picodollars | None:
    """The most that so many tokens can cost now and soon, whatever of them is read from a cache, written to
    it or thought: what has to be held before a provider is asked. None without a known price."""
    known = _known(provider, model)
    if known is None:
        return None
    if known.always is not None:
        return known.always.most(prompt, completion)
    moment = datetime.now(UTC)
    now, soon = (known.at(at).rates.most(prompt, completion) for at in (moment, moment + _SOON))
    return None if now is None or soon is None else max(now, soon)


def tariff(provider: str, model: str) -> Tariff | None:
    """The prices of this moment, for people to read; None where they are not known."""
    known = _known(provider, model)
    return None if known is None else known.at(datetime.now(UTC)).tariff


def context_window(provider: str, model: str) -> int | None:
    """Tokens, or None where nobody tells."""
    found = _find(provider, model)
    told: int | None = None if found is None else found.context_window
    return told or WINDOWS.get((provider, model))


def listed(provider: str) -> list[tuple[str, str | None]]:
    """The ids and names of the models that the list has of a provider."""
    found = _provider(provider)
    return [] if found is None else [(model.id, model.name) for model in found.models]


def calculate_cost(  # noqa: PLR0913 - one for each kind of token that has a price of its own
    provider: str,
    model: str,
    prompt_tokens: int = 0,
    completion_tokens: int = 0,
    cached_tokens: int = 0,
    *,
    cache_write_tokens: int = 0,
    reasoning_tokens: int = 0,
) -> Decimal:
    """What so many tokens cost at this moment, in US dollars, exact.

    `prompt_tokens` include those read from the provider's cache and written to it, `completion_tokens` the
    reasoning ones. The prices of prosa.toml count once a Prosa has been made in this process.

    Raises CostUnknown for a model without a known price (a sum with a None or a 0 in it would be wrong
    without anybody noticing), InvalidRequest for counts that no answer can have.
    """
    usage = Usage(prompt_tokens, completion_tokens, cached_tokens, reasoning_tokens, cache_write_tokens)
    if not usage.credible:
        raise InvalidRequest(
            "counts of tokens can't be negative, beyond a billion, or a part greater than its whole."
        )
    known = cost(provider, model, usage)
    if known is None:
        raise CostUnknown(provider, model)
    return Decimal(to_dollars(known))


@lru_cache(maxsize=4096)
def _known(provider: str, model: str) -> Known | None:
    told, word = _told(provider, model)
    periods = _listed_periods(provider, model) if told is None else [_period(Tariff(told))]
    if not periods:
        return None
    return Known(tuple(periods), periods[0].rates if len(periods) == 1 else None, word)


def _told(provider: str, model: str) -> tuple[Price | None, str]:
    """What is said of a price beside the list, and the version of whose word counts."""
    told = _word.prices.get((provider, model), _word.prices.get((provider, ANY)))
    if told is not None:
        return told, f"prosa.toml {_sign(told)}"
    if provider in FREE:
        return Price(input=Decimal(0), output=Decimal(0)), "free"
    if (provider, model) in CORRECTIONS:
        return CORRECTIONS[provider, model], f"prosa {_sign(CORRECTIONS[provider, model])}"
    return None, _list_version()


def _sign(price: Price) -> str:
    return hashlib.sha256(repr(price).encode()).hexdigest()[:8]


@lru_cache
def _list_version() -> str:
    return f"genai-prices {metadata.version('genai-prices')}"


def _listed_periods(provider: str, model: str) -> list[Period]:
    """None where the list has no price for text, or one that can't be."""
    found = _find(provider, model)
    if found is None:
        return []
    conditions = found.prices if isinstance(found.prices, list) else [None]
    periods = []
    for each in conditions:
        prices, constraint = (found.prices, None) if each is None else (each.prices, each.constraint)
        if prices.input_mtok is None:  # it is sold by the hour, the page or the picture
            return []
        try:
            periods.append(_period(_tariff(prices), constraint))
        except ValueError as error:
            log.warning("price_refused", provider=provider, model=model, reason=str(error))
            return []
    return periods


def _period(tariff: Tariff, constraint: Any = None) -> Period:
    return Period(tariff, rates_of(tariff), constraint)


def _tariff(listed: Any) -> Tariff:
    """Raises ValueError for what can be no price."""
    kinds: dict[str, Any] = {kind: getattr(listed, name) for kind, name in _KINDS.items()}
    request = listed.requests_kcount
    starts = sorted({tier.start for price in kinds.values() for tier in getattr(price, "tiers", ())})

    def at(start: int) -> Price:
        amounts: dict[str, Any] = {kind: _level(price, start) for kind, price in kinds.items()}
        return Price(**amounts, request=None if request is None else request / 1000)

    return Tariff(at(-1), tuple((start, at(start)) for start in starts))


def _level(price: Any, start: int) -> Decimal | None:
    """The price of one kind for prompts longer than `start`; -1: of the shortest."""
    found: Decimal | None = getattr(price, "base", price)
    for tier in getattr(price, "tiers", ()):
        if tier.start <= start:
            found = tier.price
    return found


@lru_cache(maxsize=4096)
def _find(provider: str, model: str) -> Any | None:
    found = _provider(provider)
    if found is None:
        return None
    from genai_prices.data_snapshot import get_snapshot

    return found.find_model(model.lower(), all_providers=get_snapshot().providers)


def _provider(provider: str) -> Any | None:
    """By its exact name: a server that is called like a provider is not one."""
    from genai_prices.data_snapshot import get_snapshot

    wanted = _word.names.get(provider) or _LISTED_AS.get(provider, provider)
    return next((each for each in get_snapshot().providers if each.id == wanted), None)
