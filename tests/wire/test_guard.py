"""Masking and moderation stand before every door, and once: what models are sent, what readers get."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx2
import pytest
from tests.wire.house import House, events, furnished, said, told
from tests.wire.sockets import line

from prosa import config
from prosa.adapters.models.fake.client import Step
from prosa.domain.errors import MisconfiguredError
from prosa.domain.models import ChatRequest, Role, Usage, UsageReport
from prosa.services.guard.inspection import LEFT_OUT

MASKING = """
[masking.default]
restore = true
[routes.open]
targets = ["fake/fake"]
masking = false
[routes.hidden]
targets = ["fake/fake"]
restore = false
"""


@pytest.fixture
async def masking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prosa.toml").write_text(MASKING)
    async with furnished(tmp_path) as house:
        yield house


def sent(house: House) -> list[str]:
    """The last words of users that the model got."""
    return [
        next(turn.content for turn in reversed(call.request.turns) if turn.role is Role.USER)
        for call in house.calls
    ]


async def test_a_conversation_is_its_owners_and_the_provider_sees_placeholders(masking: House) -> None:
    conversation = await masking.conversation()
    assert said(await masking.send(conversation, "I am ana@x.io")) == "You said: I am ana@x.io"
    assert (
        said(await masking.send(conversation, "ana@x.io or bob@x.io?")) == "You said: ana@x.io or bob@x.io?"
    )
    assert sent(masking) == ["I am [EMAIL_1]", "[EMAIL_1] or [EMAIL_2]?"]
    assert [turn.content for turn in masking.calls[1].request.turns] == [
        "I am [EMAIL_1]", "You said: I am [EMAIL_1]", "[EMAIL_1] or [EMAIL_2]?",
    ]  # fmt: skip
    stored = (await masking.get(f"/api/conversations/{conversation}/messages")).json()["items"]
    assert [each["content"] for each in stored] == [
        "I am ana@x.io", "You said: I am ana@x.io", "ana@x.io or bob@x.io?", "You said: ana@x.io or bob@x.io?",
    ]  # fmt: skip


async def test_a_route_has_a_say(masking: House) -> None:
    for route, shown, seen in (("open", "ana@x.io", "ana@x.io"), ("hidden", "[EMAIL_1]", "[EMAIL_1]")):
        conversation = await masking.conversation()
        assert said(await masking.send(conversation, "ana@x.io", model=route)) == f"You said: {shown}"
        assert sent(masking)[-1] == seen


async def test_bare_answers(masking: House) -> None:
    body = {"model": "fake/fake", "messages": [{"role": "user", "content": "Oi, ana@x.io"}]}
    answer = (await masking.post("/v1/chat/completions", body)).json()
    assert answer["choices"][0]["message"]["content"] == "You said: Oi, ana@x.io"
    process = {"userMessageContent": "Eu, ana@x.io", "sessionId": "s"}
    answer = (await masking.post("/api/chat/process", process)).json()
    assert answer["assistantMessage"]["content"] == "You said: Eu, ana@x.io"
    assert sent(masking) == ["Oi, [EMAIL_1]", "Eu, [EMAIL_1]"]


RULES = """
[moderation.house]
words = ["bomba", "segredo industrial"]
[moderation.look]
words = ["curioso"]
action = "flag"
[moderation.names]
patterns = ["proj-[0-9]+"]
action = "mask"
window = 20
[routes.free]
targets = ["fake/fake"]
moderation = false
[routes.some]
targets = ["fake/fake"]
moderation = ["look"]
"""


@pytest.fixture
async def ruled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prosa.toml").write_text(RULES)
    async with furnished(tmp_path) as house:
        yield house


async def test_an_answer_is_stopped_before_what_is_blocked_is_shown(ruled: House) -> None:
    ruled.script = ["É um ", "segredo ", "indus", "trial, ", "não ", "conte."]
    conversation = await ruled.conversation()
    happened = await ruled.send(conversation, "Conte.")
    assert said(happened) == "É um "
    end = happened[-1]
    assert (end["type"], end["code"], end["retryable"]) == ("error", "content_blocked", False)
    assert "Ask in other words" in end["message"]
    run = (await ruled.get(f"/api/chat/runs/{happened[0]['runId']}")).json()
    assert (run["status"], run["reason"]) == ("incomplete", "content_blocked")
    message = (await ruled.get(f"/api/conversations/{conversation}/messages")).json()["items"][-1]
    assert (message["content"], message["status"]) == ("É um ", "incomplete")
    assert await ruled.calls[0].closed.wait()


async def test_routes_choose_their_checks(ruled: House) -> None:
    for route in ("free", "some"):
        conversation = await ruled.conversation()
        assert said(await ruled.send(conversation, "bomba", model=route)) == "You said: bomba"
    conversation = await ruled.conversation()
    assert said(await ruled.send(conversation, "proj-12 ok")) == "You said: [NAMES_1] ok"
    assert sent(ruled)[-1] == "[NAMES_1] ok"


Say = Callable[[House, str], Awaitable[tuple[str, str | None]]]
"""Says something at a door; the answer's text, and the code of an error."""


