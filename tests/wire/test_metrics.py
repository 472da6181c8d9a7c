"""`/metrics`: what it tells of the traffic, and to whom."""

from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.wire.house import SECRET, House, furnished

from prosa.domain.errors import ProviderTimeout
from prosa.domain.models import Finish, FinishReason, Usage, UsageReport
from prosa.domain.principal import ADMIN

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


async def samples(house: House, **options: Any) -> Samples:
    answer = await house.get("/metrics", **options)
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.text)
    return {
        (each.name, tuple(sorted(each.labels.items()))): each.value
        for one in families
        for each in one.samples
    }


def key(name: str, **labels: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    return name, tuple(sorted(labels.items()))


async def test_a_run_is_counted_with_its_model(local: House) -> None:
    one = await local.conversation()
    before = await samples(local)
    local.script = ["Olá", UsageReport(Usage(9, 4)), Finish(FinishReason.STOP)]
    await local.send(one)
    local.script = [ProviderTimeout("fake")]
    await local.send(one, model="nobody-has-this")
    after = await samples(local)
    gained = {
        name: value - before.get(name, 0) for name, value in after.items() if value != before.get(name, 0)
    }
    model = {"provider": "fake", "model": "fake"}
    assert (
        gained.items()
        >= {
            key("prosa_runs_total", **model, status="completed"): 1,
            key("prosa_runs_total", provider="fake", model="other", status="failed"): 1,
            key("prosa_run_seconds_count", **model): 1,
            key("prosa_first_word_seconds_count", **model): 1,
            key("prosa_tokens_total", **model, kind="prompt"): 9,
            key("prosa_tokens_total", **model, kind="completion"): 4,
            key("prosa_attempts_total", provider="fake", outcome="completed"): 1,
            key("prosa_attempts_total", provider="fake", outcome="timeout"): 1,
        }.items()
    )
    assert "nobody-has-this" not in str(after)
    for name in (
        "prosa_ledger_holds",
        "prosa_ledger_held_tokens",
        "prosa_store_writes_waiting",
        "prosa_runs_running",
    ):
        assert after[key(name)] == 0
    assert after[key("prosa_journal_lag_seconds")] >= 0


async def test_what_is_held_is_told_while_it_is(local: House) -> None:
    import asyncio

    gate = asyncio.Event()
    local.script = ["Olá", gate, Finish(FinishReason.STOP)]
    one = await local.conversation()
    async with local.listening(), local.streaming({"conversationId": one, "content": "x"}) as stream:
        await stream.until(None)
        now = await samples(local)
        gate.set()
        await stream.until("done")
    assert now[key("prosa_ledger_holds")] == now[key("prosa_runs_running")] == 1
    assert now[key("prosa_ledger_held_tokens")] > 0


@pytest.mark.parametrize(("setting", "anybody", "operator"), [
    ("operator", 401, 200), ("open", 200, 200), ("off", 404, 404),
])  # fmt: skip
async def test_who_may_read_them(tmp_path: Path, setting: str, anybody: int, operator: int) -> None:
    async with furnished(tmp_path, jwt_secret=SECRET, metrics=setting) as house:
        assert (await house.get("/metrics")).status_code == anybody
        assert (await house.get("/metrics", user="root", roles=[ADMIN])).status_code == operator
        assert (await house.get("/metrics", user="ana")).status_code == (
            403 if setting == "operator" else anybody
        )
