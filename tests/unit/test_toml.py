"""The tables of prosa.toml: what they may hold, and the sentence for what they may not."""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from prosa import bootstrap, config
from prosa.domain.errors import MisconfiguredError
from prosa.domain.time import DAY, Instant
from prosa.services.models import prices
from prosa.services.models.catalogue import Choice
from prosa.services.models.routes import Target
from prosa.toml import Times

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "models.md"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(text: str) -> None:
    config.FILE.write_text(text, encoding="utf-8")


def test_no_file_is_no_tables() -> None:
    assert config.tables().routes == {}


def test_what_they_may_hold() -> None:
    written("""
        port = 9000
        [routes.a]
        targets = ["openai/gpt-4o", {provider = "local"}]
        [aliases]
        fast = "a"
        [models."openai/x"]
        prices = {input = 0.0375, output = "0.15"}
        shutdown_at = 2027-01-01
        successor = "y"
        [providers.groq]
        timeouts = {first = 1.5}
        concurrency = 3
    """)
    found = config.tables()
    assert found.routes["a"].targets == ("openai/gpt-4o", Target("local"))
    assert found.aliases == {"fast": "a"}
    override = found.models["openai/x"]
    assert override.prices is not None
    assert (override.prices.input, override.prices.output) == (Decimal("0.0375"), Decimal("0.15"))
    assert override.shutdown_at == date(2027, 1, 1)
    assert found.providers["groq"].timeouts == Times(first=1.5)
    assert config.load().port == 9000


def test_how_long_things_are_kept() -> None:
    written("""
        [retention]
        messages = 30
        cache = 1
        [retention.clients.acme]
        messages = 5
        cache = "forever"
    """)
    found, now = config.tables().retention, Instant(1_000 * DAY)
    assert found.limit("messages", "", now) == found.limit("messages", "other", now) == Instant(970 * DAY)
    assert found.limit("messages", "acme", now) == found.latest("messages", now) == Instant(995 * DAY)
    assert (found.limit("cache", "acme", now), found.latest("cache", now)) == (None, Instant(999 * DAY))
    assert found.limit("files", "acme", now) is found.latest("files", now) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[routes.x]\ntargets = []", "[routes] x: `targets` must name at least one model"),
        ("[routes.x]\ntargets = [1]", "at `targets[0]`"),
        ("[routes.x]\ntarget = ['a']", "[routes] x: Object contains unknown field `target`"),
        ("[routes.x]", "[routes] x: Object missing required field `targets`"),
        ("routes = 1", "routes must be a table"),
        ("[aliases]\nfast = 1", "[aliases] fast: Expected `str`"),
        ("[models.'openai/x']\ncolour = 'red'", "unknown field `colour`"),
        ("[models.'openai/x']\ncapabilities = ['magic']", "at `capabilities[0]`"),
        ("[models.'openai/x']\nshutdown_at = true", "at `shutdown_at`"),
        ("[models.'openai/x']\ncontext_window = 0", "at `context_window`"),
        ("[providers.x]\nconcurrency = 0", "at `concurrency`"),
        ("[providers.x]\ntimeouts = {first = -1}", "at `timeouts.first`"),
        ("[providers.x]\napi_key = 'canary'", "unknown field `api_key`"),
        ("[retention]\nmessages = 0", "at `messages`"),
        ("[retention]\nledger = 3", "[retention]: Object contains unknown field `ledger`"),
        ("[retention.clients.x]\naudit = 3", "unknown field `audit`"),
        ("[retention.clients.x]\nmessages = 'never'", "[retention]: "),
        ("[routes.x", "can't be read"),
    ],
)
def test_what_they_may_not(text: str, said: str) -> None:
    written(text)
    with pytest.raises(MisconfiguredError, match=re.escape(said)) as caught:
        config.tables()
    assert "canary" not in str(caught.value)
    assert "prosa.toml" in str(caught.value)


@pytest.mark.hostile(64)
@pytest.mark.parametrize("amount", ["-1", "-0.000001", "nan", "inf", "-inf", "1e30", "'NaN'", "'x'", "true"])
@pytest.mark.parametrize("kind", ["input", "output", "cached", "cache_write"])
def test_a_price_that_is_none(kind: str, amount: str) -> None:
    fields = {"input": "1", "output": "1"} | {kind: amount}
    written("[models.'openai/x']\nprices = {" + ", ".join(f"{k} = {v}" for k, v in fields.items()) + "}")
    with pytest.raises(MisconfiguredError, match="prices"):
        config.tables()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[providers.mine]\nconcurrency = 1", "[providers.mine]: say its `base_url`"),
        ("[providers.mine]\nbase_url = 'ftp://x'", "mine is not an http"),
        ("[providers.mine]\ndialect = 'klingon'", "there is no dialect called klingon"),
        ("[providers.groq]\napi_key_env = 'NOT_SET_AT_ALL'", "NOT_SET_AT_ALL is not set"),
        ("[routes.x]\ntargets = ['opnai/gpt-4o']", "[routes.x]: there is no provider called opnai"),
    ],
)
def test_what_can_not_be_set_up(text: str, said: str) -> None:
    written(text)
    with pytest.raises(MisconfiguredError, match=re.escape(said)):
        bootstrap.Supply(config.load())


