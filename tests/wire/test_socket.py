"""`/api/websocket/conversations/{id}`: what it does beside what all doors do."""

import asyncio
import json
from socket import SO_RCVBUF, SOL_SOCKET
from typing import Any

import pytest
from tests.wire.house import NOBODY, House, said
from tests.wire.sockets import Line, line
from tests.wire.test_tools import once

from prosa.transport import websocket
from prosa.transport.native import socket


def path(conversation: str) -> str:
    return f"/api/websocket/conversations/{conversation}"


def kinds(heard: list[dict[str, Any]]) -> list[str]:
    return [message.get("type", "text") for message in heard]


async def settled(opened: Line) -> list[dict[str, Any]]:
    """What comes until a pong does."""
    await opened.say(type="ping")
    heard = [await opened.hear()]
    while heard[-1].get("type") != "pong":
        heard.append(await opened.hear())
    return heard[:-1]


async def of_run(opened: Line, run: str) -> dict[str, Any]:
    """The next event of the run."""
    while (message := await opened.hear()).get("runId") != run or "seq" not in message:
        pass
    return message


async def of(opened: Line, run: str) -> list[dict[str, Any]]:
    """The run's events, to its end; what else is told meanwhile is passed over."""
    heard: list[dict[str, Any]] = []
    while not heard or heard[-1].get("type") not in ("done", "error"):
        heard.append(await of_run(opened, run))
    return heard


async def test_what_one_hears_and_in_which_order(listening: House) -> None:
    listening.script = ["um", " dois"]
    one = await listening.conversation(title="Antes")
    async with line(listening, path(one)) as opened:
        assert (await opened.hear())["conversation"]["title"] == "Antes"
        await opened.say(type="send", content="x", clientMessageId="mine")
        heard: list[dict[str, Any]] = []
        while kinds(heard).count("done") + kinds(heard).count("conversation") < 2:
            heard.append(await opened.hear())
        run = heard[0]
        assert run["type"] == "run"
        mine = [message for message in heard if message.get("clientMessageId")]
        assert [message["runId"] for message in mine] == [run["runId"]]
        events = [message for message in heard if "seq" in message]
        assert kinds(events) == ["start", "text", "text", "done"]
        assert {message["runId"] for message in events} == {run["runId"]}
        (after,) = [message["conversation"] for message in heard if message.get("type") == "conversation"]
        assert after["headId"] == run["messageId"] == events[0]["messageId"]


async def test_runs_begun_elsewhere_are_followed_from_their_first_event(listening: House) -> None:
    gates = {name: asyncio.Event() for name in "abc"}
    listening.script = lambda request: ["<", gates[request.turns[-1].content], ">"]
    one = await listening.conversation()
    async with line(listening, path(one)) as left, line(listening, path(one)) as right:
        await left.say(type="send", content="a")
        (run_a, *_) = (await left.until("run"))[-1:]
        over_http = asyncio.create_task(listening.send(one, "b", parentId=None))
        while (told := (await left.until("run"))[-1])["runId"] == run_a["runId"]:
            pass
        async with line(listening, path(one)) as late:
            heard = await late.until("conversation")
            assert kinds(heard) == ["conversation"]
            assert {(await late.until("run"))[-1]["runId"] for _ in range(2)} == {
                run_a["runId"], told["runId"],
            }  # fmt: skip
            gates["b"].set()
            for opened in (left, right, late):
                events = await of(opened, told["runId"])
                assert events[-1]["status"] == "completed"
                assert [event["seq"] for event in events][-1] == 4
            assert [{k: v for k, v in event.items() if k != "runId"} for event in events[1:]] == [
                event for event in (await over_http) if event["seq"] > events[0]["seq"]
            ]
            gates["a"].set()
            for opened in (left, right, late):
                assert (await of(opened, run_a["runId"]))[-1]["status"] == "completed"


async def test_a_switch_of_branches_is_seen_by_all(listening: House) -> None:
    one = await listening.conversation()
    first = (await listening.send(one))[0]
    second = (await listening.send(one, None, regenerate=first["messageId"]))[0]
    async with line(listening, path(one)) as left, line(listening, path(one)) as right:
        for opened in (left, right):
            assert (await opened.hear())["conversation"]["headId"] == second["messageId"]
        await left.say(type="show", headId=first["messageId"])
        async with asyncio.timeout(1):
            for opened in (left, right):
                assert (await opened.hear())["conversation"]["headId"] == first["messageId"]
        await left.say(type="show", headId=NOBODY)
        assert (await left.hear())["code"] == "message_not_found"


