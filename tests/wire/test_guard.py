"""Masking and moderation stand before every door, and once: what models are sent, what readers get."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.wire.house import House, furnished, said

from prosa.domain.models import Role

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
