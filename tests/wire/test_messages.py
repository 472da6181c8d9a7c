"""`/api/conversations/{id}/messages`: the branch that is shown, its pages, and messages without a run."""

import asyncio
from typing import Any

import pytest
from tests.wire.house import NOBODY, House, refused

from prosa.domain import errors as e
from prosa.domain.conversations import MessageHasReplies


def path_of(conversation: str, message: str = "") -> str:
    return f"/api/conversations/{conversation}/messages" + (f"/{message}" if message else "")


async def add(house: House, conversation: str, content: str, **fields: Any) -> dict[str, Any]:
    answer = await house.post(path_of(conversation), {"role": "user", "content": content, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def listed(house: House, conversation: str, **query: Any) -> list[str]:
    answer = await house.get(path_of(conversation), params=query)
    assert answer.status_code == 200, answer.text
    return [item["content"] for item in answer.json()["items"]]


async def test_question_and_answer_as_they_are_shown(local: House) -> None:
    one = await local.conversation()
    happened = await local.send(one, "Oi")
    question, answer = (await local.get(path_of(one))).json()["items"]
    start, end = happened[0], happened[-1]
    run = (await local.get(f"/api/chat/runs/{start['runId']}")).json()
    assert question == {
        "id": start["userMessageId"], "role": "user", "content": "Oi", "parts": [{"type": "text", "text": "Oi"}],
        "status": "completed", "parentId": None, "siblings": [start["userMessageId"]], "runId": None,
        "userId": "local", "provider": None, "model": None, "createdAt": question["createdAt"],
        "feedback": None, "kind": "message", "tokens": None, "cachedAt": None,
    }  # fmt: skip
    assert answer == {
        "id": start["messageId"], "role": "assistant", "content": "You said: Oi",
        "parts": [{"type": "text", "text": "You said: Oi"}], "status": "completed",
        "parentId": start["userMessageId"], "siblings": [start["messageId"]], "runId": start["runId"],
        "userId": None, "provider": "fake", "model": "fake", "createdAt": answer["createdAt"],
        "feedback": None, "kind": "message", "tokens": end["usage"]["completionTokens"],
        "cachedAt": None,
    }  # fmt: skip
    assert run == {
        "id": start["runId"], "conversationId": one, "userMessageId": start["userMessageId"],
        "messageId": start["messageId"], "status": "completed", "reason": "stop", "provider": "fake", "model": "fake",
        "usage": end["usage"], "cost": "0", "error": None, "createdAt": run["createdAt"], "endedAt": run["endedAt"],
        "route": None, "requiredAction": None, "context": {
            "messageIds": [start["userMessageId"]], "tokens": run["context"]["tokens"], "estimated": True,
            "leftOut": 0, "summaryId": None,
        },
    }  # fmt: skip


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6])
async def test_pages_hold_the_branch_without_gap_or_repeat(local: House, order: str, limit: int) -> None:
    one = await local.conversation()
    for number in range(5):
        await add(local, one, str(number))
    found: list[str] = []
    query: dict[str, Any] = {"limit": limit, "order": order}
    for _ in range(6):
        page = (await local.get(path_of(one), params=query)).json()
        found += [item["content"] for item in page["items"]]
        if page["nextCursor"] is None:
            break
        assert len(page["items"]) == limit
        query["cursor"] = page["nextCursor"]
    assert found == (["0", "1", "2", "3", "4"] if order == "asc" else ["4", "3", "2", "1", "0"])


async def test_a_cursor_whose_message_is_gone_says_so(local: House) -> None:
    one = await local.conversation()
    made = [await add(local, one, str(number)) for number in range(3)]
    cursor = (await local.get(path_of(one), params={"limit": 2})).json()["nextCursor"]
    await local.call("DELETE", path_of(one, made[1]["id"]))
    answer = await local.get(path_of(one), params={"cursor": cursor})
    refused(answer, 400, e.InvalidRequest("cursor is no longer in this branch. Start from the first page."))