def test_a_provider_needs_its_key_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert bootstrap.Supply(config.load()).catalogue.providers == ["local"]
    monkeypatch.setenv("GROQ_API_KEY", "k")
    monkeypatch.setenv("LLAMACPP_BASE_URL", "http://127.0.0.1:1/v1")
    written("[providers.vllm]\n[providers.mine]\nbase_url = 'http://127.0.0.1:2/v1'\ndefault_model = 'm'\n")
    catalogue = bootstrap.Supply(config.load()).catalogue
    assert catalogue.providers == ["groq", "vllm", "llamacpp", "mine", "local"]
    assert catalogue.default == Choice("mine", "m")  # the first that has a model to answer with
    with pytest.raises(MisconfiguredError, match="Set DEFAULT_AI_MODEL"):
        bootstrap.Supply(config.load(default_provider="groq"))
    assert bootstrap.Supply(config.load(default_model="x")).catalogue.default == Choice("groq", "x")


def test_what_has_not_changed_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "k")
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    supply = bootstrap.Supply(config.load())
    groq, openai = supply.catalogue.model("groq"), supply.catalogue.model("openai")
    written("[providers.groq]\nconcurrency = 2\n[aliases]\nfast = 'groq/x'")
    supply.reload()
    assert supply.catalogue.model("openai") is openai
    assert supply.catalogue.model("groq") is not groq
    assert supply.catalogue.choose((None, "fast")) == Choice("groq", "x")
    written("[providers.groq]\nconcurrency = 0")
    with pytest.raises(MisconfiguredError):
        supply.reload()
    assert supply.catalogue.choose((None, "fast")) == Choice("groq", "x")


async def test_an_address_that_changes_leaves_no_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rings of a house are filled from the store, a moment after they were made."""
    monkeypatch.setenv("GROQ_API_KEY", "k")
    house = bootstrap.build(database_url="sqlite:///x.db")
    catalogue = house.chat.catalogue
    await house.chat.open()
    before = catalogue.model("groq")
    written("[providers.groq]\nbase_url = 'http://127.0.0.1:9/v1'")
    house.chat.reload()
    assert catalogue.model("groq") is not before
    assert catalogue.providers == ["groq", "local"]
    await house.chat.close()


def test_the_guide_is_true(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every example of docs/models.md loads, and means what the guide says."""
    for name in ("OPENAI", "ANTHROPIC", "MISTRAL", "GROQ"):
        monkeypatch.setenv(f"{name}_API_KEY", "k")
    monkeypatch.setenv("INHOUSE_KEY", "k")
    provider, *_, example = re.findall(r"```toml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    written(provider)
    assert bootstrap.Supply(config.load()).catalogue.choose(("inhouse", None)).model == "qwen3-32b"
    written(example)
    catalogue = bootstrap.Supply(config.load()).catalogue
    assert catalogue.default == Choice("openai", "gpt-6-luna", "default")
    assert catalogue.choose((None, "gpt-4")) == Choice("openai", "gpt-6-luna")
    assert catalogue.window(catalogue.default) == 200_000
    tariff = prices.tariff("vllm", "anything")
    assert tariff is not None
    assert tariff.base.input == 0
    prices.overrule({}, {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('webhook = "https://x.example"', "a webhook needs a `secret`"),
        ('webhook = "https://x.example"\nsecret = "short"', "16 characters or more"),
        ("levels = [0]", "Expected `int` >= 1"),
        ("errors = 2", "Expected `float` <= 1"),
        ('hook = "x"', "hook"),
    ],
)
def test_alerts_that_cannot_be(text: str, said: str) -> None:
    written(f"[alerts]\n{text}\n")
    with pytest.raises(MisconfiguredError, match=re.escape(said)) as caught:
        config.tables()
    assert "prosa.toml, [alerts]" in str(caught.value)


def test_alerts() -> None:
    written('[alerts]\nlevels = [90, 50]\nerrors = 0\nlatency = 1.5\napprise = [{env = "X"}, "ntfy://x"]\n')
    found = config.tables().alerts
    assert (found.rules.levels, found.rules.errors, found.rules.latency) == ((50, 90), None, 1.5)
    rows = {name: (value, where) for name, value, where in config.in_force(config.load())}
    assert rows["[alerts]"] == ("apprise, levels, errors, latency", "prosa.toml")
    with pytest.raises(MisconfiguredError, match="X is not set"):
        bootstrap.told()