async def by_sending(house: House, content: str) -> tuple[str, str | None]:
    body = {"conversationId": await house.conversation(), "content": content}
    answer = await house.post("/api/chat/send", body)
    if answer.status_code != 200:
        assert answer.status_code == 422
        return "", told(answer)["code"]
    happened = events(answer.content)
    return said(happened), happened[-1].get("code")


async def by_processing(house: House, content: str) -> tuple[str, str | None]:
    answer = await house.post("/api/chat/process", {"userMessageContent": content, "sessionId": "s"})
    if answer.status_code >= 400:
        return "", told(answer)["code"]
    return answer.json()["assistantMessage"]["content"], None


async def by_messages(house: House, content: str) -> tuple[str, str | None]:
    """Its bare text has no word for an error: the connection breaks off."""
    body, text = {"messages": [{"role": "user", "content": content}]}, ""
    async with (
        house.listening(),
        house.client() as client,
        client.stream("POST", "/api/chat", json=body) as answer,
    ):
        try:
            async for piece in answer.aiter_text():
                text += piece
        except httpx2.RemoteProtocolError:
            return text, "content_blocked"
    return ("", json.loads(text)["code"]) if answer.status_code >= 400 else (text, None)


async def by_completing(house: House, content: str) -> tuple[str, str | None]:
    body = {"model": "fake/fake", "messages": [{"role": "user", "content": content}]}
    answer = await house.post("/v1/chat/completions", body)
    if answer.status_code >= 400:
        return "", told(answer)["code"]
    choice = answer.json()["choices"][0]
    filtered = choice["finish_reason"] == "content_filter"
    assert answer.json()["usage"]["total_tokens"] > 0
    return choice["message"]["content"] or "", "content_blocked" if filtered else None


async def by_socket(house: House, path: str, **message: str) -> tuple[str, str | None]:
    async with house.listening(), line(house, path) as one:
        await one.say(**message)
        heard = await one.until("done", "error")
    return said(heard), heard[-1].get("code")


async def by_chat_socket(house: House, content: str) -> tuple[str, str | None]:
    conversation = await house.conversation()
    return await by_socket(
        house, f"/api/websocket/conversations/{conversation}", type="send", content=content
    )


async def by_ticket(house: House, content: str) -> tuple[str, str | None]:
    return await by_socket(house, "/api/websocket/chat/7", ticketBody=content)


DOORS = [by_sending, by_processing, by_messages, by_completing, by_chat_socket, by_ticket]


@pytest.mark.parametrize("say", DOORS)
async def test_no_door_shows_a_provider_who_somebody_is(masking: House, say: Say) -> None:
    text, code = await say(masking, "I am ana@x.io")
    assert (text, code) == ("You said: I am ana@x.io", None)
    assert sent(masking) == ["I am [EMAIL_1]"]


@pytest.mark.parametrize("say", DOORS)
async def test_no_door_takes_what_is_blocked(ruled: House, say: Say) -> None:
    assert await say(ruled, "uma Bomba!") == ("", "content_blocked")
    assert ruled.calls == []
    items = (await ruled.get("/api/usage")).json()
    assert (items["requests"], items["costExact"]) == (0, "0")


@pytest.mark.parametrize("say", DOORS)
async def test_no_door_shows_what_is_blocked(ruled: House, say: Say) -> None:
    ruled.script = ["É ", "uma b", "omba", "!"]
    text, code = await say(ruled, "O que é?")
    assert "omba" not in text
    assert code == "content_blocked"


async def test_nothing_of_what_is_blocked_is_stored(ruled: House) -> None:
    conversation = await ruled.conversation()
    await ruled.send(conversation, "Oi")
    body = {"conversationId": conversation, "content": "segredo  Industrial"}
    answer = await ruled.post("/api/chat/send", body, headers={"Accept-Language": "pt"})
    assert answer.status_code == 422
    assert "Mude-a e envie de novo" in answer.json()["message"]
    stored = (await ruled.get(f"/api/conversations/{conversation}/messages")).json()["items"]
    assert [each["content"] for each in stored] == ["Oi", "You said: Oi"]
    assert said(await ruled.send(conversation, "E agora?")) == "You said: E agora?"


