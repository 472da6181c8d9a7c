"""What all doors for chatting do alike: one test body, over Server-Sent Events and over WebSocket."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest
from tests.counts import counts
from tests.wire.doors import DOORS, Door, Refused, Told, opened, rest, until_said
from tests.wire.house import NOBODY, House, refusal, said

from prosa.domain import errors as e
from prosa.domain.errors import ProsaError

WORDS = [f"w{number} " for number in range(20)]


@pytest.fixture(params=DOORS, ids=lambda kind: kind.name)
async def door(request: pytest.FixtureRequest, listening: House) -> AsyncIterator[Door]:
    async with opened(request.param, listening) as made:
        yield made


async def stored(house: House, run: str) -> list[bytes]:
    """The run's lines, as the journal has them."""
    answer = await house.get(f"/api/chat/runs/{run}/events")
    return [row[6:] for row in answer.content.split(b"\n") if row.startswith(b"data: ")]


async def test_a_whole_answer(door: Door, listening: House) -> None:
    listening.script = ["um", " dois", " três 🌍"]
    one = await listening.conversation()
    told = await door.send(one, "x")
    heard = await rest(told)
    assert [event.get("type", "text") for event in heard] == ["start", "text", "text", "text", "done"]
    assert [event["seq"] for event in heard] == [1, 2, 3, 4, 5]
    assert said(heard) == "um dois três 🌍"
    assert told.lines == await stored(listening, heard[0]["runId"])


@pytest.mark.hostile(31)
@pytest.mark.parametrize("text", ["a\n\nevent: done\ndata: {}\n\n", "\r\r\n", "\x00b\u2028", '"}{"seq":9}'])
async def test_text_stays_text(door: Door, listening: House, text: str) -> None:
    listening.script = ["vor", text, "nach"]
    heard = await rest(await door.send(await listening.conversation()))
    assert said(heard) == "vor" + text.replace("\x00", "\ufffd") + "nach"
    assert [event["seq"] for event in heard] == list(range(1, len(heard) + 1))


@pytest.mark.hostile(53)
@pytest.mark.parametrize("pieces", [0, 1, 10, 20])
async def test_who_leaves_leaves_a_run_that_goes_on(door: Door, listening: House, pieces: int) -> None:
    gate = asyncio.Event()
    listening.script = [*WORDS[:pieces], *([gate] if pieces < len(WORDS) else []), *WORDS[pieces:]]
    one = await listening.conversation()
    told = await door.send(one)
    start = await told.next()
    await until_said(told, pieces)
    await told.leave()
    gate.set()
    await finished(listening, start["runId"])
    message = (await listening.get(f"/api/conversations/{one}/messages/{start['messageId']}")).json()
    assert (message["content"], message["status"]) == ("".join(WORDS), "completed")
    assert len(listening.calls) == 1


@pytest.mark.hostile(53)
async def test_who_leaves_before_he_hears_anything(door: Door, listening: House) -> None:
    one = await listening.conversation()
    await door.send_and_leave(one, "x")
    messages = f"/api/conversations/{one}/messages"
    async with asyncio.timeout(10):
        while not (items := (await listening.get(messages)).json()["items"]):  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(0.01)
    assert (await finished(listening, items[1]["runId"]))["status"] == "completed"
    assert len(listening.calls) == 1


@pytest.mark.hostile(54)
async def test_readers_that_come_and_go_miss_nothing(door: Door, listening: House) -> None:
    resumes = counts(1000, 40)
    gates = [asyncio.Event() for _ in range(resumes)]
    listening.script = [step for number, gate in enumerate(gates) for step in (f"[{number}]", gate)]
    one = await listening.conversation()
    told: Told = await door.send(one)
    run = (await told.next())["runId"]
    lines = told.lines
    for gate in gates:
        for _ in range(random.randrange(2)):
            gate.set()
        await told.leave()
        told = await door.resume(one, run, len(lines))
        await told.next()
        lines += told.lines[:1]
        gate.set()
    told = await door.resume(one, run, len(lines))
    await rest(told)
    assert lines + told.lines == await stored(listening, run)


