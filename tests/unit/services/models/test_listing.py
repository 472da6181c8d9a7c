"""The list of models: from the providers that know best, from the price list, from prosa.toml."""

import asyncio
from decimal import Decimal

from prosa.adapters.models.fake.client import FakeModel
from prosa.domain.errors import ProviderUnreachable
from prosa.domain.models import ModelCard
from prosa.services.models import listing, prices
from prosa.services.models.catalogue import Book, Catalogue, Offer
from prosa.services.models.listing import FRESH, Entry, Listing
from prosa.services.models.overrides import Override
from prosa.services.models.rates import Price
from prosa.services.models.routes import Route
from prosa.services.models.shutdowns import Notices


class Telling(FakeModel):
    """Says what it has, as often as `asked`; or fails, or hangs."""

    def __init__(self, provider: str, *ids: str) -> None:
        super().__init__(provider=provider)
        self.ids = ids
        self.asked = 0
        self.broken = False
        self.hangs = False

    async def models(self) -> list[ModelCard]:
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.broken:
            raise ProviderUnreachable(self.provider)
        return [ModelCard(each, f"The {each}", window=4_096) for each in self.ids]


def house(model: Telling, book: Book | None = None) -> Catalogue:
    offers = {
        "openai": Offer("gpt-4o", FakeModel(provider="openai")),
        "home": Offer("big", model, tells=True),
        "mistral": Offer("mistral-small-latest"),
    }
    return Catalogue(offers, None, None, book, Notices(lambda: 1_795_262_400.0))


def by_id(entries: list[Entry]) -> dict[str, Entry]:
    found = {entry.id: entry for entry in entries}
    assert len(found) == len(entries)
    return found


async def test_what_there_is() -> None:
    price = Price(Decimal(1), Decimal(2))
    book = Book(
        {"default": Route(("mistral", "openai/gpt-4o"))},
        {"fast": "home/small"},
        {"home/small": Override(prices=price, context_window=2_048, name="Small"), "home/*": Override()},
    )
    found = by_id(await Listing(house(Telling("home", "small", "large"), book)).entries())
    prices.overrule({}, {})
    assert list(found)[:2] == ["default", "fast"]
    route = found["default"]
    assert (route.kind, route.provider, route.default, route.available) == ("route", "openai", True, True)
    assert route.targets == ("mistral/mistral-small-latest", "openai/gpt-4o")
    assert (found["fast"].kind, found["fast"].model, found["fast"].name) == ("alias", "fast", "home/small")
    small, large, big = found["home/small"], found["home/large"], found["home/big"]
    assert (small.name, large.name, big.name) == ("Small", "The large", None)
    assert (small.tariff, large.tariff) == (found["fast"].tariff, None)
    assert small.tariff is not None
    assert small.tariff.base == price
    assert (large.window, large.capabilities) == (4_096, ("unknown",))
    gone = found["openai/gpt-3.5-turbo"]
    assert (gone.available, gone.successor, str(gone.shutdown_at)) == (False, "gpt-4.1-mini", "2026-10-23")
    assert found["openai/gpt-4o"].available
    assert "openai/text-embedding-3-small" in found
    assert not [name for name in found if name.startswith("mistral/") or "whisper" in name]
    assert [entry.id for entry in found.values() if entry.default] == ["default"]


async def test_a_provider_is_asked_once_a_minute() -> None:
    now = 0.0
    model = Telling("home", "small")
    listed = Listing(house(model), lambda: now)
    await asyncio.gather(listed.entries(), listed.entries())
    assert model.asked == 1
    now = FRESH
    model.ids = ("small", "new")
    assert "home/new" in by_id(await listed.entries())
    assert model.asked == 2


async def test_a_provider_that_fails_breaks_nothing(monkeypatch: object) -> None:
    now = 0.0
    model = Telling("home", "small")
    listed = Listing(house(model), lambda: now)
    await listed.entries()
    model.broken, now = True, FRESH
    assert "home/small" in by_id(await listed.entries())  # what it said last
    fresh = Listing(house(model))
    found = by_id(await fresh.entries())
    assert "home/small" not in found
    assert "home/big" in found
    assert "openai/gpt-4o" in found


async def test_one_that_hangs_is_not_waited_for(monkeypatch: object) -> None:
    model = Telling("home", "small")
    model.hangs = True
    before, listing.PATIENCE = listing.PATIENCE, 0.01
    try:
        assert "home/big" in by_id(await Listing(house(model)).entries())
    finally:
        listing.PATIENCE = before


async def test_a_provider_that_was_set_up_anew_is_asked_anew() -> None:
    catalogue = house(Telling("home", "old"))
    listed = Listing(catalogue)
    assert "home/old" in by_id(await listed.entries())
    other = Telling("home", "new")
    catalogue.reload({"home": Offer("big", other, tells=True)}, Book())
    found = by_id(await listed.entries())
    assert "home/new" in found
    assert "home/old" not in found
