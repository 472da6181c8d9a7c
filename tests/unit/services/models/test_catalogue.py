"""Which provider and model answers where nothing, something or nonsense is asked for."""

from functools import partial

import pytest

from prosa.adapters.models.fake.client import FakeModel
from prosa.domain.errors import NoSuchProvider, ProviderNotConfigured
from prosa.services.models.catalogue import Catalogue, Choice, Offer


@pytest.fixture
def catalogue() -> Catalogue:
    offers = {
        "local": Offer("small", FakeModel(provider="local"), window=100),
        "openai": Offer("gpt-4o-mini", FakeModel(provider="openai")),
        "anthropic": Offer(
            "claude-haiku-4-5", missing=partial(ProviderNotConfigured, "anthropic", "ANTHROPIC_API_KEY")
        ),
    }
    return Catalogue(offers, "local", None)


@pytest.mark.parametrize(
    ("asked", "choice"),
    [
        ((None, None), Choice("local", "small")),
        (("openai", None), Choice("openai", "gpt-4o-mini")),
        ((None, "gpt-4.1"), Choice("openai", "gpt-4.1")),
        ((None, "claude-sonnet-4-5"), Choice("local", "claude-sonnet-4-5")),
        ((None, "something"), Choice("local", "something")),
        (("openai", "something"), Choice("openai", "something")),
    ],
)
def test_what_answers(catalogue: Catalogue, asked: tuple[str | None, str | None], choice: Choice) -> None:
    assert catalogue.choose(asked) == choice
    assert catalogue.choose((None, None), asked) == choice


@pytest.mark.parametrize(
    ("asked", "choice"),
    [
        ((None, None), Choice("openai", "other")),
        (("openai", None), Choice("openai", "other")),
        ((None, "something"), Choice("openai", "something")),
        (("local", None), Choice("local", "small")),
        (("local", "x"), Choice("local", "x")),
    ],
)
def test_what_is_set_completes_what_is_asked(
    catalogue: Catalogue, asked: tuple[str | None, str | None], choice: Choice
) -> None:
    assert catalogue.choose(asked, ("openai", "other")) == choice


def test_a_model_stays_with_the_provider_that_is_set() -> None:
    """A conversation that was bound to a server at home must not leave it for a name that is not known."""
    offers = {name: Offer("default", FakeModel(provider=name)) for name in ("openai", "ollama", "mistral")}
    catalogue = Catalogue(offers, None, None)
    for name in ("llama3.1", "gpt-oss:20b", "gpt-oss", "mistral:7b", "mistral-nemo:latest"):
        assert catalogue.choose((None, name), ("ollama", None)) == Choice("ollama", name)
    assert catalogue.choose((None, "gpt-4o"), ("ollama", None)) == Choice("openai", "gpt-4o")


def test_the_default_model_tells_its_provider() -> None:
    offers = {name: Offer("default", FakeModel(provider=name)) for name in ("openai", "anthropic")}
    assert Catalogue(offers, None, "claude-haiku-4-5").default == Choice("anthropic", "claude-haiku-4-5")
    assert Catalogue(offers, None, None).default == Choice("openai", "default")


@pytest.mark.parametrize(
    ("provider", "error"), [("nobody", NoSuchProvider), ("anthropic", ProviderNotConfigured)]
)
def test_what_can_not_answer(catalogue: Catalogue, provider: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        catalogue.choose((provider, None))
    with pytest.raises(error):
        catalogue.model(provider)


def test_windows_and_names(catalogue: Catalogue) -> None:
    assert catalogue.window(Choice("local", "small")) == 100
    assert catalogue.window(Choice("openai", "gpt-4o")) == 128_000
    assert catalogue.window(Choice("openai", "nobody-knows-this")) == 32_768
    assert catalogue.providers == ["local", "openai"]
    assert catalogue.prices_needed()


def test_a_default_that_can_not_answer_is_refused_at_once() -> None:
    with pytest.raises(NoSuchProvider):
        Catalogue({}, "nobody", None)
