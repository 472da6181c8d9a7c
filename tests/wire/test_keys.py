"""`clientMessageId` and `Idempotency-Key`: the same request twice is one run."""

import asyncio
from typing import Any

import pytest
from tests.wire.house import House, events, refused, said

from prosa.domain import errors as e


@pytest.mark.hostile(60)
@pytest.mark.parametrize("where", ["body", "header"])
async def test_twenty_equal_requests_are_one_run(listening: House, where: str) -> None:
    listening.script = ["um ", "dois ", 0.05, "três"]
    one = await listening.conversation()
    body = {"conversationId": one, "content": "x"} | ({"clientMessageId": "k"} if where == "body" else {})
    headers = {"Idempotency-Key": "k"} if where == "header" else {}
    answers = await asyncio.gather(
        *(listening.post("/api/chat/send", body, headers=headers) for _ in range(20))
    )
    assert {answer.status_code for answer in answers} == {200}
    (content,) = {answer.content for answer in answers}
    assert said(events(content)) == "um dois três"
    assert len(listening.calls) == 1
    late = await listening.post("/api/chat/send", body, headers=headers)
    assert late.content == content
    assert len((await listening.get(f"/api/conversations/{one}/messages")).json()["items"]) == 2


@pytest.mark.hostile(60)
@pytest.mark.parametrize(
    "other",
    [{"content": "y"}, {"model": "m"}, {"temperature": 1.0}, {"parentId": None}, {"accepts": ["reset"]}],
)
async def test_the_same_key_with_another_body(local: House, other: dict[str, Any]) -> None:
    one = await local.conversation()
    body = {"conversationId": one, "content": "x", "clientMessageId": "k"}
    assert (await local.post("/api/chat/send", body)).status_code == 200
    refused(await local.post("/api/chat/send", body | other), 422, e.IdempotencyMismatch())
    assert len(local.calls) == 1


async def test_a_failed_run_is_told_again_and_not_tried_again(local: House) -> None:
    local.script = [e.ProviderTimeout("fake")]
    one = await local.conversation()
    body = {"conversationId": one, "content": "x", "clientMessageId": "k"}
    first, again = [await local.post("/api/chat/send", body) for _ in range(2)]
    assert first.content == again.content
    assert len(local.calls) == 1


async def test_keys_are_their_users_own(guarded: House) -> None:
    for user in ("ana", "bia"):
        one = await guarded.conversation(user)
        assert said(await guarded.send(one, user, user=user, clientMessageId="k")) == f"You said: {user}"
    assert len(guarded.calls) == 2


@pytest.mark.parametrize("key", ["", "k" * 256])
async def test_keys_have_a_length(local: House, key: str) -> None:
    one = await local.conversation()
    body = {"conversationId": one, "content": "x"}
    answer = await local.post("/api/chat/send", body, headers={"Idempotency-Key": key})
    refused(answer, 400, e.InvalidRequest("Idempotency-Key must have 1 to 255 characters of ASCII."))
    assert (await local.post("/api/chat/send", body | {"clientMessageId": key})).status_code == 400


async def test_a_whole_answer_by_key(local: House) -> None:
    body = {"sessionId": "s", "userMessageContent": "x"}
    headers = {"Idempotency-Key": "k"}
    answers = await asyncio.gather(
        *(local.post("/api/chat/process", body, headers=headers) for _ in range(5))
    )
    (content,) = {answer.content for answer in answers}
    assert answers[0].status_code == 200
    assert b"You said: x" in content
    assert len(local.calls) == 1
    other = await local.post("/api/chat/process", body | {"userMessageContent": "y"}, headers=headers)
    refused(other, 422, e.IdempotencyMismatch())


async def test_bare_text_by_key_makes_one_conversation(local: House) -> None:
    body = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"},
                         {"role": "user", "content": "c"}]}  # fmt: skip
    headers = {"Idempotency-Key": "k"}
    answers = await asyncio.gather(*(local.post("/api/chat", body, headers=headers) for _ in range(5)))
    assert {answer.text for answer in answers} == {"You said: c"}
    (named,) = {answer.headers["x-conversation-id"] for answer in answers}
    (only,) = (await local.get("/api/conversations")).json()["items"]
    assert only["id"] == named
    refused(await local.post("/api/chat", {"messages": [{"role": "user", "content": "z"}]}, headers=headers), 422,
            e.IdempotencyMismatch())  # fmt: skip
    assert len((await local.get("/api/conversations")).json()["items"]) == 1
