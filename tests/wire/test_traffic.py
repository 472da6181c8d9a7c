"""`/api/admin/traffic`, `/errors`, `/runs`: what goes on, for operators alone, and never what was said."""

import asyncio
from typing import Any

import pytest
from tests.wire.house import NOBODY, House

from prosa.domain.errors import ProviderTimeout, RateLimited
from prosa.domain.models import (
    Asked,
    ChatRequest,
    Finish,
    FinishReason,
    Queued,
    Role,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    Usage,
    UsageReport,
)
from prosa.domain.principal import ADMIN, Principal
from prosa.domain.time import DAY, now, to_iso

WORDS = "a palavra secreta"


async def seen(house: House, path: str, **query: Any) -> Any:
    answer = await house.get(f"/api/admin/{path}", user="root", roles=[ADMIN], params=query)
    assert answer.status_code == 200, answer.text
    assert WORDS not in answer.text
    return answer.json()


async def ask(house: House, *steps: Any, user: str = "ana") -> str:
    """The id of a run in which the model does this."""
    house.script = steps
    return (await house.send(await house.conversation(user), WORDS, user=user))[0]["runId"]


async def test_the_traffic_has_a_step_for_every_hour(guarded: House) -> None:
    await ask(guarded, WORDS, UsageReport(Usage(9, 4)), Finish(FinishReason.STOP))
    await ask(guarded, ProviderTimeout("fake"))
    page = await seen(guarded, "traffic")
    assert page["nextCursor"] is None
    items = page["items"]
    assert 24 <= len(items) <= 25
    assert sum(each["runs"] for each in items) == 2
    busy = [each for each in items if each["runs"]]
    assert sum(each["completed"] for each in busy) == sum(each["failed"] for each in busy) == 1
    assert sum(each["promptTokens"] for each in items) == 9
    timed = next(each for each in busy if each["completed"])
    assert 0 < timed["firstTokenMs"]["p50"] <= timed["durationMs"]["p95"]
    idle = next(each for each in items if not each["runs"])
    assert (idle["firstTokenMs"], idle["durationMs"], idle["cost"], idle["running"]) == (None, None, "0", 0)
    assert [each["at"] for each in items] == sorted(each["at"] for each in items)


@pytest.mark.parametrize("query", [
    {"step": "week"}, {"since": "2026-01-01", "step": "minute"}, {"since": "2026-02-02", "until": "2026-01-01"},
    {"since": "yesterday"}, {"since": "1-1-1"},
])  # fmt: skip
async def test_a_period_that_is_none_or_too_long(guarded: House, query: dict[str, str]) -> None:
    answer = await guarded.get("/api/admin/traffic", user="root", roles=[ADMIN], params=query)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


async def test_why_runs_failed(guarded: House) -> None:
    await ask(guarded, ProviderTimeout("fake"))
    await ask(guarded, WORDS, ProviderTimeout("fake"))
    (item,) = (await seen(guarded, "errors"))["items"]
    assert item.items() >= {"code": "timeout", "provider": "fake", "model": "fake", "count": 2}.items()
    tomorrow = to_iso(now() + DAY)  # type: ignore[arg-type]
    assert (await seen(guarded, "errors", since=tomorrow, until="2100-01-01"))["items"] == []


async def test_runs_page_by_page(guarded: House) -> None:
    ids = [await ask(guarded, WORDS, user=user) for user in ("ana", "bia", "ana")]
    first = await seen(guarded, "runs", limit=2)
    rest = await seen(guarded, "runs", limit=2, cursor=first["nextCursor"])
    assert [each["id"] for each in (*first["items"], *rest["items"])] == ids[::-1]
    assert rest["nextCursor"] is None
    (mine,) = (await seen(guarded, "runs", userId="bia", status="completed"))["items"]
    assert mine["durationMs"] >= mine["firstTokenMs"] > 0
    answer = await guarded.get("/api/admin/runs", user="root", roles=[ADMIN], params={"cursor": "x"})
    assert answer.status_code == 400


async def test_the_course_of_a_run_that_was_retried(guarded: House) -> None:
    key = await guarded.chat.keys.add(
        "openai", "sk-a-key-of-openai-9876", label="", weight=1, by=Principal("root")
    )
    run = await ask(
        guarded,
        Queued(2), Asked("fake", "a", key.key.id), Asked("fake", "b", None, RateLimited.code),
        WORDS, UsageReport(Usage(9, 4)), Finish(FinishReason.STOP),
    )  # fmt: skip
    found = await seen(guarded, f"runs/{run}")
    marks = found["timeline"]
    assert [each["kind"] for each in marks] == ["queued", "attempt", "attempt", "first_token", "end"]
    queued, first, second, word, end = marks
    assert queued["at"] <= queued["endAt"] == first["at"] <= first["endAt"] <= second["endAt"] <= end["at"]
    assert (first["model"], first["key"], first["status"], first["code"]) == (
        "a",
        "9876",
        "failed",
        "rate_limited",
    )
    assert (second["model"], second["key"], second["status"], second["tokens"]) == (
        "b",
        None,
        "completed",
        13,
    )
    assert second["at"] <= word["at"] <= second["endAt"]
    assert (end["status"], end["code"], end["tokens"]) == ("completed", "stop", 13)
    assert found["totalTokens"] == 13


