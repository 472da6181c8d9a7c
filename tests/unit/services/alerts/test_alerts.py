"""What is noted is told, also where the store is away for a while."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.stores import ANA
from tests.unit.services.house import House

from prosa.domain.alerts import Alert, Kind, Rules, Trouble
from prosa.domain.errors import CostLimitReached, ProviderOverloaded, StoreUnavailable, TokenLimitReached
from prosa.domain.limits import Limits
from prosa.domain.models import Finish, FinishReason, Recalled, Usage, UsageReport
from prosa.domain.money import Picodollars
from prosa.domain.time import Instant
from prosa.services.alerts import alerts

REPORT = ["Oi", UsageReport(Usage(90, 5))]


class Heard:
    """Somebody who is told."""

    name = "heard"

    def __init__(self) -> None:
        self.told: list[tuple[Kind, str, int]] = []
        self._more = asyncio.Event()

    async def send(self, alert: Alert) -> None:
        self.told.append((alert.kind, alert.subject, alert.level))
        self._more.set()

    async def until(self, number: int) -> list[tuple[Kind, str, int]]:
        async with asyncio.timeout(10):
            while len(self.told) < number:
                self._more.clear()
                await self._more.wait()
        return sorted(self.told)

    async def close(self) -> None: ...


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts, "BATCH", 0.01)
    monkeypatch.setattr(alerts, "AGAIN", 0.01)


async def test_what_the_store_did_not_take_is_put_down_later(tmp_path: Path) -> None:
    heard = Heard()
    house = House(tmp_path, REPORT, limits=Limits(tokens_per_day=190), alerting=Rules(), messengers=[heard])
    async with house:
        put, failures = house.store.alerts.put, iter(range(4))

        async def failing(*given: Any) -> Sequence[Alert]:
            if next(failures, None) is not None:
                raise StoreUnavailable
            return await put(*given)

        house.store.alerts.put = failing
        house.chat.alerts.troubled(Trouble("openai", "provider_bad_key"))
        _, reader = await house.send(await house.conversation(), "Hi", max_tokens=16)
        while await reader.read():
            pass
        assert await heard.until(2) == [(Kind.KEY, "openai:", 0), (Kind.TOKENS, "user:ana", 50)]
        assert next(failures, None) is None


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (TokenLimitReached(remaining=1, resetsAt="", scope="user"), [50, 80, 100]),
        (TokenLimitReached(remaining=1, resetsAt="", scope="client"), [50, 80]),
        (CostLimitReached(remaining="0", resetsAt="", scope="user"), [50, 80]),
    ],
)
async def test_who_is_refused_near_the_end_has_reached_it(
    tmp_path: Path, error: Any, told: list[int]
) -> None:
    heard = Heard()
    limits = Limits(tokens_per_day=110, cost_per_month=Picodollars(10**12))
    house = House(tmp_path, REPORT, limits=limits, alerting=Rules(), messengers=[heard])
    async with house:
        _, reader = await house.send(await house.conversation(), "Hi", max_tokens=16)
        while await reader.read():
            pass
        await heard.until(2)
        house.chat.alerts.refused(ANA, error)
        await heard.until(len(told))
        await house.chat.alerts.close()
    assert sorted(heard.told) == [(Kind.TOKENS, "user:ana", level) for level in told]


async def test_a_run_that_is_refused_is_told_of(tmp_path: Path) -> None:
    heard = Heard()
    house = House(tmp_path, REPORT, limits=Limits(tokens_per_day=110), alerting=Rules(), messengers=[heard])
    async with house:
        one = await house.conversation()
        _, reader = await house.send(one, "Hi", max_tokens=16)
        while await reader.read():
            pass
        with pytest.raises(TokenLimitReached):
            await house.send(one, "Hi again", max_tokens=16)
        assert await heard.until(3) == [(Kind.TOKENS, "user:ana", level) for level in (50, 80, 100)]


async def test_kept_answers_say_nothing_of_a_model(tmp_path: Path) -> None:
    heard = Heard()
    kept = [Recalled("fake", "echo", Instant(1)), "Oi", Finish(FinishReason.STOP)]
    scripts = iter([*[kept] * 3, [ProviderOverloaded("fake")]])
    rules = Rules(errors=0.5, latency=None, least=1)
    house = House(tmp_path, lambda _: next(scripts), alerting=rules, messengers=[heard])
    async with house:
        for _ in range(4):
            _, reader = await house.send(await house.conversation())
            while await reader.read():
                pass
        assert await heard.until(1) == [(Kind.ERRORS, "fake/echo", 50)]


async def test_nothing_is_told_of_who_has_no_limit(tmp_path: Path) -> None:
    heard = Heard()
    async with House(tmp_path, REPORT, alerting=Rules(), messengers=[heard]) as house:
        _, reader = await house.send(await house.conversation(), "Hi")
        while await reader.read():
            pass
        await house.chat.alerts.close()
        assert await house.store.alerts.page(9, None) == []


async def test_first_words_that_are_waited_for(tmp_path: Path) -> None:
    heard = Heard()
    rules = Rules(latency=0.02, least=3)
    async with House(tmp_path, [0.03, "Oi"], alerting=rules, messengers=[heard]) as house:
        for _ in range(3):
            _, reader = await house.send(await house.conversation(), "Hi")
            while await reader.read():
                pass
        assert await heard.until(1) == [(Kind.LATENCY, "fake/echo", 20)]
