"""`/api/models`: which models can be asked for, what they can do and cost, and when they go."""

from decimal import Decimal

from msgspec import Struct

from prosa.services.models.listing import Entry
from prosa.services.models.rates import Price
from prosa.transport.native.forms import Page
from prosa.transport.operation import Call, Nothing, Operation, Reply


class PriceForm(Struct, frozen=True, rename="camel"):
    """US dollars for a million tokens, `request` for each request, as decimals in strings; null where it
    costs what it is a part of. `above` are the prices of requests with more prompt tokens than `tokens`."""

    input: str
    output: str | None
    cached: str | None
    cache_write: str | None
    reasoning: str | None
    request: str | None
    above: list["LongForm"]


class LongForm(Struct, frozen=True, rename="camel"):
    tokens: int
    input: str
    output: str | None
    cached: str | None
    cache_write: str | None
    reasoning: str | None


class ModelForm(Struct, frozen=True, rename="camel"):
    """`id` is what a request may name as its `model`, with no provider: "provider/model", a route, an alias.
    `prices` is null where nobody knows them; `shutdownAt` is a day (UTC)."""

    id: str
    provider: str
    model: str
    name: str | None
    kind: str
    context_window: int
    capabilities: list[str]
    prices: PriceForm | None
    shutdown_at: str | None
    successor: str | None
    targets: list[str]
    default: bool
    available: bool


async def list_models(call: Call[Nothing, Nothing]) -> Reply:
    return Reply(200, Page([_form(entry) for entry in await call.chat.listing.entries()], None))


def _form(entry: Entry) -> ModelForm:
    tariff = entry.tariff
    return ModelForm(
        id=entry.id,
        provider=entry.provider,
        model=entry.model,
        name=entry.name,
        kind=entry.kind,
        context_window=entry.window,
        capabilities=list(entry.capabilities),
        prices=None if tariff is None else _prices(tariff.base, tariff.above),
        shutdown_at=None if entry.shutdown_at is None else entry.shutdown_at.isoformat(),
        successor=entry.successor,
        targets=list(entry.targets),
        default=entry.default,
        available=entry.available,
    )


def _prices(base: Price, above: tuple[tuple[int, Price], ...]) -> PriceForm:
    return PriceForm(
        input=dollars(base.input) or "0",
        output=dollars(base.output),
        cached=dollars(base.cached),
        cache_write=dollars(base.cache_write),
        reasoning=dollars(base.reasoning),
        request=dollars(base.request),
        above=[
            LongForm(
                tokens=tokens,
                input=dollars(price.input) or "0",
                output=dollars(price.output),
                cached=dollars(price.cached),
                cache_write=dollars(price.cache_write),
                reasoning=dollars(price.reasoning),
            )
            for tokens, price in above
        ],
    )


def dollars(amount: Decimal | None) -> str | None:
    """Exact, without an exponent or zeros at its end."""
    if amount is None:
        return None
    plain = f"{amount:f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


OPERATIONS = [
    Operation("GET", "/api/models", "List the models that can be asked for", list_models,
              gives={200: Page[ModelForm]}),
]  # fmt: skip
