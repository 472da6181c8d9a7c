"""`/api/conversations/{id}/events`: what happens in a conversation, told to all who watch it."""

import asyncio
import contextlib
import json
import random
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.counts import counts
from tests.wire.house import LIMIT, NOBODY, SECRET, House, Stream, furnished, refused

from prosa.domain import errors as e
from prosa.domain.principal import LOCAL
from prosa.services import feed
from prosa.transport import sse


@contextlib.asynccontextmanager
async def watching(house: House, conversation: str, user: str | None = None) -> AsyncIterator[Stream]:
    path = f"/api/conversations/{conversation}/events"
    async with house.client(user) as client, client.stream("GET", path) as response:
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        yield Stream(response)


async def shown(house: House, conversation: str) -> dict[str, Any]:
    return {
        "type": "conversation",
        "conversation": (await house.get(f"/api/conversations/{conversation}")).json(),
    }


async def test_first_the_state_then_each_change(listening: House) -> None:
    one = await listening.conversation(title="Antes")
    other = await listening.conversation()
    path = f"/api/conversations/{one}"
    async with watching(listening, one) as told:
        assert await told.next() == await shown(listening, one)
        start = (await listening.send(one))[0]
        run = {"type": "run"} | {name: start[name] for name in ("runId", "userMessageId", "messageId")}
        assert await told.next() == run
        after = await told.next()
        assert after == await shown(listening, one)
        assert after["conversation"]["headId"] == start["messageId"]
        await listening.send(other)
        await listening.call("PATCH", path, {"title": "Depois"})
        assert (await told.next())["conversation"]["title"] == "Depois"
        await listening.call("PATCH", f"{path}/messages/{start['userMessageId']}", {"content": "y"})
        assert await told.next() == {"type": "messages"}
        assert await told.next() == await shown(listening, one)
        await listening.call("DELETE", f"{path}/messages/{start['userMessageId']}")
        assert await told.next() == {"type": "messages"}
        assert (await told.next())["conversation"]["headId"] is None
        await listening.call("DELETE", path)
        assert await told.next() == {"type": "deleted"}
        with pytest.raises(EOFError):
            await told.next()
    assert listening.chat.feed._watchers == {}


async def test_another_reader_sees_a_switch_of_branches_at_once(listening: House) -> None:
    one = await listening.conversation()
    first = (await listening.send(one))[0]
    second = (await listening.send(one, None, regenerate=first["messageId"]))[0]
    async with watching(listening, one) as left, watching(listening, one) as right:
        assert (await left.next())["conversation"]["headId"] == second["messageId"]
        await right.next()
        await listening.call("PATCH", f"/api/conversations/{one}", {"headId": first["messageId"]})
        async with asyncio.timeout(1):
            for told in (left, right):
                assert (await told.next())["conversation"]["headId"] == first["messageId"]


async def test_runs_that_go_on_are_told_of_at_first(listening: House) -> None:
    gate = asyncio.Event()
    listening.script = ["a", gate, "b"]
    one = await listening.conversation()
    async with listening.streaming({"conversationId": one, "content": "x"}) as stream:
        start = await stream.next()
        async with watching(listening, one) as told:
            assert (await told.next())["type"] == "conversation"
            assert (await told.next())["runId"] == start["runId"]
        gate.set()
        await stream.until("done")


async def test_many_changes_at_once_are_told_together(
    listening: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "PAUSE", 0.5)
    one = await listening.conversation()
    async with watching(listening, one) as told:
        await told.next()
        for number in range(30):
            await listening.chat.conversations.update(LOCAL, one, {"title": f"{number}"})
        seen = [await told.next()]
        while seen[-1]["conversation"]["title"] != "29":
            seen.append(await told.next())
    assert len(seen) <= 3


