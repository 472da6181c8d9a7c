"""The prompt cache, from prosa.toml to the wire."""

import pytest
from msgspec.json import encode
from tests.unit.adapters.models.loopback import Loopback, Play
from tests.unit.adapters.models.speech import HELLO, KEY, SPEECHES

from prosa.config import Settings
from prosa.domain.errors import MisconfiguredError
from prosa.providers import Providers
from prosa.toml import ProviderTable

SPEECH = SPEECHES["anthropic"]


@pytest.mark.parametrize("caching", [False, True])
async def test_a_table_asks_for_it(caching: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    async with Loopback(Play((SPEECH.whole("Oi"),))).listening() as provider:
        tables = {"anthropic": ProviderTable(base_url=provider.base, caching=caching)}
        providers = Providers(Settings())
        model = providers.offers(providers.draft(tables), tables)["anthropic"].model
        assert model is not None
        async for _ in model.stream(HELLO):
            pass
        await model.close()
    assert (b"cache_control" in encode(provider.seen[0].body)) is caching


def test_only_anthropic_is_told() -> None:
    with pytest.raises(MisconfiguredError, match="only Anthropic"):
        Providers(Settings()).draft({"openai": ProviderTable(caching=True)})