async def test_what_is_wrong_is_told_with_the_name_of_the_message(listening: House) -> None:
    one = await listening.conversation()
    async with line(listening, path(one)) as opened:
        await opened.hear()
        for fields, code in (
            ({"content": ""}, "invalid_request"),
            ({"content": 5}, "invalid_request"),
            ({}, "invalid_request"),
            ({"content": "x", "tools": ["nope"]}, "no_such_tool"),
            ({"content": "x", "parentId": NOBODY}, "message_not_found"),
        ):
            await opened.say(type="send", clientMessageId="a-name", **fields)
            told = await opened.hear()
            assert (told["type"], told["code"], told["clientMessageId"]) == ("error", code, "a-name")
            assert told["retryable"] is False
            assert "seq" not in told
        await opened.say(type="send", content="")
        assert "clientMessageId" not in await opened.hear()
        await opened.say(type="send", content="x")
        assert (await opened.until("run"))[-1]["runId"]


@pytest.mark.parametrize(
    "message",
    [
        {"type": "nope"},
        {},
        {"type": "send", "content": "x", "conversationId": [NOBODY], "regenerate": "x"},
        {"type": "stop"},
        {"type": "stop", "runId": "run_1"},
        {"type": "follow", "runId": NOBODY, "after": "1"},
        {"type": "show", "headId": None},
        {"type": "outputs", "runId": NOBODY, "outputs": []},
        {"type": "approval", "runId": NOBODY, "id": "x"},
    ],
)
async def test_bad_messages(listening: House, message: dict[str, Any]) -> None:
    async with line(listening, path(await listening.conversation())) as opened:
        await opened.hear()
        await opened.say(**message)
        assert (await opened.hear())["code"] == "invalid_request"
        assert await settled(opened) == []


@pytest.mark.parametrize(
    "message",
    [
        {"type": "stop"},
        {"type": "follow"},
        {"type": "outputs", "outputs": [{"id": "x", "output": "x"}]},
        {"type": "approval", "id": "x", "approve": True},
    ],
)
async def test_runs_of_other_conversations(listening: House, message: dict[str, Any]) -> None:
    one, other = await listening.conversation(), await listening.conversation()
    start = (await listening.send(other))[0]
    async with line(listening, path(one)) as opened:
        await opened.hear()
        for run in (start["runId"], NOBODY):
            await opened.say(runId=run, **message)
            told = await opened.hear()
            assert (told["type"], told["code"]) == ("error", "run_not_found")


async def test_a_deleted_conversation_ends_all_its_sockets(listening: House) -> None:
    listening.script = ["a", asyncio.Event()]
    one = await listening.conversation()
    async with line(listening, path(one)) as left, line(listening, path(one)) as right:
        await left.say(type="send", content="x")
        await left.until("start")
        await listening.call("DELETE", f"/api/conversations/{one}")
        for opened in (left, right):
            heard, code = await opened.end()
            assert heard[-1] == {"type": "deleted"}
            assert code == 1000
    assert listening.chat.feed._watchers == {}


async def test_a_run_that_is_deleted_ends_no_socket(listening: House) -> None:
    one = await listening.conversation()
    start = (await listening.send(one))[0]
    async with line(listening, path(one)) as opened:
        await opened.hear()
        await listening.call("DELETE", f"/api/conversations/{one}/messages/{start['userMessageId']}")
        assert kinds([await opened.hear(), await opened.hear()]) == ["messages", "conversation"]
        await opened.say(type="follow", runId=start["runId"])
        assert (await opened.hear())["code"] == "run_not_found"


async def test_the_longest_message_that_http_takes(listening: House) -> None:
    content = "語" * 400_000
    one = await listening.conversation()
    async with line(listening, path(one)) as opened:
        await opened.hear()
        await opened.connection.send(json.dumps({"type": "send", "content": content}, ensure_ascii=False))
        heard = await opened.hear()
    over_http = await listening.post("/api/chat/send", {"conversationId": one, "content": content})
    assert heard["code"] == over_http.json()["code"] == "context_too_long"


