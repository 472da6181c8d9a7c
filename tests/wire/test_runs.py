"""`/api/chat/runs`: what became of a run, its events once more, and its stop."""

import asyncio
import json

import pytest
from tests.counts import counts
from tests.wire.house import NOBODY, House, Stream, data_lines, events, refused, said

from prosa.domain import errors as e
from prosa.domain.principal import LOCAL
from prosa.domain.runs import Run


def numbered(raw: bytes) -> list[tuple[int, bytes]]:
    """(id, data) of each event."""
    found = []
    for block in raw.removesuffix(b"\n\n").split(b"\n\n"):
        first, second = block.split(b"\n")
        assert first.startswith(b"id: ")
        assert second.startswith(b"data: ")
        found.append((int(first[4:]), second[6:]))
    return found


async def test_the_same_lines_once_more(local: House) -> None:
    local.script = ["um", " dois", " três 🌍"]
    one = await local.conversation()
    told = await local.post("/api/chat/send", {"conversationId": one, "content": "x"})
    lines = data_lines(told.content)
    path = f"/api/chat/runs/{json.loads(lines[0])['runId']}/events"
    answer = await local.get(path)
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert numbered(answer.content) == list(enumerate(lines, 1))
    for after in range(len(lines)):
        assert (
            numbered((await local.get(path, params={"after": after})).content)
            == list(enumerate(lines, 1))[after:]
        )
    beaten = await local.get(path, params={"after": 0}, headers={"Last-Event-ID": "2"})
    assert numbered(beaten.content) == list(enumerate(lines, 1))[2:]
    for past in (len(lines), len(lines) + 5, 2**60):
        answer = await local.get(path, params={"after": past})
        assert (answer.status_code, answer.content) == (204, b"")
    assert (await local.get(path, headers={"Last-Event-ID": str(len(lines))})).status_code == 204


@pytest.mark.parametrize("odd", ["", "abc", "-1", "1.5", "9" * 40, "²", "\x00"])
async def test_an_odd_last_event_id_counts_as_none(local: House, odd: str) -> None:
    start = (await local.send(await local.conversation()))[0]
    raw = [(b"host", b"localhost"), (b"last-event-id", odd.encode())]
    path = f"/api/chat/runs/{start['runId']}/events"
    written = bytearray()

    async def send(message: dict) -> None:
        written.extend(message.get("body", b""))

    async def receive() -> dict:
        return await asyncio.get_running_loop().create_future()

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"after=1",
        "root_path": "",
        "headers": raw,
    }
    await local.app(scope, receive, send)
    assert numbered(bytes(written))[0][0] == 2


@pytest.mark.parametrize("after", ["x", "1.5", "1e400", "NaN", "'", "9" * 5000])
async def test_a_number_that_is_none(local: House, after: str) -> None:
    start = (await local.send(await local.conversation()))[0]
    answer = await local.get(f"/api/chat/runs/{start['runId']}/events", params={"after": after})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


@pytest.mark.hostile(54)
async def test_readers_that_come_and_go_miss_nothing(listening: House) -> None:
    rounds = counts(1000, 40)
    gates = [asyncio.Event() for _ in range(rounds)]
    listening.script = [step for number, gate in enumerate(gates) for step in (f"[{number}]", gate)]
    one = await listening.conversation()
    body = {"conversationId": one, "content": "x"}
    async with listening.client() as client, listening.streaming(body) as stream:
        start = await stream.next()
        path = f"/api/chat/runs/{start['runId']}/events"
        seen = [start["seq"]]
        text = ""
        for gate in gates:
            async with client.stream("GET", path, headers={"Last-Event-ID": str(seen[-1])}) as response:
                event = await Stream(response).next()
            seen.append(event["seq"])
            text += event.get("content", "")
            gate.set()
        rest = events((await client.get(path, params={"after": seen[-1]})).content)
    seen += [event["seq"] for event in rest]
    assert seen == list(range(1, len(seen) + 1))
    assert text + said(rest) == "".join(f"[{number}]" for number in range(rounds))


@pytest.mark.hostile(54)
async def test_two_readers_at_once_get_the_same(listening: House) -> None:
    gate = asyncio.Event()
    listening.script = ["a", gate, *"bcdefg"]
    one = await listening.conversation()
    async with (
        listening.client() as client,
        listening.streaming({"conversationId": one, "content": "x"}) as stream,
    ):
        start = await stream.next()
        path = f"/api/chat/runs/{start['runId']}/events"
        readers = [asyncio.create_task(client.get(path)) for _ in range(4)]
        await stream.until(None)
        gate.set()
        await stream.until("done")
        (content,) = {(await reader).content for reader in readers}
    assert said(events(content)) == "abcdefg"
    assert (await listening.get(path)).content == content


async def test_a_stop_keeps_the_text_and_ends_every_stream(listening: House) -> None:
    listening.script = ["meia ", "resposta", asyncio.Event()]
    one = await listening.conversation()
    async with listening.streaming({"conversationId": one, "content": "x"}) as stream:
        start = await stream.next()
        await stream.until(None)
        await stream.until(None)
        stopped = await listening.post(f"/api/chat/runs/{start['runId']}/stop")
        end = await stream.until("done")
    (call,) = listening.calls
    assert call.closed.is_set()
    assert not call.finished
    assert (end["status"], end["reason"]) == ("cancelled", "stopped")
    assert end["usage"]["estimated"] is True
    run = stopped.json()
    assert (stopped.status_code, run["status"], run["reason"]) == (200, "cancelled", "stopped")
    assert (await listening.get(f"/api/chat/runs/{start['runId']}")).json() == run
    message = (await listening.get(f"/api/conversations/{one}/messages/{start['messageId']}")).json()
    assert (message["status"], message["content"]) == ("incomplete", "meia resposta")
    listening.script = ["e segue"]
    assert said(await listening.send(one, "mais")) == "e segue"


async def test_stopping_what_has_ended_changes_nothing(local: House) -> None:
    start = (await local.send(await local.conversation()))[0]
    path = f"/api/chat/runs/{start['runId']}"
    before = (await local.get(path)).json()
    assert before["status"] == "completed"
    for _ in range(2):
        answer = await local.post(path + "/stop")
        assert (answer.status_code, answer.json()) == (200, before)


@pytest.mark.hostile(61)
async def test_a_stop_that_races_the_end_leaves_one_end(local: House) -> None:
    local.script = ["a", 0.0, "b"]
    for _ in range(counts(1000, 15)):
        one = await local.conversation()
        sending = asyncio.create_task(local.send(one))
        runs: list[Run] = []
        while not runs and not sending.done():
            runs = await local.chat.store.of(LOCAL).runs.open(one)
        for run in runs:
            await local.post(f"/api/chat/runs/{run.id}/stop")
        happened = await sending
        assert happened[-1]["status"] in ("completed", "cancelled")
        assert [event["type"] for event in happened if "type" in event] == ["start", "done"]
        stored = (await local.get(f"/api/chat/runs/{happened[0]['runId']}")).json()
        assert stored["status"] == happened[-1]["status"]


@pytest.mark.parametrize("run", [NOBODY, "nope", "%00", "run_1"])
async def test_runs_that_do_not_exist(local: House, run: str) -> None:
    for method, path in (("GET", ""), ("GET", "/events"), ("POST", "/stop")):
        refused(await local.call(method, f"/api/chat/runs/{run}{path}"), 404, e.RunNotFound())
