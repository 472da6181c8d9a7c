"""What a token costs: dollars a million as people write them, whole picodollars as sums need them."""

from decimal import Decimal

from msgspec import Struct
from msgspec.structs import asdict, replace

from prosa.domain.models import Usage
from prosa.domain.money import PER_DOLLAR, Picodollars

NOTHING = Picodollars(0)
MILLION = 10**6
MOST = Decimal(100_000)
"""US dollars. A higher price (a hundred times the dearest there is) is a slip of the pen."""


class Price(Struct, frozen=True, forbid_unknown_fields=True):
    """US dollars for a million tokens, exact; `request` is for each request.

    What is not priced by itself costs what it is a part of: `cached` (read from the provider's cache) and
    `cache_write` what `input` does, `reasoning` what `output` does. Without `output` nothing is generated:
    embeddings. Raises ValueError for what is no price: negative, NaN, absurd.
    """

    input: Decimal
    output: Decimal | None = None
    cached: Decimal | None = None
    cache_write: Decimal | None = None
    reasoning: Decimal | None = None
    request: Decimal | None = None

    def __post_init__(self) -> None:
        for kind, amount in asdict(self).items():
            if amount is not None and not (amount.is_finite() and 0 <= amount <= MOST):
                raise ValueError(f"`{kind}` must be a price from 0 to {MOST} US dollars a million tokens")


class Tariff(Struct, frozen=True):
    """A price, and those that hold for the whole request once its prompt exceeds so many tokens, lowest
    first."""

    base: Price
    above: tuple[tuple[int, Price], ...] = ()


class Rates(Struct, frozen=True):
    """Picodollars for one token of each kind, `scale` times over, so that each is a whole number. `above`
    are the rates of longer prompts, longest first."""

    prompt: int
    cached: int
    cache_write: int
    completion: int | None
    reasoning: int
    request: int
    scale: int = 1
    above: tuple[tuple[int, "Rates"], ...] = ()

    def cost(self, usage: Usage) -> Picodollars | None:
        """Never less than nothing; half a picodollar is rounded up. None for output that has no price."""
        for start, rates in self.above:
            if usage.prompt_tokens > start:
                return rates.cost(usage)
        completion = self.completion
        if completion is None:
            if usage.completion_tokens:
                return None
            completion = 0
        total = self.request + usage.prompt_tokens * self.prompt + usage.completion_tokens * completion
        if cached := usage.cached_tokens:
            total += cached * (self.cached - self.prompt)
        if written := usage.cache_write_tokens:
            total += written * (self.cache_write - self.prompt)
        if reasoning := usage.reasoning_tokens:
            total += reasoning * (self.reasoning - completion)
        if self.scale != 1:
            total = (total + self.scale // 2) // self.scale
        return Picodollars(total) if total > 0 else NOTHING

    def most(self, prompt: int, completion: int) -> Picodollars | None:
        """The most that so many tokens can cost, however the provider counts them."""
        dearest = max(self.prompt, self.cached, self.cache_write)
        answer = 0 if self.completion is None else max(self.completion, self.reasoning)
        if self.completion is None and completion:
            return None
        total = self.request + prompt * dearest + completion * answer
        costs = [Picodollars(-(-total // self.scale))]
        costs += [rates.most(prompt, completion) or costs[0] for start, rates in self.above if prompt > start]
        return max(costs)


def rates_of(tariff: Tariff) -> Rates:
    longer = tuple((start, _plain(price)) for start, price in reversed(tariff.above))
    return replace(_plain(tariff.base), above=longer)


def _plain(price: Price) -> Rates:
    a_token = Decimal(PER_DOLLAR // MILLION)
    output = _or(price.output, Decimal(0))
    exact = [
        price.input * a_token,
        _or(price.cached, price.input) * a_token,
        _or(price.cache_write, price.input) * a_token,
        output * a_token,
        _or(price.reasoning, output) * a_token,
        _or(price.request, Decimal(0)) * PER_DOLLAR,
    ]
    scale = 10 ** max(map(_decimals, exact))
    prompt, cached, written, completion, reasoning, request = (int(amount * scale) for amount in exact)
    known = None if price.output is None else completion
    return Rates(prompt, cached, written, known, reasoning, request, scale)


def _or(amount: Decimal | None, instead: Decimal) -> Decimal:
    return instead if amount is None else amount


def _decimals(amount: Decimal) -> int:
    exponent = amount.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
