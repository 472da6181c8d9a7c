"""What tokens cost, from the price list of genai-prices: offline, exact, None where it does not know."""

from decimal import Decimal
from functools import lru_cache
from typing import Any

from prosa.domain.models import Usage
from prosa.domain.money import PER_DOLLAR, Picodollars, from_dollars

KINDS = 3
FREE = frozenset({"local", "ollama", "fake"})


def load() -> None:
    """Reads the price list (a fifth of a second) before somebody waits for it."""
    _find("openai", "gpt-4o")


@lru_cache(maxsize=512)
def _find(provider: str, model: str) -> Any | None:
    from genai_prices.data_snapshot import get_snapshot

    try:
        return get_snapshot().find_provider_model(model, None, provider, None)
    except LookupError:
        return None


def context_window(provider: str, model: str) -> int | None:
    """Tokens, or None where the list does not know it."""
    found = _find(provider, model)
    return None if found is None else found[1].context_window


def cost(provider: str, model: str, usage: Usage) -> Picodollars | None:
    """What `usage` costs, or None for a model without a known price."""
    if provider in FREE:
        return Picodollars(0)
    rates = _rates(provider, model)
    if rates is None:
        return _asked(provider, model, usage)
    prompt, cached, completion = rates
    fresh = usage.prompt_tokens - usage.cached_tokens
    return Picodollars(fresh * prompt + usage.cached_tokens * cached + usage.completion_tokens * completion)


@lru_cache(maxsize=512)
def _rates(provider: str, model: str) -> tuple[int, int, int] | None:
    """Picodollars for a token of input, of cached input and of output, where the price is as plain as that:
    to ask the list costs a hundred times as much. None where it has tiers, or changes with the hour."""
    found = _find(provider, model)
    if found is None or isinstance(found[1].prices, list):
        return None
    listed = found[1].prices
    prompt, completion = listed.input_mtok, listed.output_mtok
    cached = prompt if listed.cache_read_mtok is None else listed.cache_read_mtok
    rates = [
        price * PER_DOLLAR / 10**6 for price in (prompt, cached, completion) if isinstance(price, Decimal)
    ]
    if len(rates) < KINDS or any(rate % 1 for rate in rates):
        return None
    return int(rates[0]), int(rates[1]), int(rates[2])


def _asked(provider: str, model: str, usage: Usage) -> Picodollars | None:
    """The list's own calculation, with the prices of this moment."""
    found = _find(provider, model)
    if found is None:
        return None
    from genai_prices import Usage as Priced
    from genai_prices import calc_price

    priced = Priced(
        input_tokens=usage.prompt_tokens,
        cache_read_tokens=usage.cached_tokens,
        output_tokens=usage.completion_tokens,
    )
    calculated = calc_price(priced, model_ref=model, provider_id=provider)
    listed = calculated.model_price
    if listed.input_mtok is None or listed.output_mtok is None:
        return None
    return from_dollars(calculated.total_price)
