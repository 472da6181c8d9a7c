"""Routes, aliases, "provider/model", overrides: what a name stands for, and what is refused with its place."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from structlog.testing import capture_logs

from prosa.adapters.models.fake.client import FakeModel
from prosa.domain.answers import Caching
from prosa.domain.errors import (
    InvalidRequest,
    MisconfiguredError,
    ProviderNotConfigured,
    ProviderOverloaded,
)
from prosa.domain.models import ChatRequest, Role, TextDelta, Turn, Usage
from prosa.services.models import prices
from prosa.services.models.catalogue import Book, Catalogue, Choice, Offer
from prosa.services.models.overrides import Override
from prosa.services.models.rates import Price
from prosa.services.models.routes import Route, Target
from prosa.services.models.shutdowns import DAY, KNOWN, Notices, lasting

NOON = 1_795_262_400.0 + DAY / 2
"""On the 21st of November 2026."""

OFFERS = {
    "openai": Offer("gpt-6-luna", FakeModel(["from openai"], provider="openai")),
    "groq": Offer(None, FakeModel(["from groq"], provider="groq")),
    "anthropic": Offer(
        "claude-haiku-4-5", missing=partial(ProviderNotConfigured, "anthropic", "ANTHROPIC_API_KEY")
    ),
    "local": Offer("small", FakeModel(["from here"], provider="local"), window=100),
}


@pytest.fixture(autouse=True)
def _prices() -> Iterator[None]:
    yield
    prices.overrule({}, {})


def catalogue(
    routes: Mapping[str, Route] | None = None,
    aliases: Mapping[str, str] | None = None,
    models: Mapping[str, Override] | None = None,
    *,
    offers: Mapping[str, Offer] = OFFERS,
    provider: str | None = None,
    model: str | None = None,
    clock: Any = lambda: NOON,
) -> Catalogue:
    return Catalogue(offers, provider, model, Book(routes or {}, aliases or {}, models or {}), Notices(clock))


ROUTES = {
    "default": Route(("anthropic/claude-haiku-4-5", Target("groq", "llama-3.1-8b-instant"), "local")),
    "deep": Route(("openai/gpt-6-sol",)),
}
ALIASES = {"fast": "groq/llama-3.1-8b-instant", "best": "deep", "cheap": "openai"}
FIRST = Choice("groq", "llama-3.1-8b-instant", "default")


@pytest.mark.parametrize(
    ("asked", "choice"),
    [
        ([(None, None)], FIRST),
        ([(None, "default")], FIRST),
        ([(None, "deep")], Choice("openai", "gpt-6-sol", "deep")),
        ([(None, "best")], Choice("openai", "gpt-6-sol", "deep")),
        ([(None, "fast")], Choice("groq", "llama-3.1-8b-instant")),
        ([(None, "cheap")], Choice("openai", "gpt-6-luna")),
        ([(None, "groq/meta-llama/llama-4")], Choice("groq", "meta-llama/llama-4")),
        ([("groq", "openai/gpt-oss-20b")], Choice("groq", "openai/gpt-oss-20b")),
        ([("groq", "fast")], Choice("groq", "llama-3.1-8b-instant")),
        ([("openai", "fast")], Choice("openai", "fast")),
        ([("openai", "deep")], Choice("openai", "gpt-6-sol", "deep")),
        ([("openai", None)], Choice("openai", "gpt-6-luna")),
        ([(None, "nobody/knows")], Choice("groq", "nobody/knows")),
        ([(None, None), (None, "best")], Choice("openai", "gpt-6-sol", "deep")),
        ([(None, "fast"), ("openai", "gpt-6-sol")], Choice("groq", "llama-3.1-8b-instant")),
        ([("openai", None), (None, "best")], Choice("openai", "gpt-6-sol", "deep")),
        ([(None, "unheard-of"), (None, "best")], Choice("openai", "unheard-of")),
    ],
)
def test_what_a_name_stands_for(asked: list[tuple[str | None, str | None]], choice: Choice) -> None:
    assert catalogue(ROUTES, ALIASES).choose(*asked) == choice


def test_the_default_may_be_an_alias_or_a_provider_and_a_model() -> None:
    assert catalogue(aliases={"fast": ALIASES["fast"]}, model="fast").default == Choice(
        "groq", "llama-3.1-8b-instant"
    )
    assert catalogue(model="local/tiny").default == Choice("local", "tiny")
    assert catalogue().default == Choice("openai", "gpt-6-luna")


def test_what_can_not_be_used_is_said() -> None:
    with pytest.raises(ProviderNotConfigured):
        catalogue().choose((None, "anthropic/claude-haiku-4-5"))
    with pytest.raises(ProviderNotConfigured):
        catalogue({"claude": Route(("anthropic",))}).choose((None, "claude"))
    with pytest.raises(InvalidRequest, match="groq has no default model"):
        catalogue().choose(("groq", None))


async def test_a_route_asks_its_targets_in_order() -> None:
    failing = Offer("x", FakeModel([ProviderOverloaded("openai")], provider="openai"))
    offers = {**OFFERS, "openai": failing}
    routed = catalogue({"r": Route(("anthropic", "openai/a", "local/b"))}, offers=offers)
    choice = routed.choose((None, "r"))
    assert choice == Choice("openai", "a", "r")
    request = ChatRequest("a", (Turn(Role.USER, "x"),))
    events = [event async for event in routed.resolve(choice).stream(request)]
    assert "from here" in "".join(event.text for event in events if isinstance(event, TextDelta))
    assert [call.request.model for call in failing.model.calls] == ["a"]
    assert OFFERS["local"].model.calls[-1].request.model == "b"


def test_without_a_route_the_provider_itself_answers() -> None:
    names = catalogue(ROUTES)
    assert names.resolve(Choice("local", "small")) is OFFERS["local"].model
    assert names.resolve(Choice("local", "small", "taken out meanwhile")) is OFFERS["local"].model


@pytest.mark.parametrize(
    ("routes", "aliases", "models", "said"),
    [
        ({"x": Route(("opnai/gpt-4o",))}, {}, {}, r"\[routes.x\]: there is no provider called opnai"),
        ({"x": Route(("groq",))}, {}, {}, r"\[routes.x\]: groq has no default model"),
        ({}, {"fast": "nobody/x"}, {}, r"\[aliases\] fast: there is no provider called nobody"),
        ({"fast": Route(("local",))}, {"fast": "local"}, {}, "a route of this name"),
        (
            {"x": Route(("local",), cache=Caching(semantic="nobody/x"))},
            {},
            {},
            r"\[routes.x\] cache.semantic: there is no provider called nobody",
        ),
        ({}, {"": "local"}, {}, "can't be a name"),
        ({}, {"x" * 201: "local"}, {}, "can't be a name"),
        ({}, {}, {"nobody/x": Override()}, r'\[models."nobody/x"\]: there is no provider called nobody'),
        ({}, {}, {"openai": Override()}, 'name it "provider/model"'),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(routes: Any, aliases: Any, models: Any, said: str) -> None:
    with pytest.raises(MisconfiguredError, match=said):
        catalogue(routes, aliases, models)


def test_what_is_read_anew_holds_or_nothing_does() -> None:
    names = catalogue(ROUTES, ALIASES, provider="openai")
    with pytest.raises(MisconfiguredError):
        names.reload({**OFFERS, "other": OFFERS["local"]}, Book({"x": Route(("nobody/x",))}))
    assert names.choose((None, "fast")) == Choice("groq", "llama-3.1-8b-instant")
    assert "other" not in names.providers
    names.reload(OFFERS, Book({}, {"fast": "local"}))
    assert names.choose((None, "fast")) == Choice("local", "small")
    assert names.choose((None, None)) == Choice("openai", "gpt-6-luna")
    with pytest.raises(MisconfiguredError):
        names.check(Book({"x": Route(("nobody/x",))}), {"openai": "x"})


async def test_who_gave_way_is_closed_at_the_end() -> None:
    closed = []

    class Closing(FakeModel):
        async def close(self) -> None:
            closed.append(self.provider)

    first, second = Closing(provider="a"), Closing(provider="b")
    names = catalogue(offers={"one": Offer("x", first)})
    names.reload({"one": Offer("x", second)}, Book())
    names.reload({"one": Offer("y", second)}, Book())
    assert closed == []
    await names.close()
    assert closed == ["b", "a"]


def test_overrides() -> None:
    price = Price(Decimal(1), Decimal(2))
    models = {
        "groq/*": Override(context_window=1_000, prices=price),
        "groq/big": Override(context_window=9_000, capabilities=("images",)),
        "local/small": Override(context_window=300),
    }
    names = catalogue(models=models)
    assert names.window(Choice("groq", "any")) == 1_000
    assert names.window(Choice("groq", "big")) == 9_000
    assert names.window(Choice("local", "small")) == 300
    assert names.window(Choice("local", "other")) == 100
    assert names.window(Choice("openai", "gpt-4o")) == 128_000
    assert names.capabilities(Choice("groq", "big")) == ("images",)
    assert names.capabilities(Choice("groq", "strange")) == ("unknown",)
    assert names.capabilities(Choice("openai", "text-embedding-3-small")) == ("embeddings",)
    assert prices.cost("groq", "any", Usage(10**6, 10**6)) == 3 * 10**12


def test_the_names_of_the_documents_work() -> None:
    """Models that the product was asked for with, all of them shut down by now."""
    offers = {name: Offer("x", FakeModel(provider=name)) for name in ("openai", "anthropic", "mistral")}
    names = catalogue(offers=offers)
    for model, living in {
        "gpt-4-turbo-preview": Choice("openai", "gpt-4.1"),
        "gpt-4": Choice("openai", "gpt-4.1"),
        "gpt-3.5-turbo": Choice("openai", "gpt-4.1-mini"),
        "claude-3-opus-20240229": Choice("anthropic", "claude-opus-4-6"),
        "claude-3-sonnet-20240229": Choice("anthropic", "claude-sonnet-4-6"),
        "claude-3-haiku-20240307": Choice("anthropic", "claude-haiku-4-5"),
    }.items():
        assert names.choose((None, model)) == living
        assert names.window(living) >= 128_000


def at(day: str, hours: float = 0) -> float:
    return (date.fromisoformat(day) - date(1970, 1, 1)).days * DAY + hours * 3_600


def test_the_day_itself_decides() -> None:
    now = at("2026-12-10", 23.9)
    names = catalogue(clock=lambda: now)
    with capture_logs() as said:
        assert names.choose((None, "gpt-5")) == Choice("openai", "gpt-5")
        now = at("2026-12-11")
        assert names.choose((None, "gpt-5")) == Choice("openai", "gpt-5.6-sol")
        assert names.choose(("openai", "gpt-5")) == Choice("openai", "gpt-5.6-sol")
    assert [line["event"] for line in said] == ["model_shuts_down_within_days", "model_is_shut_down"]


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("2026-11-10", ""),
        ("2026-11-11", "model_shuts_down_soon"),
        ("2026-12-03", "model_shuts_down_soon"),
        ("2026-12-04", "model_shuts_down_within_days"),
        ("2026-12-11", "model_is_shut_down"),
    ],
)
def test_warnings_once_a_day(day: str, said: str) -> None:
    now = at(day)
    names = catalogue(clock=lambda: now)
    with capture_logs() as first:
        for _ in range(3):
            names.choose((None, "gpt-5"))
    assert [line["event"] for line in first] == ([said] if said else [])
    now += DAY
    with capture_logs() as second:
        names.choose((None, "gpt-5"))
    assert len(second) == 1


@pytest.mark.parametrize(
    ("day", "model"),
    [("2026-12-14", "gpt-4o-mini"), ("2026-12-15", "gpt-6-luna"), ("2028-01-01", "gpt-6-luna")],
)
def test_a_usual_model_lasts(day: str, model: str) -> None:
    assert lasting("openai", "gpt-4o-mini", date.fromisoformat(day)) == model


def test_successors_have_successors_and_no_circle_is_endless() -> None:
    models = {
        "openai/a": Override(shutdown_at=date(2026, 1, 1), successor="b"),
        "openai/b": Override(shutdown_at=date(2026, 1, 1), successor="groq/c"),
        "openai/d": Override(shutdown_at=date(2026, 1, 1), successor="e"),
        "openai/e": Override(shutdown_at=date(2026, 1, 1), successor="d"),
        "openai/f": Override(shutdown_at=date(2026, 1, 1)),
        "openai/g": Override(shutdown_at=date(2026, 1, 1), successor="anthropic/h"),
        "openai/gpt-4": Override(shutdown_at=False),
        "openai/gpt-3.5-turbo": Override(successor="gpt-6-luna"),
    }
    names = catalogue(models=models)
    assert names.choose(("openai", "a")) == Choice("groq", "c")
    assert names.choose(("openai", "d")).model in ("d", "e")
    assert names.choose(("openai", "f")) == Choice("openai", "f")
    assert names.choose(("openai", "g")) == Choice("openai", "g")  # its successor has no key
    assert names.choose(("openai", "gpt-4")) == Choice("openai", "gpt-4")
    assert names.choose(("openai", "gpt-3.5-turbo")) == Choice("openai", "gpt-6-luna")


def test_a_route_keeps_its_name_when_its_target_gives_way() -> None:
    names = catalogue({"old": Route(("openai/gpt-4", "local"))})
    assert names.choose((None, "old")) == Choice("openai", "gpt-4.1", "old")


def test_every_successor_leads_to_a_model_that_is_priced() -> None:
    for (provider, model), shutdown in KNOWN.items():
        assert shutdown.successor is not None
        living = lasting(provider, model, date(2027, 6, 1))
        assert (provider, living) not in KNOWN, model
        assert prices.tariff(provider, living) is not None, living
