"""Kept answers on the wire: what readers are told, what is billed, how a new one is asked for."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.wire.house import SECRET, House, furnished, said
from tests.wire.sockets import line

ROUTES = """
[routes.help]
targets = ["fake/fake"]
cache = {seconds = 60}
[routes.faq]
targets = ["fake/fake"]
cache = {scope = "public", semantic = "fake/letters", likeness = 0.97}
"""


@pytest.fixture
async def keeping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prosa.toml").write_text(ROUTES)
    async with furnished(tmp_path, jwt_secret=SECRET, max_tokens_per_day=100_000) as house:
        yield house


@pytest.mark.hostile(65)
async def test_the_same_question_costs_once(keeping: House) -> None:
    first, other = await keeping.conversation("ana"), await keeping.conversation("ana")
    asked = {"user": "ana", "model": "help"}
    done = (await keeping.send(first, "Where is it?", **asked))[-1]
    assert "cached" not in done
    happened = await keeping.send(other, "Where is  it?", **asked)
    assert said(happened) == "You said: Where is it?"
    kept = happened[-1]
    assert (kept["cached"], kept["cost"], kept["usage"]["totalTokens"]) == (True, "0", 0)
    assert kept["cachedAt"] > "2026"
    messages = (await keeping.get(f"/api/conversations/{other}/messages", user="ana")).json()["items"]
    assert [each["cachedAt"] for each in messages] == [None, kept["cachedAt"]]
    assert len(keeping.calls) == 1
    used = (await keeping.get("/api/usage", user="ana")).json()
    assert used["totalTokens"] == done["usage"]["totalTokens"]


async def test_a_new_answer_can_be_asked_for(keeping: House) -> None:
    conversation = await keeping.conversation("ana")
    asked = {"user": "ana", "model": "help", "parentId": None}
    done = (await keeping.send(conversation, "Where?", **asked))[-1]
    assert (await keeping.send(conversation, "Where?", **asked))[-1]["cached"]
    assert "cached" not in (await keeping.send(conversation, "Where?", fresh=True, **asked))[-1]
    anew = await keeping.send(conversation, None, user="ana", model="help", regenerate=done["messageId"])
    assert "cached" not in anew[-1]
    assert len(keeping.calls) == 3


async def test_whoever_wants_one_whole_answer_asks_anew_as_well(keeping: House) -> None:
    async def ask(**more: bool) -> bool:
        body = {"userMessageContent": "Where?", "model": "help", "chatHistory": [], **more}
        answer = await keeping.post("/api/chat/process", {"sessionId": "s", **body}, user="ana")
        return answer.json()["assistantMessage"]["cachedAt"] is not None

    assert [await ask(), await ask(), await ask(fresh=True)] == [False, True, False]


@pytest.mark.hostile(19)
async def test_it_is_shared_within_its_scope_and_ends_with_its_conversation(keeping: House) -> None:
    for route, shared in (("help", False), ("faq", True)):
        first = await keeping.conversation("ana")
        await keeping.send(first, f"Is {route} open?", user="ana", model=route)
        theirs = await keeping.conversation("bia")
        asked = {"user": "bia", "model": route, "parentId": None}
        assert (await keeping.send(theirs, f"Is {route} open?", **asked))[-1].get("cached", False) is shared
        if not shared:
            continue
        near = await keeping.send(theirs, f"Is {route} open ?", **asked)
        assert said(near) == "You said: Is faq open?"
        await keeping.call("DELETE", f"/api/conversations/{first}", user="ana")
        assert "cached" not in (await keeping.send(theirs, f"Is {route} open?", **asked))[-1]


async def test_vectors_are_billed_to_who_asks(keeping: House) -> None:
    conversation = await keeping.conversation("ana")
    done = (await keeping.send(conversation, "one two three", user="ana", model="faq"))[-1]
    models = (await keeping.get("/api/usage", user="ana")).json()["models"]
    assert {each["model"]: each["totalTokens"] for each in models} == {
        "fake": done["usage"]["totalTokens"], "letters": 3,
    }  # fmt: skip


async def test_a_question_is_one_request_and_one_run_whatever_is_looked_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prosa.toml").write_text(ROUTES)
    async with furnished(tmp_path, max_runs_at_once=1, max_requests_per_minute=3) as house:
        conversation = await house.conversation()
        asked = {"model": "faq", "parentId": None}
        await house.send(conversation, "Is faq open?", **asked)
        assert (await house.send(conversation, "Is faq open ?", **asked))[-1]["cached"]
        assert (await house.send(conversation, "Is open faq?", **asked))[-1]["cached"]


async def test_a_ticket_that_is_asked_anew_gets_a_new_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prosa.toml").write_text(ROUTES.replace("routes.help", "routes.default"))
    async with furnished(tmp_path) as house, house.listening():

        async def ask(**more: bool) -> int:
            async with line(house, "/api/websocket/chat/1") as socket:
                await socket.say(ticketBody="It is broken.", **more)
                await socket.until("done")
            return len(house.calls)

        assert [await ask(), await ask(), await ask(refresh=True)] == [1, 1, 2]
        await house.call("DELETE", "/api/tickets/1/answer")
        assert await ask() == 3


async def test_the_openai_door_keeps_answers_for_their_own_user(keeping: House) -> None:
    async def ask(user: str, model: str = "help", **headers: str) -> bool:
        body = {"model": model, "messages": [{"role": "user", "content": "Why?"}]}
        async with keeping.client(user, **headers) as client:
            answer = await client.post("/v1/chat/completions", json=body)
        assert answer.json()["choices"][0]["message"]["content"] == "You said: Why?"
        assert ("age" in answer.headers) == (answer.json()["usage"]["total_tokens"] == 0)
        return "age" in answer.headers

    assert not await ask("ana")
    assert await ask("ana")
    assert not await ask("ana", **{"Cache-Control": "no-cache"})
    assert not await ask("bia")
    assert not await ask("ana", "faq")
    assert not await ask("ana", "faq")


async def test_vectors_are_remembered_for_whom_they_were_made(tmp_path: Path) -> None:
    async with furnished(tmp_path, jwt_secret=SECRET, embeddings_kept=10) as house:

        async def ask(user: str, *texts: str) -> tuple[list[list[float]], int]:
            answer = await house.post(
                "/v1/embeddings", {"model": "fake/letters", "input": [*texts]}, user=user
            )
            told = answer.json()
            return [each["embedding"] for each in told["data"]], told["usage"]["total_tokens"]

        first = await ask("ana", "one two", "three", "one two")
        assert first[1] == 3
        assert await ask("ana", "three", "one two") == ([first[0][1], first[0][0]], 0)
        assert await ask("ana", "three", "four") == ([first[0][1], (await ask("bia", "four"))[0][0]], 1)
        assert (await ask("bia", "three"))[1] == 1
