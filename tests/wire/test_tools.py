"""Runs that call tools, as their callers see them: events, outputs, approvals, steps, and answers begun anew."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.wire.house import NOBODY, SECRET, House, events, furnished, refused, said

import prosa
from prosa.adapters.models.fake.client import Step
from prosa.domain import errors as e
from prosa.domain.models import (
    Asked,
    ChatRequest,
    Finish,
    FinishReason,
    Reset,
    Role,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
)
from prosa.domain.principal import Principal
from prosa.domain.runs import RunStatus

OWN = {"name": "ask_user", "description": "Asks.", "parameters": {"type": "object"}}


@prosa.tool(always=True)
def weather(city: str) -> dict[str, str]:
    """The weather of a city."""
    return {"city": city, "sky": "clear"}


@prosa.tool(needs_approval=True)
def send_mail(to: str) -> str:
    """Sends a mail."""
    return f"sent to {to}"


def calling(name: str, arguments: str) -> list[Step]:
    return [ToolCallStart("c1", name), ToolCallDelta("c1", arguments), ToolCallEnd("c1"),
            Finish(FinishReason.TOOL_CALLS)]  # fmt: skip


def once(name: str, **arguments: Any) -> Any:
    """A model that calls a tool, then says what it gave."""

    def script(request: ChatRequest) -> Iterator[Step]:
        results = [part for turn in request.turns if turn.role is Role.TOOL for part in turn.parts]
        if results:
            yield f"It gave: {results[-1].result}"
        else:
            yield from calling(name, json.dumps(arguments))

    return script


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with furnished(tmp_path, tools=[weather, send_mail]) as made, made.listening():
        yield made


@pytest.fixture
async def shared(tmp_path: Path) -> AsyncIterator[House]:
    """With tokens: a client is somebody."""
    async with furnished(tmp_path, tools=[weather, send_mail], jwt_secret=SECRET) as made:
        yield made


async def test_a_tool_of_the_server(house: House) -> None:
    house.script = once("weather", city="Évora")
    one = await house.conversation()
    told = await house.send(one, "How is it?")
    kinds = [event.get("type", "text") for event in told]
    assert kinds == ["start", "tool_call", "tool_arguments", "tool_result", "text", "done"]
    assert [event["seq"] for event in told] == list(range(1, 7))
    assert told[1] == {"type": "tool_call", "id": "c1", "name": "weather", "seq": 2}
    assert told[3]["status"] == "completed"
    assert json.loads(told[3]["result"]) == {"city": "Évora", "sky": "clear"}
    run = told[0]["runId"]
    [step] = (await house.get(f"/api/chat/runs/{run}/steps")).json()["items"]
    assert (step["id"], step["name"], step["kind"], step["status"]) == (
        "c1",
        "weather",
        "function",
        "completed",
    )
    assert json.loads(step["arguments"]) == {"city": "Évora"}
    messages = (await house.get(f"/api/conversations/{one}/messages")).json()["items"]
    assert [part["type"] for part in messages[1]["parts"]] == ["tool_call", "tool_result", "text"]
    assert messages[1]["content"] == said(told)


async def test_which_tools_are_offered(house: House) -> None:
    one = await house.conversation()
    for given, names in (
        ({}, ["weather"]),
        ({"tools": []}, []),
        ({"tools": ["send_mail"]}, ["send_mail"]),
        ({"tools": ["weather", OWN]}, ["weather", "ask_user"]),
    ):
        await house.send(one, "x", **given)
        assert [spec.name for spec in house.calls[-1].request.tools] == names


@pytest.mark.parametrize(
    "tools",
    [
        ["nothing_like_it"], [OWN, OWN], [{**OWN, "name": "weather"}, "weather"], [{**OWN, "name": "with space"}],
        [{**OWN, "parameters": {"$ref": "http://localhost/schema"}}], [7], ["weather"] * 200,
    ],
)  # fmt: skip
async def test_tools_that_can_not_be(house: House, tools: list[Any]) -> None:
    one = await house.conversation()
    answer = await house.post("/api/chat/send", {"conversationId": one, "content": "x", "tools": tools})
    assert answer.status_code == 400
    assert answer.json()["code"] in ("invalid_request", "no_such_tool")
    assert house.calls == []


async def test_outputs_of_the_callers_own_tool(house: House) -> None:
    house.script = once("ask_user", q="Which?")
    one = await house.conversation()
    body = {"conversationId": one, "content": "x", "tools": [OWN]}
    async with house.streaming(body) as stream:
        wanted = await stream.until("requires_action")
        assert wanted["calls"] == [
            {"id": "c1", "name": "ask_user", "needs": "output", "arguments": '{"q": "Which?"}'}
        ]
        run = (await house.get("/api/chat/runs/" + (await _run_of(house, one)))).json()
        assert (run["status"], run["usage"]) == ("requires_action", None)
        assert run["requiredAction"]["calls"] == wanted["calls"]
        address = f"/api/chat/runs/{run['id']}"
        for outputs in ([], [{"id": "c9", "output": "x"}], [{"id": "c1", "output": "x"}] * 2, [{"id": "c1"}]):
            answer = await house.post(f"{address}/tool-outputs", {"outputs": outputs})
            assert answer.status_code == 400, outputs
        refused(
            await house.post(f"{address}/approvals", {"id": "c1", "approve": True}), 409, e.RunNotWaiting()
        )
        answer = await house.post(f"{address}/tool-outputs", {"outputs": [{"id": "c1", "output": "blue"}]})
        assert answer.status_code == 200, answer.text
        assert answer.json()["status"] in ("in_progress", "completed")
        assert (await stream.until("tool_result"))["result"] == "blue"
        assert (await stream.next())["content"] == "It gave: blue"
        assert (await stream.until("done"))["status"] == "completed"
        answer = await house.post(f"{address}/tool-outputs", {"outputs": [{"id": "c1", "output": "red"}]})
        refused(answer, 409, e.RunNotWaiting())


async def _run_of(house: House, conversation: str) -> str:
    messages = (await house.get(f"/api/conversations/{conversation}/messages")).json()["items"]
    return messages[-1]["runId"]


@pytest.mark.parametrize(("approve", "status"), [(True, "completed"), (False, "denied")])
async def test_leave_to_call(house: House, approve: bool, status: str) -> None:
    house.script = once("send_mail", to="ana@example.org")
    one = await house.conversation()
    async with house.streaming({"conversationId": one, "content": "x", "tools": ["send_mail"]}) as stream:
        [call] = (await stream.until("requires_action"))["calls"]
        assert call["needs"] == "approval"
        run = await _run_of(house, one)
        body = {
            "id": "c1",
            "approve": approve,
            "arguments": '{"to": "mallory@example.org"}',
            "reason": "Not now.",
        }
        answers = await asyncio.gather(
            *(house.post(f"/api/chat/runs/{run}/approvals", body) for _ in range(4))
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
        result = await stream.until("tool_result")
        assert (result["status"], result["result"]) == (
            status,
            "sent to ana@example.org" if approve else "Not now.",
        )
        await stream.until("done")


@pytest.mark.hostile(14)
async def test_nobody_answers_for_another(shared: House) -> None:
    shared.script = once("send_mail", to="ana@example.org")
    one = await shared.conversation("ana")
    body = {"conversationId": one, "content": "x", "tools": ["send_mail"]}
    sending = asyncio.ensure_future(shared.post("/api/chat/send", body, user="ana"))
    run = await _waiting(shared, "ana", one)
    for path, said_of_it in (
        ("approvals", {"id": "c1", "approve": True}),
        ("tool-outputs", {"outputs": [{"id": "c1", "output": "x"}]}),
    ):
        theirs = await shared.post(f"/api/chat/runs/{run}/{path}", said_of_it, user="bia")
        nobodys = await shared.post(f"/api/chat/runs/{NOBODY}/{path}", said_of_it, user="bia")
        assert (theirs.status_code, theirs.content) == (404, nobodys.content)
    refused(await shared.get(f"/api/chat/runs/{run}/steps", user="bia"), 404, e.RunNotFound())
    await shared.post(f"/api/chat/runs/{run}/stop", user="ana")
    assert events((await sending).content)[-1]["status"] == "cancelled"


async def _waiting(house: House, user: str, conversation: str) -> str:
    """The id of the run in the conversation, once it waits for its caller."""
    runs = house.chat.store.of(Principal(user)).runs
    async with asyncio.timeout(10):
        while True:
            for run in await runs.open(conversation):
                if run.status is RunStatus.REQUIRES_ACTION:
                    return run.id
            await asyncio.sleep(0.01)


# Who waits for a whole answer, or for bare text


async def test_a_whole_answer_that_needs_leave(house: House) -> None:
    house.script = once("send_mail", to="x")
    house.chat.tools.find("send_mail").always = True
    answer = await house.post("/api/chat/process", {"userMessageContent": "x", "sessionId": "s"})
    assert (answer.status_code, answer.json()["code"]) == (409, "action_required")
    assert (await house.get(f"/api/chat/runs/{answer.json()['runId']}")).json()["status"] == "requires_action"
    answer = await house.post("/api/chat", {"messages": [{"role": "user", "content": "x"}]})
    assert (answer.status_code, answer.json()["code"]) == (409, "action_required")


async def test_a_whole_answer_with_a_tool(house: House) -> None:
    house.script = once("weather", city="Faro")
    answer = await house.post("/api/chat/process", {"userMessageContent": "x", "sessionId": "s"})
    assert "clear" in answer.json()["assistantMessage"]["content"]
    answer = await house.post("/api/chat", {"messages": [{"role": "user", "content": "x"}]})
    assert "clear" in answer.text
    answer = await house.post("/api/chat", {"messages": [{"role": "user", "content": "x"}], "tools": [OWN]})
    assert answer.json()["code"] == "not_supported"


# An answer that begins anew

ANEW: list[Step] = [Asked("fake", "a"), "Half an", Reset("broken_stream"), Asked("fake", "b"), "The whole."]


async def test_who_accepts_a_reset_gets_one(house: House) -> None:
    house.script = ANEW
    one = await house.conversation()
    told = await house.send(one, "x", accepts=["reset"])
    assert [event.get("type", event.get("content")) for event in told] == [
        "start", "Half an", "reset", "The whole.", "done",
    ]  # fmt: skip
    assert told[2]["reason"] == "broken_stream"
    run = told[0]["runId"]
    again = events((await house.get(f"/api/chat/runs/{run}/events?accepts=reset")).content)
    assert again == told


async def test_who_does_not_gets_an_error(house: House) -> None:
    house.script = ANEW
    one = await house.conversation()
    told = await house.send(one, "x")
    assert [event.get("type", event.get("content")) for event in told] == ["start", "Half an", "error"]
    assert (told[-1]["code"], told[-1]["retryable"]) == ("restarted", True)
    run = told[0]["runId"]
    again = events((await house.get(f"/api/chat/runs/{run}/events")).content)
    assert again[-1]["code"] == "restarted"
    messages = (await house.get(f"/api/conversations/{one}/messages")).json()["items"]
    assert messages[-1]["content"] == "The whole."


async def test_bare_text_can_not_be_taken_back(house: House) -> None:
    gate = asyncio.Event()
    house.script = [ANEW[0], ANEW[1], gate, *ANEW[2:]]
    async with house.client() as client:
        body = {"messages": [{"role": "user", "content": "x"}]}
        async with client.stream("POST", "/api/chat", json=body) as response:
            pieces = response.aiter_text()
            assert await anext(pieces) == "Half an"
            gate.set()
            with pytest.raises(httpx2.RemoteProtocolError):
                await anext(pieces)


async def test_bare_text_of_which_nothing_was_written_yet(house: House) -> None:
    house.script = [Asked("fake", "a"), Reset("timeout"), Asked("fake", "b"), "The whole."]
    answer = await house.post("/api/chat", {"messages": [{"role": "user", "content": "x"}]})
    assert answer.text == "The whole."
