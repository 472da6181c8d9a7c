"""What tokens cost, from the price list of genai-prices: offline, exact, None where it does not know."""

from functools import lru_cache
from typing import Any

from prosa.domain.models import Usage
from prosa.domain.money import Picodollars, from_dollars

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
    return from_dollars(calc_price(priced, model_ref=model, provider_id=provider).total_price)