@pytest.mark.hostile(54)
async def test_two_tabs_that_come_back_at_random(door: Door, listening: House) -> None:
    left = counts(1000, 40)
    while left > 0:
        listening.script = [step for word in WORDS * 2 for step in (word, 0.002)]
        one = await listening.conversation()
        original = await door.send(one)
        run = (await original.next())["runId"]

        async def tab(one: str = one, run: str = run) -> list[bytes]:
            nonlocal left
            lines: list[bytes] = []
            while not (lines and lines[-1].startswith(b'{"type":"done"')):
                told = await door.resume(one, run, len(lines))
                for _ in range(random.randrange(1, 20)):
                    if (await told.next()).get("type") == "done":
                        break
                await told.leave()
                lines += told.lines
                left -= 1
            return lines

        tabs = await asyncio.gather(tab(), tab())
        await rest(original)
        await original.leave()
        assert tabs[0] == tabs[1] == original.lines == await stored(listening, run)


async def test_a_stop_keeps_the_text_and_tells_the_end(door: Door, listening: House) -> None:
    listening.script = ["meia ", "resposta", asyncio.Event()]
    one = await listening.conversation()
    told = await door.send(one)
    start = await told.next()
    await until_said(told, 2)
    await door.stop(one, start["runId"])
    (end,) = await rest(told)
    assert (end["type"], end["status"], end["reason"]) == ("done", "cancelled", "stopped")
    message = (await listening.get(f"/api/conversations/{one}/messages/{start['messageId']}")).json()
    assert (message["status"], message["content"]) == ("incomplete", "meia resposta")


@pytest.mark.hostile(61)
async def test_a_stop_that_races_the_end_leaves_one_end(door: Door, listening: House) -> None:
    listening.script = ["a", 0.0, "b"]
    for _ in range(counts(300, 15)):
        one = await listening.conversation()
        told = await door.send(one)
        start = await told.next()
        _, heard = await asyncio.gather(door.stop(one, start["runId"]), rest(told))
        await told.leave()
        ends = [event for event in heard if "type" in event]
        assert [event["type"] for event in ends] == ["done"]
        assert ends[0]["status"] in ("completed", "cancelled")
        assert (await listening.get(f"/api/chat/runs/{start['runId']}")).json()["status"] == ends[0]["status"]


@pytest.mark.hostile(60)
async def test_the_same_message_sent_again_and_again(door: Door, listening: House) -> None:
    gate = asyncio.Event()
    listening.script = ["a", gate, "b"]
    one = await listening.conversation()
    first = await door.send(one, "x", clientMessageId="same")
    others = await asyncio.gather(*(door.send(one, "x", clientMessageId="same") for _ in range(5)))
    gate.set()
    for told in (first, *others, await door.send(one, "x", clientMessageId="same")):
        await rest(told)
        assert told.lines == first.lines
    late = await door.send(one, "x", clientMessageId="same")
    assert said(await rest(late)) == "ab"
    assert len(listening.calls) == 1
    with pytest.raises(Refused) as refused:
        await door.send(one, "y", clientMessageId="same")
    assert refused.value.code == "idempotency_mismatch"


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"provider": "nope"}, e.NoSuchProvider("nope", known="fake, local")),
        ({"parentId": NOBODY}, e.MessageNotFound()),
        ({"functions": []}, e.NotSupported("`functions`")),
        ({"regenerate": NOBODY}, e.InvalidRequest("content or regenerate is needed, and not both.")),
    ],
)
async def test_what_is_refused_is_refused_alike(
    door: Door, listening: House, fields: dict, error: ProsaError
) -> None:
    one = await listening.conversation()
    with pytest.raises(Refused) as caught:
        await door.send(one, **fields)
    alike(caught.value, error)
    assert listening.calls == []


async def test_one_answer_at_a_time_on_a_branch(door: Door, listening: House) -> None:
    gate = asyncio.Event()
    listening.script = ["a", gate, "b"]
    one = await listening.conversation()
    told = await door.send(one)
    run = (await told.next())["runId"]
    with pytest.raises(Refused) as caught:
        await door.send(one)
    alike(caught.value, e.RunInProgress(run))
    aside = await door.send(one, parentId=None)
    assert (await aside.next())["runId"] != run
    gate.set()
    assert said(await rest(told)) == said(await rest(aside)) == "ab"


async def finished(house: House, run: str) -> dict:
    async with asyncio.timeout(10):
        while (found := (await house.get(f"/api/chat/runs/{run}")).json())["endedAt"] is None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return found


def alike(refused: Refused, error: ProsaError) -> None:
    """Each door has its own form around the same words."""
    told = {key: value for key, value in refused.told.items() if key not in ("success", "type", "retryable")}
    wanted = {key: value for key, value in refusal(error).items() if key != "success"}
    assert told == wanted