async def test_where_a_new_message_hangs(local: House) -> None:
    one = await local.conversation()
    first = await add(local, one, "a")
    below_head = await add(local, one, "b")
    assert (first["parentId"], below_head["parentId"]) == (None, first["id"])
    beside = await add(local, one, "c", parentId=first["id"].upper())
    assert beside["parentId"] == first["id"]
    assert beside["siblings"] == [below_head["id"], beside["id"]]
    anew = await add(local, one, "d", parentId=None)
    assert (anew["parentId"], anew["siblings"]) == (None, [first["id"], anew["id"]])
    assert await listed(local, one) == ["d"]
    assert await listed(local, one, head=below_head["id"]) == ["a", "b"]
    assert await listed(local, one, head=beside["id"].replace("-", "")) == ["a", "c"]
    assert (await local.get(path_of(one, below_head["id"]))).json()["siblings"] == beside["siblings"]


async def test_heads_and_parents_that_are_not_there(local: House) -> None:
    one, other = await local.conversation(), await local.conversation()
    foreign = (await add(local, other, "x"))["id"]
    for head in (foreign, NOBODY, "nope", "\0", "' OR 1=1"):
        refused(await local.get(path_of(one), params={"head": head}), 404, e.MessageNotFound())
    for parent in (foreign, NOBODY):
        answer = await local.post(path_of(one), {"role": "user", "content": "x", "parentId": parent})
        refused(answer, 404, e.MessageNotFound())


@pytest.mark.hostile(12)
async def test_a_message_of_another_conversation_does_not_exist_here(local: House) -> None:
    one, other = await local.conversation(), await local.conversation()
    foreign = (await add(local, other, "x"))["id"]
    for method, body in (("GET", None), ("PATCH", {"content": "y"}), ("DELETE", None)):
        for message in (foreign, NOBODY, "nope"):
            refused(await local.call(method, path_of(one, message), body), 404, e.MessageNotFound())
    answer = await local.post("/api/chat/send", {"conversationId": one, "regenerate": foreign})
    refused(answer, 404, e.MessageNotFound())
    answer = await local.post("/api/chat/send", {"conversationId": one, "content": "x", "parentId": foreign})
    refused(answer, 404, e.MessageNotFound())
    assert await listed(local, other) == ["x"]


async def test_the_assistants_messages_can_be_stored_too(local: House) -> None:
    one = await local.conversation()
    await add(local, one, "pergunta")
    told = await add(local, one, "resposta", role="assistant")
    assert (told["role"], told["userId"]) == ("assistant", None)
    await local.send(one, "e agora?")
    (call,) = local.calls
    assert [turn.content for turn in call.request.turns] == ["pergunta", "resposta", "e agora?"]


async def test_a_text_is_replaced(local: House) -> None:
    one = await local.conversation()
    made = await add(local, one, "a")
    changed = (await local.call("PATCH", path_of(one, made["id"]), {"content": "b"})).json()
    assert changed == made | {"content": "b", "parts": [{"type": "text", "text": "b"}]}
    assert await listed(local, one) == ["b"]


async def test_a_deleted_message_takes_what_follows(local: House) -> None:
    one = await local.conversation()
    a, b, c = [await add(local, one, text) for text in "abc"]
    await add(local, one, "d", parentId=a["id"])
    await local.call("PATCH", f"/api/conversations/{one}", {"headId": c["id"]})
    assert (await local.call("DELETE", path_of(one, b["id"]))).status_code == 204
    refused(await local.get(path_of(one, c["id"])), 404, e.MessageNotFound())
    assert await listed(local, one) == ["a", "d"]
    assert (await local.call("DELETE", path_of(one, a["id"]))).status_code == 204
    assert await listed(local, one) == []
    assert (await local.get(f"/api/conversations/{one}")).json()["headId"] is None


async def test_a_message_with_replies_is_deleted_only_with_them(local: House) -> None:
    one = await local.conversation()
    a, b = [await add(local, one, text) for text in "ab"]
    query = {"subtree": "false"}
    refused(await local.call("DELETE", path_of(one, a["id"]), params=query), 409, MessageHasReplies())
    assert await listed(local, one) == ["a", "b"]
    for each in (b, a):
        assert (await local.call("DELETE", path_of(one, each["id"]), params=query)).status_code == 204
    assert await listed(local, one) == []


