"""Prices: exact where they are known, None where they are not, nothing for what is free."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosa.domain.models import Usage
from prosa.domain.money import from_dollars
from prosa.services.models import prices

counts = st.integers(0, 10**6)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    prompt, completion = draw(counts), draw(counts)
    return Usage(prompt, completion, draw(st.integers(0, prompt)), draw(st.integers(0, completion)))


@given(usages())
def test_to_the_last_digit(usage: Usage) -> None:
    fresh = usage.prompt_tokens - usage.cached_tokens
    dollars = (
        fresh * Decimal("0.15")
        + usage.cached_tokens * Decimal("0.075")
        + usage.completion_tokens * Decimal("0.6")
    ) / 10**6
    assert prices.cost("openai", "gpt-4o-mini", usage) == from_dollars(dollars)


@given(usages(), st.sampled_from(["gpt-4o", "gpt-4o-mini", "gpt-4.1", "o3-mini"]))
def test_never_a_credit_and_never_more_than_the_bound(usage: Usage, model: str) -> None:
    cost = prices.cost("openai", model, usage)
    most = prices.cost("openai", model, Usage(usage.prompt_tokens, usage.completion_tokens))
    assert cost is not None
    assert most is not None
    assert 0 <= cost <= most


@pytest.mark.parametrize("provider", sorted(prices.FREE))
def test_free(provider: str) -> None:
    assert prices.cost(provider, "whatever", Usage(10**9, 10**9)) == 0


@pytest.mark.parametrize(("provider", "model"), [("openai", "nobody-knows-this"), ("nobody", "gpt-4o")])
def test_unknown(provider: str, model: str) -> None:
    assert prices.cost(provider, model, Usage(1, 1)) is None
    assert prices.context_window(provider, model) is None


def test_windows() -> None:
    assert prices.context_window("openai", "gpt-4o") == 128_000


def test_plain_prices_are_what_the_list_calculates() -> None:
    from genai_prices.data_snapshot import get_snapshot

    usage = Usage(prompt_tokens=12_345, completion_tokens=678, cached_tokens=901)
    compared = 0
    for provider in get_snapshot().providers:
        if provider.id in ("openai", "anthropic", "mistral"):
            for model in provider.models:
                assert prices.cost(provider.id, model.id, usage) == prices._asked(
                    provider.id, model.id, usage
                )
                compared += prices._rates(provider.id, model.id) is not None
    assert compared > 100


def test_a_listed_model_without_a_price_for_text_is_not_free() -> None:
    assert prices.cost("openai", "whisper-1", Usage(1, 1)) is None
