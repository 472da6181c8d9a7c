"""Runs that call tools, over real HTTP and in real processes: from end to end, and through crashes."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.engine.conftest import Serve, on
from tests.postgres import Database
from tests.provider import Provider

OWN = {"name": "ask_user", "description": "Asks.", "parameters": {"type": "object"}}
TOML = """
[tools.weather]
description = "The weather of a city."
url = "{base}/weather/{{city}}"
always = true
allow_private = true
timeout = 30
[tools.weather.parameters]
type = "object"
required = ["city"]
properties.city.type = "string"
"""


class Sky:
    """An HTTP service that answers about cities; about Atlantis it never does."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.arrived = asyncio.Event()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_get("/weather/{city}", self._answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        city = request.match_info["city"]
        self.asked.append(city)
        self.arrived.set()
        if city == "Atlantis":
            await asyncio.Event().wait()
        return web.json_response({"city": city, "sky": "clear"})


@pytest.fixture
async def sky(tmp_path: Path) -> AsyncIterator[Sky]:
    made = Sky()
    async with made.listening() as base:
        (tmp_path / "prosa.toml").write_text(TOML.format(base=base))
        yield made


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event.get("type", "text") for event in events]


async def test_a_tool_of_the_operators(serve: Serve, provider: Provider, sky: Sky) -> None:
    process, client = await serve()
    one = await client.conversation("calls-weather")
    stream = await client.send(one, "Évora")
    done = await stream.end()
    assert [kind for kind in kinds(stream.events) if kind != "tool_arguments"] == [
        "start", "tool_call", "tool_result", "text", "done",
    ]  # fmt: skip
    assert json.loads(stream.events[-3]["result"]) == {"city": "Évora", "sky": "clear"}
    assert "clear" in stream.text
    assert sky.asked == ["Évora"]
    first, second = provider.of("calls-weather")
    assert [tool["function"]["name"] for tool in first.body["tools"]] == ["weather"]
    called, told = second.body["messages"][-2:]
    assert called["tool_calls"][0]["id"] == told["tool_call_id"] == "call_1"
    assert done["usage"]["totalTokens"] == 2 * 17
    assert process.rows("SELECT attempt, total_tokens FROM ai_usage ORDER BY attempt") == [(1, 17), (2, 17)]


@pytest.mark.slow
@pytest.mark.hostile(55)
async def test_a_crash_while_a_tool_works_makes_no_second_call(
    serve: Serve, provider: Provider, sky: Sky
) -> None:
    process, client = await serve()
    stream = await client.send(await client.conversation("calls-weather"), "Atlantis")
    await asyncio.wait_for(sky.arrived.wait(), 10)
    await process.kill()
    process, client = await serve()
    run = await client.until_ended(stream.start["runId"])
    assert (run["status"], run["reason"]) == ("incomplete", "crash")
    [step] = (await client.get(f"/api/chat/runs/{run['id']}/steps"))["items"]
    assert step["status"] == "cancelled"
    assert (sky.asked, len(provider.calls)) == (["Atlantis"], 1)
    assert process.rows("SELECT attempt, total_tokens FROM ai_usage") == [(1, 17)]
    assert process.rows("SELECT count(*) FROM reservations") == [(0,)]
    again = await client.send(run["conversationId"], "Faro")
    assert (await again.end())["status"] == "completed", "a call without a result is no hindrance"


@pytest.mark.slow
@pytest.mark.hostile(55)
async def test_a_run_waits_through_a_crash(serve: Serve, provider: Provider) -> None:
    process, client = await serve()
    stream = await client.send(await client.conversation("calls-ask_user"), "Which?", tools=[OWN])
    await stream.until(lambda: "requires_action" in kinds(stream.events))
    run = stream.start["runId"]
    await client.until(run, {"requires_action"})
    seen = stream.events[-1]["seq"]
    await process.kill()
    process, client = await serve()
    assert (await client.run(run))["requiredAction"]["calls"][0]["id"] == "call_1"
    rest = await _following(client, run, seen)
    await client.post(f"/api/chat/runs/{run}/tool-outputs", {"outputs": [{"id": "call_1", "output": "blue"}]})
    await rest
    followed = rest.result()
    done = await followed.end()
    assert kinds(followed.events) == ["tool_result", "text", "done"]
    assert followed.text == "It gave blue"
    assert [event["seq"] for event in followed.events] == list(range(seen + 1, done["seq"] + 1))
    assert process.rows("SELECT attempt FROM ai_usage ORDER BY 1") == [(1,), (2,)]


async def _following(client: Any, run: str, after: int) -> asyncio.Task[Any]:
    """A reader of what is to come: its stream exists once something has."""
    task = asyncio.create_task(client.follow(run, after))
    await asyncio.sleep(0)
    return task


@pytest.mark.slow
async def test_another_node_goes_on(serve: Serve, provider: Provider, database: Database) -> None:
    (_, first), (_, second) = await asyncio.gather(serve(**on(database)), serve(**on(database)))
    stream = await first.send(await first.conversation("calls-ask_user"), "Which?", tools=[OWN])
    await stream.until(lambda: "requires_action" in kinds(stream.events))
    run = stream.start["runId"]
    await second.until(run, {"requires_action"})
    outputs = {"outputs": [{"id": "call_1", "output": "blue"}]}
    heard = await asyncio.gather(
        *(client.session.post(f"{client.url}/api/chat/runs/{run}/tool-outputs", json=outputs)
          for client in (first, second, first, second))
    )  # fmt: skip
    assert sorted(answer.status for answer in heard) == [200, 409, 409, 409]
    done = await stream.end()
    assert (done["status"], stream.text) == ("completed", "It gave blue")
    assert [event["seq"] for event in stream.events] == list(range(1, done["seq"] + 1))
    assert len(provider.calls) == 2
