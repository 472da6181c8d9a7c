"""Whoever judges answers is paid within the limits: held before, entered at once, and no answer without."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from tests.wire.house import House, furnished, said

from prosa.adapters.models.fake.client import Step
from prosa.domain.limits import Bound
from prosa.domain.models import ChatRequest, Usage, UsageReport
from prosa.services.context.window import TEMPLATE
from prosa.services.guard.guarded import judging

TOML = """
[moderation.judge]
judge = "judges"
on = ["output"]
window = 10
[routes.judges]
targets = ["fake/judge"]
"""
ANSWER = [f"Word {number:04}." for number in range(4)]
"""Each of which is a window."""
MOST = 100
INPUT = 5 + 8 + TEMPLATE
"""The upper bound of the tokens of "Hello"."""
ASK = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": MOST}
CHAT = "/v1/chat/completions"
USED = Usage(13, 8)

Open = Callable[..., Any]


class Bench:
    """A house where the model that is called "judge" judges, and what is in its books. `judged` is what each
    verdict takes; `gate` is what judges wait for."""

    def __init__(self, house: House, file: Path) -> None:
        self.house = house
        self.judged = Usage(90, 10)
        self.gate: list[Step] = []
        self._file = file
        house.script = self._script

    @property
    def one(self) -> Bound:
        """The bound of one judgement."""
        bound = judging(self.house.chat.catalogue.resolve(self.house.chat.catalogue.choose()))
        assert bound is not None
        return bound

    def asked(self, model: str) -> int:
        return sum(call.request.model == model for call in self.house.calls)

    def rows(self, sql: str) -> list[Any]:
        with closing(sqlite3.connect(self._file)) as connection:
            return connection.execute(sql).fetchall()

    async def ask(self) -> list[dict[str, Any]]:
        return await self.house.send(await self.house.conversation(), "Hello", maxTokens=MOST)

    def at_rest(self) -> None:
        """Nothing is held, and each call is in the ledger once."""
        assert self.rows("SELECT count(*) FROM reservations") == [(0,)]
        assert self.rows("SELECT count(*) FROM ai_usage") == [(len(self.house.calls),)]

    def _script(self, request: ChatRequest) -> Iterable[Step]:
        if request.model == "judge":
            return [*self.gate, '{"allowed": true}', UsageReport(self.judged)]
        return [*ANSWER, UsageReport(USED)]


@pytest.fixture
async def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Open]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prosa.toml").write_text(TOML)
    async with AsyncExitStack() as stack:

        async def bench(**settings: Any) -> Bench:
            return Bench(
                await stack.enter_async_context(furnished(tmp_path, **settings)), tmp_path / "prosa.db"
            )

        yield bench


async def test_each_judgement_is_held_while_it_is_made(opened: Open) -> None:
    bench = await opened(max_tokens_per_day=100_000)
    bench.gate = [gate := asyncio.Event()]
    asking = asyncio.create_task(bench.ask())
    async with asyncio.timeout(20):
        while not bench.asked("judge"):  # noqa: ASYNC110 - the model tells nobody
            await asyncio.sleep(0)
    run, judge = bench.rows("SELECT tokens, beside FROM reservations ORDER BY beside")
    assert run == (INPUT + MOST, 0)
    assert bench.one.tokens // 2 < judge[0] <= bench.one.tokens
    gate.set()
    happened = await asking
    assert said(happened) == "".join(ANSWER)
    assert (happened[-1]["usage"]["totalTokens"], bench.asked("judge")) == (21, 4)
    bench.at_rest()
    assert bench.rows("SELECT sum(total_tokens), count(DISTINCT conversation_id) FROM ai_usage") == [(421, 1)]
    marks = (await bench.house.get(f"/api/admin/runs/{happened[0]['runId']}")).json()["timeline"]
    attempts = [(mark["model"], mark["tokens"]) for mark in marks if mark["kind"] == "attempt"]
    assert sorted(attempts) == [("fake", 21), *[("judge", 100)] * 4]


@pytest.mark.hostile(62)
async def test_an_answer_ends_where_its_judge_can_not_be_paid(opened: Open) -> None:
    """There is room for the answer and for one judgement, and each takes all that it may."""
    bench = await opened()
    limit = INPUT + MOST + bench.one.tokens
    bench.judged = Usage(bench.one.tokens - 100, 100)
    await bench.house.call("PUT", "/api/admin/limits", {"scope": "user", "tokensPerDay": limit})
    happened = await bench.ask()
    assert said(happened) == ANSWER[0]
    assert (happened[-1]["status"], happened[-1]["reason"]) == ("incomplete", "limit")
    assert bench.asked("judge") == 1
    assert bench.rows("SELECT sum(total_tokens) FROM ai_usage")[0][0] <= limit
    bench.at_rest()


async def test_what_nobody_can_judge_is_not_begun(opened: Open) -> None:
    bench = await opened()
    limit = INPUT + MOST + bench.one.tokens - 1
    await bench.house.call("PUT", "/api/admin/limits", {"scope": "user", "tokensPerDay": limit})
    conversation = await bench.house.conversation()
    body = {"conversationId": conversation, "content": "Hello", "maxTokens": MOST}
    answers = [await bench.house.post("/api/chat/send", body), await bench.house.post(CHAT, ASK)]
    assert [answer.status_code for answer in answers] == [429, 429]
    assert answers[0].json()["code"] == "token_limit_reached"
    estimate = (await bench.house.post("/api/usage/estimate", body)).json()
    assert (estimate["allowed"], estimate["code"]) == (False, "token_limit_reached")
    assert bench.house.calls == []
    bench.at_rest()


async def test_a_judge_without_a_price(opened: Open, tmp_path: Path) -> None:
    (tmp_path / "prosa.toml").write_text(TOML.replace("fake/judge", "openai/nobody-knows"))
    bench = await opened(max_cost_per_month="1", openai_api_key="x")
    answer = await bench.house.post(CHAT, ASK)
    assert (answer.status_code, answer.json()["error"]["code"]) == (402, "price_unknown")
    assert "nobody-knows" in answer.json()["error"]["message"]
    bench.at_rest()


@pytest.mark.parametrize("number", [1, 3])
async def test_the_other_door(opened: Open, number: int) -> None:
    bench = await opened()
    limit = (INPUT + MOST + bench.one.tokens) * number
    bench.judged = Usage(bench.one.tokens - 100, 100)
    await bench.house.call("PUT", "/api/admin/limits", {"scope": "user", "tokensPerDay": limit})
    answer = await bench.house.post(CHAT, ASK | {"n": number})
    assert answer.status_code == 200, answer.text
    choices = answer.json()["choices"]
    assert {choice["finish_reason"] for choice in choices} == {"length"}
    assert {choice["message"]["content"] for choice in choices} == {ANSWER[0]}
    assert bench.rows("SELECT sum(total_tokens) FROM ai_usage")[0][0] <= limit
    bench.at_rest()