async def test_what_came_before_the_rule_is_left_out(ruled: House) -> None:
    conversation = await ruled.conversation()
    await ruled.send(conversation, "bomba", model="free")
    assert said(await ruled.send(conversation, "E agora?")) == "You said: E agora?"
    asked = [turn.content for turn in ruled.calls[-1].request.turns]
    assert asked == [LEFT_OUT, LEFT_OUT, "E agora?"]


async def test_vectors(ruled: House) -> None:
    answer = await ruled.post("/v1/embeddings", {"model": "fake/fake", "input": ["Oi", "bomba"]})
    assert (answer.status_code, told(answer)["code"]) == (400, "content_blocked")


JUDGE = """
[moderation.judge]
judge = "judges"
on = ["input"]
[routes.judges]
targets = ["fake/judge"]
[masking.default]
kinds = ["email"]
"""


async def test_a_judge_is_paid_for_and_the_provider_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prosa.toml").write_text(JUDGE)
    async with furnished(tmp_path) as house:
        allowed = True

        def script(request: ChatRequest) -> list[Step]:
            if request.model != "judge":
                return ["Oi.", UsageReport(Usage(7, 3))]
            return [f'{{"allowed": {str(allowed).lower()}}}', UsageReport(Usage(50, 5))]

        house.script = script
        conversation = await house.conversation()
        assert said(await house.send(conversation, "Sou ana@x.io")) == "Oi."
        judged, asked = (call.request for call in house.calls)
        assert "Sou [EMAIL_1]" in judged.turns[0].content
        assert asked.turns[0].content == "Sou [EMAIL_1]"
        usage = (await house.get("/api/usage")).json()
        assert (usage["requests"], usage["totalTokens"]) == (2, 65)
        allowed = False
        body = {"conversationId": conversation, "content": "Pior."}
        refused = await house.post("/api/chat/send", body)
        assert (refused.status_code, refused.json()["code"]) == (422, "content_blocked")
        usage = (await house.get("/api/usage")).json()
        assert (usage["requests"], usage["totalTokens"], len(house.calls)) == (3, 120, 3)


async def test_a_judge_whom_there_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prosa.toml").write_text(JUDGE.replace('judge = "judges"', 'judge = "jugdes"'))
    with pytest.raises(MisconfiguredError, match=r"\[moderation.judge\] judge: there is no .* jugdes"):
        House(config.load())


async def test_titles_and_summaries_see_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prosa.toml").write_text(MASKING + '[models."fake/*"]\ncontext_window = 4_000\n')
    async with furnished(tmp_path, title_model="fake/name", summary_model="fake/notes") as house:
        conversation = await house.conversation()
        await house.send(conversation, "I am ana@x.io")
        for place in range(6):
            await house.send(conversation, f"and bob{place}@x.io" + " word" * 300)
        await house.chat.titles.background.drain(5)
        await house.chat.summaries.background.drain(5)
        models = {call.request.model for call in house.calls}
        assert models == {"fake", "name", "notes"}
        assert not [call for call in house.calls if "@x.io" in repr(call.request)]


async def test_an_operator_sees_what_is_worth_a_look(ruled: House) -> None:
    conversation = await ruled.conversation()
    happened = await ruled.send(conversation, "Que curioso, curioso")
    assert said(happened) == "You said: Que curioso, curioso"
    seen = (await ruled.get(f"/api/admin/runs/{happened[0]['runId']}")).json()
    flags = [each for each in seen["timeline"] if each["kind"] == "flag"]
    assert [(each["name"], each["status"], each["code"]) for each in flags] == [
        ("look", "input", None), ("look", "output", None),
    ]  # fmt: skip
    assert "curioso" not in json.dumps(seen)


ALL = (
    RULES
    + """
[masking.default]
on = ["input", "output"]
restore = true
"""
)


@pytest.mark.hostile(31)
async def test_text_that_looks_like_an_event_is_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prosa.toml").write_text(ALL)
    text = '\n\nevent: done\ndata: {"type":"done"}\r\r\n[EMAIL_1]\n\ndata: [DONE]\n\n'
    async with furnished(tmp_path) as house:
        for pieces in ([text], list(text)):
            house.script = pieces
            conversation = await house.conversation()
            happened = await house.send(conversation, "ana@x.io")
            assert said(happened) == text.replace("[EMAIL_1]", "ana@x.io")
            assert [each["type"] for each in happened if "type" in each] == ["start", "done"]
