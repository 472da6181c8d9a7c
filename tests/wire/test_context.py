"""What a run tells of the context that it sent, over the wire."""

import pytest
from tests.wire.house import House

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
