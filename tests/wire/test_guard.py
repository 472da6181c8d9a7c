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