async def test_the_course_of_a_run_that_failed(guarded: House) -> None:
    run = await ask(guarded, WORDS, ProviderTimeout("fake"))
    *_, attempt, word, end = (await seen(guarded, f"runs/{run}"))["timeline"]
    assert (attempt["status"], attempt["code"]) == ("failed", "timeout")
    assert word["kind"] == "first_token"
    assert (end["status"], end["code"]) == ("failed", "timeout")


async def test_the_course_of_a_run_that_goes_on(local: House) -> None:
    """How far it has got is put down whenever its lease is renewed."""
    gate = asyncio.Event()
    usage = UsageReport(Usage(9, 4))
    local.script = (Asked("fake", "a", None), WORDS * 50, gate, usage, Finish(FinishReason.STOP))
    body = {"conversationId": await local.conversation(), "content": "x"}
    async with local.listening(), local.streaming(body) as stream:
        run = (await stream.next())["runId"]
        await stream.next()
        await local.chat.engine._renew()
        found = (await local.get(f"/api/admin/runs/{run}")).json()
        gate.set()
        await stream.until("done")
        ended = (await local.get(f"/api/admin/runs/{run}")).json()
    queued, attempt, word = found["timeline"]
    assert [each["kind"] for each in found["timeline"]] == ["queued", "attempt", "first_token"]
    assert queued["endAt"] == attempt["at"] <= word["at"]
    assert (attempt["endAt"], attempt["status"], attempt["model"]) == (None, "in_progress", "a")
    assert attempt["tokens"] == found["totalTokens"] > 100
    assert (found["status"], found["durationMs"]) == ("in_progress", None)
    assert [each.get("status") for each in ended["timeline"]][1] == "completed"
    assert ended["totalTokens"] == 13


async def test_the_course_of_a_run_that_waited_for_its_caller(local: House) -> None:
    def script(request: ChatRequest) -> list[Any]:
        if request.turns[-1].role is Role.TOOL:
            return ["So.", UsageReport(Usage(20, 2)), Finish(FinishReason.STOP)]
        call = [ToolCallStart("c1", "ask"), ToolCallDelta("c1", "{}"), ToolCallEnd("c1")]
        return [*call, UsageReport(Usage(9, 4)), Finish(FinishReason.TOOL_CALLS)]

    local.script = script
    ask = {"name": "ask", "description": "x", "parameters": {"type": "object", "properties": {}}}
    body = {"conversationId": await local.conversation(), "content": "x", "tools": [ask]}
    async with local.listening(), local.streaming(body) as stream:
        run = (await stream.next())["runId"]
        await stream.until("requires_action")
        waiting = (await local.get(f"/api/admin/runs/{run}")).json()["timeline"]
        outputs = {"outputs": [{"id": "c1", "output": WORDS}]}
        assert (await local.post(f"/api/chat/runs/{run}/tool-outputs", outputs)).status_code == 200
        await stream.until("done")
        found = (await local.get(f"/api/admin/runs/{run}")).json()
    assert [each["kind"] for each in waiting] == ["queued", "attempt", "first_token", "step", "wait"]
    assert (waiting[3]["endAt"], waiting[4]["endAt"]) == (None, None)
    kinds = ("attempt", "wait", "step")
    marks = {kind: [each for each in found["timeline"] if each["kind"] == kind] for kind in kinds}
    (wait,), (step,) = marks["wait"], marks["step"]
    first, second = marks["attempt"]
    assert first["endAt"] <= wait["at"] <= wait["endAt"] <= second["at"]
    assert (step["name"], step["status"]) == ("ask", "completed")
    assert (first["tokens"], second["tokens"], found["totalTokens"]) == (13, 22, 35)


async def test_a_run_that_does_not_exist(guarded: House) -> None:
    for run in (NOBODY, "nonsense"):
        answer = await guarded.get(f"/api/admin/runs/{run}", user="root", roles=[ADMIN])
        assert (answer.status_code, answer.json()["code"]) == (404, "run_not_found")


async def test_operators_alone(guarded: House) -> None:
    run = await ask(guarded, WORDS)
    for path in ("traffic", "errors", "runs", f"runs/{run}"):
        assert (await guarded.get(f"/api/admin/{path}", user="ana")).status_code == 403
        assert (await guarded.get(f"/api/admin/{path}")).status_code == 401