async def test_a_cleared_conversation_begins_anew(local: House) -> None:
    one = await local.conversation(title="T")
    start = (await local.send(one, "a"))[0]
    await local.send(one, "b", parentId=None)
    answer = await local.call("DELETE", path_of(one))
    assert (answer.status_code, answer.content) == (204, b"")
    refused(await local.get(path_of(one, start["messageId"])), 404, e.MessageNotFound())
    refused(await local.get(f"/api/chat/runs/{start['runId']}"), 404, e.RunNotFound())
    left = (await local.get(f"/api/conversations/{one}")).json()
    assert (left["headId"], left["title"]) == (None, "T")
    await local.send(one, "c")
    assert await listed(local, one) == ["c", "You said: c"]


async def test_clearing_stops_what_is_being_written(listening: House) -> None:
    listening.script = ["one", asyncio.Event()]
    one = await listening.conversation()
    async with listening.streaming({"conversationId": one, "content": "x"}) as stream:
        await stream.until(None)
        assert (await listening.call("DELETE", path_of(one))).status_code == 204
        end = await stream.until("done")
    assert end["status"] == "cancelled"
    (call,) = listening.calls
    await asyncio.wait_for(call.closed.wait(), 5)
    assert await listed(listening, one) == []


async def test_a_closed_conversation_takes_no_message(local: House) -> None:
    one = await local.conversation()
    await local.call("PATCH", f"/api/conversations/{one}", {"status": "closed"})
    refused(await local.post(path_of(one), {"role": "user", "content": "x"}), 409, e.ConversationClosed())
    await local.call("PATCH", f"/api/conversations/{one}", {"status": "open"})
    await add(local, one, "x")


async def test_what_is_being_written_stays_as_it_is(listening: House) -> None:
    gate = asyncio.Event()
    listening.script = ["one", gate]
    one = await listening.conversation()
    async with listening.streaming({"conversationId": one, "content": "x"}) as stream:
        start = await stream.next()
        busy = e.RunInProgress(start["runId"])
        answer, question = start["messageId"], start["userMessageId"]
        refused(await listening.post(path_of(one), {"role": "user", "content": "y"}), 409, busy)
        refused(await listening.call("PATCH", path_of(one, answer), {"content": "y"}), 409, busy)
        refused(await listening.call("DELETE", path_of(one, answer)), 409, busy)
        refused(await listening.call("DELETE", path_of(one, question)), 409, busy)
        shown = (await listening.get(path_of(one, answer))).json()
        assert shown["status"] == "in_progress"
        gate.set()
        await stream.until("done")


@pytest.mark.hostile(25)
@pytest.mark.parametrize(
    "text",
    [
        "a\u200bb",
        "\u202eabc\u202c",
        "👩‍👩‍👧‍👦",
        "é",
        "\ufffe",
        "\x01\x1f\x7f",
        "\r\n",
        "\u00a0",
        "\U0001d54f",
        "\ufeff",
    ],
)
async def test_odd_characters_stay_as_they_are(local: House, text: str) -> None:
    one = await local.conversation()
    made = await add(local, one, text)
    assert made["content"] == text
    assert await listed(local, one) == [text]
    happened = await local.send(one, text)
    assert "".join(event.get("content", "") for event in happened) == f"You said: {text}"


@pytest.mark.hostile(25)
@pytest.mark.parametrize(
    "raw",
    [
        rb'"\ud800"',
        rb'"a\udc00"',
        rb'"\udc00\ud800"',
        b'"\xed\xa0\x80"',
        b'"\xff"',
        rb'"a\u0000"',
        b'"a\x00"',
        b'"a\n"',
    ],
)
async def test_text_that_is_none_is_refused(local: House, raw: bytes) -> None:
    one = await local.conversation()
    for path, body in (
        (path_of(one), b'{"role":"user","content":%b}' % raw),
        ("/api/chat/send", b'{"conversationId":"%b","content":%b}' % (one.encode(), raw)),
        ("/api/conversations", b'{"title":%b}' % raw),
        ("/api/conversations", b'{"metadata":{"a":%b}}' % raw),
        ("/api/chat/process", b'{"sessionId":"s","userMessageContent":%b}' % raw),
        ("/api/chat", b'{"messages":[{"role":"user","content":%b}]}' % raw),
    ):
        answer = await local.post(path, content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request"), path
    assert await listed(local, one) == []
