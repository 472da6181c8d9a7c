"""Prices: exact where they are known, None where they are not, nothing for what is free, never a credit."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.services.models.published import PUBLISHED

import prosa
from prosa.domain.errors import CostUnknown, InvalidRequest
from prosa.domain.models import Usage
from prosa.domain.money import from_dollars
from prosa.services.models import prices
from prosa.services.models.rates import MOST, Price, Tariff, rates_of

ROWS = [line.split() for line in PUBLISHED.split("\n") if line]
counts = st.integers(0, 10**6)


@pytest.fixture(autouse=True)
def _without_overrides() -> Iterator[None]:
    prices.overrule({}, {})
    yield
    prices.overrule({}, {})


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    prompt, completion = draw(counts), draw(counts)
    cached = draw(st.integers(0, prompt))
    return Usage(
        prompt, completion, cached, draw(st.integers(0, completion)), draw(st.integers(0, prompt - cached))
    )


@pytest.mark.parametrize(("provider", "model", "prompt", "completion", "cached"), ROWS)
def test_what_providers_publish(provider: str, model: str, prompt: str, completion: str, cached: str) -> None:
    """To the last digit: primes as counts, so that no rounding can hide."""
    usage = Usage(99_991, 0 if completion == "-" else 50_021, 20_011)
    dollars = (
        (99_991 - 20_011) * Decimal(prompt)
        + 20_011 * Decimal(prompt if cached == "-" else cached)
        + usage.completion_tokens * Decimal(0 if completion == "-" else completion)
    ) / 10**6
    assert prices.cost(provider, model, usage) == from_dollars(dollars)
    tokens = (usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens)
    assert prosa.calculate_cost(provider, model, *tokens) == dollars


def test_enough_models_are_checked() -> None:
    assert len({(provider, model) for provider, model, *_ in ROWS}) >= 60


@given(usages())
def test_to_the_last_digit(usage: Usage) -> None:
    fresh = usage.prompt_tokens - usage.cached_tokens - usage.cache_write_tokens
    dollars = (
        fresh * Decimal(5)
        + usage.cached_tokens * Decimal("0.5")
        + usage.cache_write_tokens * Decimal("6.25")
        + usage.completion_tokens * Decimal(25)
    ) / 10**6
    assert prices.cost("anthropic", "claude-opus-4-7", usage) == from_dollars(dollars)


@given(usages(), st.sampled_from(["gpt-4o", "gpt-4.1", "o3-mini", "gpt-5.4", "gpt-6-sol", "gpt-5.6-luna"]))
def test_never_a_credit_and_never_more_than_the_bound(usage: Usage, model: str) -> None:
    cost = prices.cost("openai", model, usage)
    most = prices.most("openai", model, usage.prompt_tokens, usage.completion_tokens)
    assert cost is not None
    assert most is not None
    assert 0 <= cost <= most


def test_a_long_prompt_costs_more_as_a_whole() -> None:
    """Sonnet 4.5: 3 and 15 dollars up to 200,000 tokens of input, 6 and 22.50 beyond."""
    name = "claude-sonnet-4-5"
    assert prices.cost("anthropic", name, Usage(200_000, 10)) == from_dollars(Decimal("0.60015"))
    assert prices.cost("anthropic", name, Usage(200_001, 10)) == from_dollars(Decimal("1.200231"))
    cached = prices.cost("anthropic", name, Usage(300_000, 0, 300_000))
    assert cached == from_dollars(Decimal("0.18"))
    assert prices.most("anthropic", name, 200_001, 10) == from_dollars(
        Decimal("7.5") * 200_001 / 10**6 + Decimal("0.000225")
    )


def test_a_price_that_changed_on_a_day() -> None:
    known = prices._known("openai", "o3")
    assert known is not None
    assert known.at(datetime(2025, 6, 9, 23, tzinfo=UTC)).tariff.base.input == 10
    assert known.at(datetime(2025, 6, 10, tzinfo=UTC)).tariff.base.input == 2


def test_a_price_that_changes_with_the_hour() -> None:
    known = prices._known("deepseek", "deepseek-chat")
    assert known is not None
    day, night = (known.at(datetime(2026, 1, 1, hour, tzinfo=UTC)).tariff.base for hour in (12, 20))
    assert (day.input, night.input) == (Decimal("0.27"), Decimal("0.135"))


def test_reasoning_and_requests_may_have_prices_of_their_own() -> None:
    rates = rates_of(Tariff(Price(Decimal(2), Decimal(8), reasoning=Decimal(3), request=Decimal("0.005"))))
    assert rates.cost(Usage(10, 100, 0, 60)) == from_dollars(
        Decimal("0.005") + (10 * Decimal(2) + 40 * Decimal(8) + 60 * Decimal(3)) / 10**6
    )


@given(st.integers(0, 10**9))
def test_a_fraction_of_a_picodollar_is_rounded_once(tokens: int) -> None:
    rates = rates_of(Tariff(Price(Decimal("0.0000001"), Decimal(0))))
    assert rates.cost(Usage(tokens)) == from_dollars(Decimal("0.0000001") * tokens / 10**6)


@given(usages())
def test_the_same_as_the_list_calculates(usage: Usage) -> None:
    from genai_prices import Usage as Listed
    from genai_prices import calc_price

    listed = Listed(
        input_tokens=usage.prompt_tokens,
        cache_read_tokens=usage.cached_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        output_tokens=usage.completion_tokens,
    )
    for provider, model in (
        ("openai", "gpt-6.1-sol"),
        ("anthropic", "claude-haiku-5-5"),
        ("openai", "gpt-4o"),
    ):
        calculated = calc_price(listed, model_ref=model, provider_id=provider).total_price
        assert prices.cost(provider, model, usage) == from_dollars(calculated)


@pytest.mark.parametrize("provider", sorted(prices.FREE))
def test_free(provider: str) -> None:
    assert prices.cost(provider, "whatever", Usage(10**9, 10**9)) == 0


@pytest.mark.hostile(64)
@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "nobody-knows-this"),
        ("nobody", "gpt-4o"),
        ("my-openai", "gpt-4o"),  # whoever is called like a provider is not one
        ("vllm", "gpt-4o"),
        ("openai", "whisper-1"),  # sold by the hour
        ("openai", "moderation"),
    ],
)
def test_unknown_is_never_free(provider: str, model: str) -> None:
    assert prices.cost(provider, model, Usage(1, 1)) is None
    assert prices.most(provider, model, 1, 1) is None
    assert prices.tariff(provider, model) is None
    with pytest.raises(CostUnknown, match=model):
        prosa.calculate_cost(provider, model, 1, 1)


def test_output_of_what_gives_none_has_no_price() -> None:
    assert prices.cost("openai", "text-embedding-3-small", Usage(1_000_000)) == from_dollars(Decimal("0.02"))
    assert prices.cost("openai", "text-embedding-3-small", Usage(1, 1)) is None
    assert prices.most("openai", "text-embedding-3-small", 1, 1) is None


@pytest.mark.hostile(64)
@pytest.mark.parametrize("amount", ["-0.01", "NaN", "-Infinity", "Infinity", str(MOST + 1)])
@pytest.mark.parametrize("kind", ["input", "output", "cached", "cache_write", "reasoning", "request"])
def test_what_is_no_price(kind: str, amount: str) -> None:
    with pytest.raises(ValueError, match=kind):
        Price(**{"input": Decimal(1), kind: Decimal(amount)})


@pytest.mark.hostile(64)
@pytest.mark.parametrize("amount", ["-1", "NaN", "1e9"])
def test_a_list_that_lies_is_a_list_that_does_not_know(amount: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from genai_prices.types import ModelPrice

    class Model:
        prices = ModelPrice(input_mtok=Decimal(amount), output_mtok=Decimal(1))

    prices._known.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(prices, "_find", lambda *_: Model)
        assert prices.cost("openai", "gpt-4o", Usage(1, 1)) is None


@pytest.mark.hostile(64)
@pytest.mark.parametrize("tokens", [(-1, 0), (0, -1), (1, 0, 2), (10**12, 0), (10**9 + 1, 1)])
def test_counts_that_no_answer_has(tokens: tuple[int, ...]) -> None:
    with pytest.raises(InvalidRequest):
        prosa.calculate_cost("openai", "gpt-4o", *tokens)
    assert (prices.cost("openai", "gpt-4o", Usage(*tokens)) or 0) >= 0


def test_the_operator_has_the_last_word() -> None:
    own = Price(Decimal("0.5"), Decimal(1))
    prices.overrule(
        {("openai", "gpt-4o"): own, ("vllm", "*"): own, ("vllm", "small"): Price(Decimal(0), Decimal(0))},
        {"fast": "groq"},
    )
    usage = Usage(10**6, 10**6)
    assert prices.cost("openai", "gpt-4o", usage) == from_dollars(Decimal("1.5"))
    assert prices.cost("vllm", "any", usage) == from_dollars(Decimal("1.5"))
    assert prices.cost("vllm", "small", usage) == 0
    assert prices.cost("fast", "llama-3.1-8b-instant", usage) == from_dollars(Decimal("0.13"))
    prices.overrule({}, {})
    assert prices.cost("openai", "gpt-4o", usage) == from_dollars(Decimal("12.5"))
    assert prices.cost("vllm", "any", usage) is None


def test_the_seed_says_it_with_names() -> None:
    cost = prosa.calculate_cost(
        provider="openai", model="gpt-4-turbo-preview", prompt_tokens=100, completion_tokens=200
    )
    assert cost == Decimal("0.007")


def test_windows() -> None:
    assert prices.context_window("openai", "gpt-4o") == 128_000
    assert prices.context_window("mistral", "mistral-large-latest") == 262_144
    assert prices.context_window("nobody", "x") is None
