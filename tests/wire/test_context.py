"""What a run tells of the context that it sent, over the wire."""

import asyncio

import pytest
from tests.wire.house import House

from prosa.domain.models import ChatRequest
from prosa.services.models.catalogue import Offer


def give_window(house: House, tokens: int, model: str = "fake") -> None:
    """From now on the model can take so many tokens, and bears this name."""
    house.chat.catalogue._offers["fake"] = Offer(model, house.model, window=tokens)


async def context_of(house: House, run_id: str) -> dict:
    answer = await house.get(f"/api/chat/runs/{run_id}")
    assert answer.status_code == 200
    return answer.json()["context"]


async def test_all_is_sent_while_it_fits(local: House) -> None:
    one = await local.conversation()
    starts = [(await local.send(one, text))[0] for text in ("a", "b", "c")]
    context = await context_of(local, starts[2]["runId"])
    ids = [each for start in starts for each in (start["userMessageId"], start["messageId"])]
    assert context == {
        "messageIds": ids[:-1], "tokens": context["tokens"], "estimated": True, "leftOut": 0, "summaryId": None,
    }  # fmt: skip
    assert 0 < context["tokens"] < 100
    # What is said later, on this branch or another, changes nothing of it.
    await local.send(one, "d", parentId=starts[0]["messageId"])
    assert await context_of(local, starts[2]["runId"]) == context


async def test_the_oldest_exchanges_are_left_out(local: House) -> None:
    give_window(local, 2_000)
    local.script = ["ok"]
    one = await local.conversation()
    starts = [(await local.send(one, f"{number}" * 900))[0] for number in range(6)]
    context = await context_of(local, starts[5]["runId"])
    assert context["messageIds"][0] in [start["userMessageId"] for start in starts]
    assert context["messageIds"][-1] == starts[5]["userMessageId"]
    assert context["leftOut"] + len(context["messageIds"]) == 11
    assert context["leftOut"] > 0
    sent = local.calls[-1].request.turns
    assert len(sent) == len(context["messageIds"])
    answer = await local.post("/api/chat/send", {"conversationId": one, "content": "x" * 9_000})
    told = answer.json()
    assert (answer.status_code, told["code"]) == (422, "context_too_long")
    assert f"{told['over']} tokens" in told["message"]


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-4"])
async def test_tokens_of_openais_models_are_exact(local: House, model: str) -> None:
    give_window(local, 2_000, model)
    local.script = ["ok"]
    one = await local.conversation(model=model)
    for _ in range(5):
        start = (await local.send(one, "Say it again, please. " * 50, maxTokens=100))[0]
    context = await context_of(local, start["runId"])
    assert not context["estimated"]
    assert context["tokens"] == 5 * (6 * 50 + 1 + 4) + 4 * (1 + 4) + 3
    assert len(context["messageIds"]) == 9
    items = (await local.get(f"/api/conversations/{one}/messages")).json()["items"]
    assert [each["tokens"] for each in items[:4]] == [301, 1, 301, 1]


async def test_a_history_of_the_callers(local: House) -> None:
    give_window(local, 1_000)
    history = [{"role": role, "content": text * 300} for text in "abc" for role in ("user", "assistant")]
    body = {"userMessageContent": "And now?", "sessionId": "s", "clientId": "", "chatHistory": history}
    run = (await local.post("/api/chat/process", body)).json()["run"]
    context = run["context"]
    assert context == await context_of(local, run["id"])
    assert context["messageIds"] == [run["userMessageId"]]
    assert 0 < context["leftOut"] < 6
    assert len(local.calls[-1].request.turns) == 7 - context["leftOut"]


def notes(request: ChatRequest) -> list[str]:
    return ["Notes."] if "<conversation>" in request.turns[-1].content else ["ok"]


async def summarised(house: House) -> tuple[str, list[dict]]:
    """A conversation whose first exchanges a summary tells of, and its branch."""
    give_window(house, 8_200)
    house.script = notes
    one = await house.conversation()
    for number in range(6):
        await house.send(one, f"{number} " * 1_500, maxTokens=100)
    await asyncio.wait_for(house.chat.summaries.background.drain(None), 10)
    return one, (await house.get(f"/api/conversations/{one}/messages")).json()["items"]


async def test_a_summary_is_read_changed_and_deleted(local: House) -> None:
    one, items = await summarised(local)
    assert [each["kind"] for each in items].count("summary") == 1
    place = next(at for at, each in enumerate(items) if each["kind"] == "summary")
    made, below = items[place], items[place + 1]
    assert (made["role"], made["content"], made["provider"], made["userId"], made["runId"]) == (
        "system", "Notes.", "fake", None, None,
    )  # fmt: skip
    assert (made["parentId"], made["siblings"]) == (items[place - 1]["id"], [made["id"]])
    assert (below["parentId"], below["siblings"]) == (made["id"], [below["id"]])
    path = f"/api/conversations/{one}/messages/{made['id']}"
    assert (await local.get(path)).json() == made
    start = (await local.send(one, "Go on."))[0]
    context = await context_of(local, start["runId"])
    assert (context["summaryId"], context["leftOut"]) == (made["id"], 0)
    assert context["messageIds"] == [*(each["id"] for each in items[place + 1 :]), start["userMessageId"]]
    # In the reader's own words.
    changed = await local.call("PATCH", path, {"content": "My notes."})
    assert (changed.status_code, changed.json()["kind"]) == (200, "summary")
    await local.send(one, "Go on.")
    assert local.calls[-1].request.turns[0].content.endswith("My notes.")
    # The message below it is edited: a sibling, which goes on from the summary, too.
    edited = (await local.send(one, "Edited.", parentId=below["parentId"]))[0]
    sibling = await local.get(f"/api/conversations/{one}/messages/{edited['userMessageId']}")
    assert sibling.json()["siblings"] == [below["id"], edited["userMessageId"]]
    shown = await local.call("PATCH", f"/api/conversations/{one}", {"headId": made["id"]})
    assert shown.json()["headId"] == edited["messageId"]
    # Away with it: nothing else goes.
    assert (await local.call("DELETE", path, params={"subtree": "false"})).status_code == 204
    assert (await local.get(path)).status_code == 404
    left = (await local.get(f"/api/conversations/{one}/messages", params={"limit": 200})).json()["items"]
    assert [each["id"] for each in left[:place]] == [each["id"] for each in items[:place]]
    assert left[place]["parentId"] == items[place - 1]["id"]
    assert left[place]["siblings"] == [below["id"], edited["userMessageId"]]


async def test_who_changes_what_was_summarised(local: House) -> None:
    one, items = await summarised(local)
    answer = await local.call(
        "PATCH", f"/api/conversations/{one}/messages/{items[0]['id']}", {"content": "Something else."}
    )
    assert answer.status_code == 200
    left = (await local.get(f"/api/conversations/{one}/messages")).json()["items"]
    assert [each["kind"] for each in left] == ["message"] * 12
    await local.send(one, "Go on.")
    assert local.calls[-1].request.turns[0].content != "Notes."