async def test_in_the_end_all_have_seen_the_same(listening: House) -> None:
    """Whatever happens at once: the last that each is told is how it is."""
    rounds = counts(30, 3)
    one = await listening.conversation()
    first = (await listening.send(one))[0]
    path = f"/api/conversations/{one}"

    async def change(number: int) -> None:
        match random.randrange(4):
            case 0:
                await listening.call("PATCH", path, {"title": f"{number}"})
            case 1:
                await listening.call("PATCH", path, {"headId": first["messageId"]})
            case 2:
                await listening.post(f"{path}/messages", {"role": "user", "content": "x"})
            case _:
                await listening.send(one, parentId=None)

    async def last(told: Stream) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        while seen.get("title") != "the end":
            event = await told.next()
            seen = event.get("conversation", seen)
        return seen

    async with watching(listening, one) as left, watching(listening, one) as right:
        watchers = [asyncio.create_task(last(told)) for told in (left, right)]
        for _ in range(rounds):
            await asyncio.gather(*(change(number) for number in range(10)))
        await listening.call("PATCH", path, {"title": "the end"})
        there = (await listening.get(path)).json()
        assert await asyncio.gather(*watchers) == [there, there]


async def test_who_is_told_of_too_many_runs_looks_which_ones_go_on(listening: House) -> None:
    one = await listening.conversation()
    with listening.chat.feed.watching(LOCAL, one) as watch:
        assert (await watch.news()).whole
        for _ in range(feed.MOST_BEGUN + 1):
            watch.began(NOBODY)
        news = await watch.news()
        assert (news.whole, news.messages, news.runs) == (True, True, [])
        assert watch._begun == []


async def test_a_gap_in_hearing_is_a_look_at_the_whole(listening: House) -> None:
    gate = asyncio.Event()
    listening.script = ["a", gate]
    one = await listening.conversation()
    async with watching(listening, one) as told, listening.streaming(
        {"conversationId": one, "content": "x"}
    ) as stream:  # fmt: skip
        await told.until("run")
        await told.until("conversation")
        listening.chat._heard("lost", ())
        start = await stream.next()
        assert (await told.next())["runId"] == start["runId"]
        assert await told.next() == {"type": "messages"}
        gate.set()
        await stream.until("done")


@pytest.mark.hostile(59)
async def test_a_store_that_is_away_for_a_while(listening: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "AGAIN", 0.05)
    one = await listening.conversation()
    async with watching(listening, one) as told:
        await told.next()
        readers, listening.chat.store._readers = listening.chat.store._readers, None
        listening.chat.feed.heard("messages", [one])
        await asyncio.sleep(0.2)
        listening.chat.store._readers = readers
        assert await told.next() == {"type": "messages"}


async def test_silence_has_pings(listening: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "SILENCE", 0.05)
    one = await listening.conversation()
    path = f"/api/conversations/{one}/events"
    async with listening.client() as client, client.stream("GET", path) as response, asyncio.timeout(LIMIT):
        lines = response.aiter_lines()
        seen = [await anext(lines) for _ in range(6)]
    assert json.loads(seen[0].removeprefix("data: "))["type"] == "conversation"
    assert seen[1:] == ["", ": ping", "", ": ping", ""]


@pytest.mark.hostile(14)
async def test_nobody_watches_what_is_not_his(tmp_path) -> None:
    async with furnished(tmp_path, jwt_secret=SECRET) as house, house.listening():
        one = await house.conversation("ana", title="segredo")
        for name in (one, NOBODY, "nope"):
            answer = await house.get(f"/api/conversations/{name}/events", user="bia")
            refused(answer, 404, e.ConversationNotFound())
        assert (await house.get(f"/api/conversations/{one}/events")).status_code == 401
        async with watching(house, one, "ana") as told:
            assert (await told.next())["conversation"]["title"] == "segredo"


@pytest.mark.hostile(9)
async def test_a_token_that_expires_ends_the_stream(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "SILENCE", 0.1)
    async with furnished(tmp_path, jwt_secret=SECRET) as house, house.listening():
        one = await house.conversation("ana")
        headers = {"Authorization": f"Bearer {house.token('ana', exp=time.time() + 3)}"}
        path = f"/api/conversations/{one}/events"
        async with house.client(**headers) as client, client.stream("GET", path) as response:
            told = Stream(response)
            assert (await told.next())["type"] == "conversation"
            with pytest.raises(EOFError):
                await told.next()
        assert (await house.get(path, headers=headers)).status_code == 401


async def test_without_watchers_nothing_is_read(local: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def look(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(feed.Watch, "_look", look)
    one = await local.conversation()
    await local.send(one)
    assert local.chat.feed._watchers == {}