async def test_following_a_run_that_has_ended(listening: House) -> None:
    listening.script = ["a", "b", "c"]
    one = await listening.conversation()
    whole = await listening.send(one)
    run = whole[0]["runId"]
    async with line(listening, path(one)) as opened:
        await opened.hear()
        for after in (0, 1, 4, -7):
            await opened.say(type="follow", runId=run, after=after)
            heard = await of(opened, run)
            assert [{k: v for k, v in event.items() if k != "runId"} for event in heard[1:]] == whole[
                max(0, after) + 1 :
            ]
            assert heard[0]["seq"] == max(0, after) + 1
        await opened.say(type="follow", runId=run, after=2**60)
        assert await settled(opened) == []


async def test_who_comes_back_and_says_at_once_what_he_has_is_told_nothing_twice(
    listening: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "GRACE", 1.0)
    gate = asyncio.Event()
    listening.script = [*"abcdef", gate, "g"]
    one = await listening.conversation()
    async with line(listening, path(one)) as opened:
        await opened.say(type="send", content="x")
        run = (await opened.until("run"))[-1]["runId"]
    async with line(listening, path(one)) as opened:
        await opened.say(type="follow", runId=run, after=5)
        heard = [await of_run(opened, run) for _ in range(2)]
        gate.set()
        heard += await of(opened, run)
        await asyncio.sleep(1.1)
        assert await settled(opened) == []
    assert [event["seq"] for event in heard] == [6, 7, 8, 9]


async def test_tools_of_ones_own_and_approvals(listening: House) -> None:
    listening.script = once("ask")
    one = await listening.conversation()
    async with line(listening, path(one)) as opened:
        await opened.hear()
        await opened.say(type="send", content="x", tools=[{"name": "ask"}])
        heard = await opened.until("requires_action")
        run = heard[-1]["runId"]
        await opened.say(type="approval", runId=run, id="c1", approve=True)
        assert (await opened.until("error"))[-1]["code"] == "run_not_waiting"
        await opened.say(type="outputs", runId=run, outputs=[{"id": "c1", "output": "42"}])
        assert said(await of(opened, run)) == "It gave: 42"


@pytest.mark.hostile(58)
async def test_who_does_not_read_is_dropped_and_the_answer_is_finished(
    listening: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "PATIENCE", 0.3)
    listening.script = ["x" * 900] * 2_500
    one = await listening.conversation()
    async with line(listening, path(one), compression=None, max_queue=1) as opened:
        raw = opened.connection.transport.get_extra_info("socket")
        raw.setsockopt(SOL_SOCKET, SO_RCVBUF, 4_096)
        await opened.say(type="send", content="x", maxTokens=1_000_000)
        async with asyncio.timeout(20):
            while listening.app._crowd._open or listening.chat.engine.running:  # noqa: ASYNC110 - nobody tells us
                await asyncio.sleep(0.02)
    (_, answer) = (await listening.get(f"/api/conversations/{one}/messages")).json()["items"]
    assert (answer["status"], len(answer["content"])) == ("completed", 2_250_000)
    assert listening.chat.feed._watchers == {}


async def test_so_many_runs_are_followed_at_a_time(listening: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "MOST_FOLLOWED", 3)
    gate = asyncio.Event()
    listening.script = ["a", gate]
    one = await listening.conversation()
    async with line(listening, path(one)) as opened:
        for _ in range(4):
            await opened.say(type="send", content="x", parentId=None)
        runs: set[str] = set()
        told: list[dict[str, Any]] = []
        while len(runs) < 4 or kinds(told).count("start") < 3:
            told.append(await opened.hear())
            if told[-1].get("type") == "run":
                runs.add(told[-1]["runId"])
        (left,) = runs - {message["runId"] for message in told if "seq" in message}
        await opened.say(type="follow", runId=left)
        assert (await opened.until("error"))[-1]["code"] == "invalid_request"
        gate.set()
        for _ in range(3):
            await opened.until("done")
        await opened.say(type="follow", runId=left)
        assert (await of(opened, left))[0]["seq"] == 1
