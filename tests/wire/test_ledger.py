"""The ledger says what the provider says: to the token, whatever door it was asked by and however it ended."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.provider import Provider
from tests.wire.house import SECRET, House, furnished

from prosa import config
from prosa.domain.ending import Entry
from prosa.domain.principal import Principal
from prosa.domain.time import Instant, now
from prosa.domain.usage import Wanted
from prosa.services.models import prices
from prosa.services.tickets import Following, Question
from prosa.services.usage.reports import EARLIEST

ADMIN: dict[str, Any] = {"user": "root", "roles": ["admin"]}
ANA = Principal("ana", "acme")
TOML = """
[providers.openai]
retries = 0
[routes.steps]
targets = ["openai/status-500", "openai/words-3x0-reset", "openai/words-4x0"]
"""


@asynccontextmanager
async def furnished_beside(provider: Provider, folder: Path, **settings: Any) -> AsyncIterator[House]:
    given = {
        "jwt_secret": SECRET, "openai_api_key": "sk-x", "openai_base_url": provider.base,
        "default_provider": "openai", "default_model": "words-5x0", "title_model": "openai/words-2x0",
    }  # fmt: skip
    async with furnished(folder, **{**given, **settings}) as house:
        yield house


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with Provider().listening() as provider:
        yield provider


async def entries(house: House) -> list[Entry]:
    records = house.chat.store.operator(Principal("root")).usage
    return await records.entries(Wanted(), EARLIEST, Instant(now() + 1), None, 10_000)


async def send(house: House, user: str, model: str, **fields: Any) -> list[dict[str, Any]]:
    return await house.send(await house.conversation(user), user=user, model=model, **fields)


async def stop(house: House, provider: Provider, user: str) -> None:
    """A run that is stopped while it is written."""
    model = "words-5000x2"
    task = asyncio.create_task(send(house, user, f"openai/{model}"))
    call = await provider.called(model)
    while call.said < 20:  # noqa: ASYNC110 - what was said is on its way
        await asyncio.sleep(0.005)
    [run] = [run for run, live in house.chat.engine._lives.items() if live.run.model == model]
    await house.post(f"/api/chat/runs/{run}/stop", user=user)
    await task


async def plain(house: House, user: str) -> None:
    body = {"messages": [{"role": "user", "content": "Oi"}], "model": "openai/words-7x0"}
    assert (await house.post("/api/chat", body, user=user)).status_code == 200


async def process(house: House, user: str) -> None:
    body = {"sessionId": "s", "userMessageContent": "Oi"}
    assert (await house.post("/api/chat/process", body, user=user)).status_code == 200


async def completion(house: House, user: str, **fields: Any) -> None:
    body = {"model": "openai/words-6x0", "messages": [{"role": "user", "content": "Oi"}], **fields}
    assert (await house.post("/v1/chat/completions", body, user=user)).status_code == 200


async def embedding(house: House, user: str) -> None:
    body = {"model": "fake/fake-1", "input": ["um dois", "três"]}
    assert (await house.post("/v1/embeddings", body, user=user)).status_code == 200


async def ticket(house: House) -> None:
    found = await house.chat.tickets.ask(ANA, "t-1", Question("Oi"))
    assert isinstance(found, Following)
    while await found.reader.read():
        pass


async def test_sums_are_the_providers_own(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config.FILE.write_text(TOML)
    async with furnished_beside(provider, tmp_path) as house:
        async with asyncio.TaskGroup() as group:
            for user in ("ana", "bia"):
                for work in (
                    send(house, user, "openai/words-5x1"),
                    send(house, user, "openai/words-30x1", maxTokens=100),
                    send(house, user, "openai/status-503"),
                    send(house, user, "openai/words-9x0-reset"),
                    send(house, user, "openai/words-9x0-undone"),
                    send(house, user, "steps", accepts=["reset"]),
                    plain(house, user), process(house, user), embedding(house, user),
                    completion(house, user), completion(house, user, stream=True, n=2),
                ):  # fmt: skip
                    group.create_task(work)
            group.create_task(stop(house, provider, "ana"))
            group.create_task(ticket(house))
        await house.chat.titles.background.drain(10)
        await house.chat.completions.settle()
        found = await entries(house)
        own = {user: (await house.get("/api/usage", user=user)).json() for user in ("ana", "bia")}
        desk = await house.chat.reports.own(ANA.desk)
        total = (await house.get("/api/admin/usage", **ADMIN)).json()
        held = await house.chat.store.of(Principal("ana")).usage.remaining(house.chat.limits.of(ANA), now())
    asked = [entry for entry in found if entry.provider == "openai"]
    assert len(asked) == len(provider.calls)  # each call is one entry, whatever became of it
    reported = [call.reported for call in provider.calls if call.reported is not None]
    told = [entry for entry in asked if not entry.estimated]
    assert sorted((each.usage.prompt_tokens, each.usage.completion_tokens) for each in told) == sorted(
        reported
    )
    cut = [call for call in provider.calls if call.reported is None]
    assert len(asked) - len(told) == len(cut)
    assert all(
        entry.usage.completion_tokens > 0 for entry in asked if entry.estimated and "words" in entry.model
    )
    assert all(entry.price_version is None and entry.cost is None for entry in asked)
    made = [entry for entry in found if entry.provider == "fake"]
    assert [entry.usage.total_tokens for entry in made] == [3, 3]
    assert {entry.price_version for entry in made} == {"free"}
    everything = sum(entry.usage.total_tokens for entry in found)
    assert total["totalTokens"] == everything
    assert own["ana"]["totalTokens"] + own["bia"]["totalTokens"] + desk.total.usage.total_tokens == everything
    assert total["estimated"] == len(cut)
    assert total["unpriced"] == len(asked)
    assert desk.total.usage.total_tokens == 17
    assert held.tokens is None
    assert sum(day["totalTokens"] for day in total["days"]) == everything
    assert sum(each["totalTokens"] for each in total["models"]) == everything
    assert sum(each["totalTokens"] for each in total["users"]) == everything


@pytest.mark.hostile(64)
@pytest.mark.parametrize(
    ("usage", "estimated"),
    [
        ({"prompt_tokens": 10**12, "completion_tokens": 1}, True),
        ({"prompt_tokens": -5, "completion_tokens": -7}, True),
        ({"prompt_tokens": 5, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 9}}, None),
        ({"prompt_tokens": "x", "completion_tokens": None}, True),
        ({"prompt_tokens": 1.5, "completion_tokens": 2}, True),
        ({}, True),
        (None, True),
        ({"prompt_tokens": 5, "completion_tokens": 3}, False),
    ],
)
async def test_a_report_that_cannot_be_is_never_a_credit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, usage: Any, estimated: bool | None
) -> None:
    """It is estimated and flagged, and the sums stay what they may be."""
    import json

    from tests import provider as stand_in

    async def finish(call: Any, writer: asyncio.StreamWriter, reason: str, number: int) -> None:
        del call, number
        stand_in._chunk(writer, stand_in._event({}, reason))
        stand_in._chunk(writer, b"data: %b\n\n" % json.dumps({"choices": [], "usage": usage}).encode())
        stand_in._chunk(writer, b"data: [DONE]\n\n")
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    monkeypatch.setattr(stand_in, "_finish", finish)
    async with Provider().listening() as provider:
        limits = {"max_tokens_per_day": 10_000, "title_model": "off"}
        async with furnished_beside(provider, tmp_path, **limits) as house:
            before = (await house.get("/api/usage", user="ana")).json()["remaining"]["tokens"]
            await send(house, "ana", "openai/words-5x0", maxTokens=50)
            used = (await house.get("/api/usage", user="ana")).json()
            (entry,) = await entries(house)
    assert before == 10_000
    assert estimated is None or entry.estimated is estimated
    assert entry.usage.credible
    assert 0 < entry.usage.total_tokens < 200
    assert used["totalTokens"] == entry.usage.total_tokens
    assert used["remaining"]["tokens"] == 10_000 - entry.usage.total_tokens
    assert used["estimated"] == int(entry.estimated)


async def test_what_was_counted_stays_as_it_was_when_prices_change(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """12 tokens in and 5 out: at $2.50 and $10 a million they cost $0.00008, exactly."""
    monkeypatch.chdir(tmp_path)
    priced = '[models."openai/words-5x0"]\nprices = {{input = {}, output = {}}}\n'
    config.FILE.write_text(priced.format("2.5", "10"))
    try:
        async with furnished_beside(provider, tmp_path, title_model="off") as house:
            for _ in range(3):
                await send(house, "ana", "openai/words-5x0")
            assert (await house.get("/api/usage", user="ana")).json()["costExact"] == "0.00024"
            config.FILE.write_text(priced.format("5", "20"))
            house.chat.reload()
            await send(house, "ana", "openai/words-5x0")
            used = (await house.get("/api/usage", user="ana")).json()
            found = await entries(house)
    finally:
        prices.overrule({}, {})
    assert (used["costExact"], used["cost"], used["unpriced"]) == ("0.0004", 0.0004, 0)
    assert [entry.cost for entry in found] == [80_000_000] * 3 + [160_000_000]
    first, *_, last = [entry.price_version for entry in found]
    assert first is not None
    assert last is not None
    assert first != last
    assert first.startswith("prosa.toml ")
