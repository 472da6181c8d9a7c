"""`POST /api/chat/process`: one message in, one whole answer out, as seed 000 asks for it."""

import asyncio
from typing import Any

import pytest
from tests.wire.house import NOBODY, House, refused

from prosa.domain import errors as e
from prosa.domain.models import Finish, FinishReason

PATH = "/api/chat/process"
HISTORY = [{"role": "user", "content": "antes"}, {"role": "assistant", "content": "sim"}]


async def ask(house: House, user: str | None = None, **fields: Any) -> dict[str, Any]:
    answer = await house.post(PATH, {"sessionId": "s", "userMessageContent": "Oi", **fields}, user=user)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def stored(house: House, conversation: str, user: str | None = None) -> list[dict[str, Any]]:
    return (await house.get(f"/api/conversations/{conversation}/messages", user=user)).json()["items"]


async def test_a_session_is_made_and_found_again(local: House) -> None:
    first = await ask(local, userMessageContent="um")
    second = await ask(local, userMessageContent="dois")
    assert first["success"] is True
    assert first["conversationId"] == second["conversationId"]
    found = (await local.get(f"/api/conversations/{first['conversationId']}")).json()
    assert found["externalId"] == "s"
    texts = [item["content"] for item in await stored(local, found["id"])]
    assert texts == ["um", "You said: um", "dois", "You said: dois"]


async def test_the_answer_has_the_message_and_the_run(local: House) -> None:
    answer = await ask(local)
    question, written = await stored(local, answer["conversationId"])
    assert answer["assistantMessage"] == written
    assert written["userId"] is None
    assert question["userId"] == "local"
    assert answer["run"] == (await local.get(f"/api/chat/runs/{answer['run']['id']}")).json()
    assert answer["run"]["status"] == "completed"


async def test_a_session_may_be_a_conversations_id(local: House) -> None:
    one = await local.conversation()
    for name in (one, one.upper(), one.replace("-", "")):
        assert (await ask(local, sessionId=name))["conversationId"] == one


async def test_an_unknown_id_is_a_name_like_any_other(local: House) -> None:
    one = (await ask(local, sessionId=NOBODY))["conversationId"]
    assert one != NOBODY
    assert (await local.get(f"/api/conversations/{one}")).json()["externalId"] == NOBODY
    assert (await ask(local, sessionId=NOBODY))["conversationId"] == one


async def test_a_session_may_be_an_external_id_that_looks_like_an_id(local: House) -> None:
    one = await local.conversation(externalId=NOBODY)
    assert (await ask(local, sessionId=NOBODY))["conversationId"] == one


async def test_a_history_stands_in_for_the_stored_one(local: House) -> None:
    one = (await ask(local, userMessageContent="stored"))["conversationId"]
    await ask(local, userMessageContent="agora", chatHistory=HISTORY)
    assert [turn.content for turn in local.calls[-1].request.turns] == ["antes", "sim", "agora"]
    await ask(local, userMessageContent="sem", chatHistory=[])
    assert [turn.content for turn in local.calls[-1].request.turns] == ["sem"]
    assert "antes" not in [item["content"] for item in await stored(local, one)]


async def test_turns_of_a_history_that_say_nothing_are_left_out(local: House) -> None:
    await ask(
        local,
        chatHistory=[{"role": "assistant", "content": ""}, *HISTORY, {"role": "assistant", "content": ""}],
    )
    assert [turn.content for turn in local.calls[-1].request.turns] == ["antes", "sim", "Oi"]


async def test_the_siblings_of_the_answer(local: House) -> None:
    one = await local.conversation()
    made = (await local.post(f"/api/conversations/{one}/messages", {"role": "user", "content": "Oi"})).json()
    ids = [
        (await ask(local, sessionId=one, userMessageId=made["id"]))["assistantMessage"]["id"]
        for _ in range(2)
    ]
    again = await ask(local, sessionId=one, userMessageId=made["id"])
    assert again["assistantMessage"]["siblings"] == [*ids, again["assistantMessage"]["id"]]


async def test_what_is_asked_reaches_the_model(local: House) -> None:
    await ask(local, temperature=0.5, maxTokens=77, systemPrompt="Seja breve.", model="m")
    request = local.calls[-1].request
    assert (request.temperature, request.max_tokens, request.system, request.model) == (
        0.5,
        77,
        "Seja breve.",
        "m",
    )


@pytest.mark.parametrize("name", ["functions", "functionCall", "function_call"])
async def test_what_is_not_built_is_refused(local: House, name: str) -> None:
    one = await local.conversation()
    for path, body in (
        (PATH, {"sessionId": "s", "userMessageContent": "x"}),
        ("/api/chat", {"messages": [{"role": "user", "content": "x"}]}),
        ("/api/chat", {"conversationId": one, "content": "x"}),
        ("/api/chat/send", {"conversationId": one, "content": "x"}),
    ):
        refused(await local.post(path, body | {name: ["x"]}), 400, e.NotSupported(f"`{name}`"))
        assert (await local.post(path, body | {name: None})).status_code == 200
    assert len(local.calls) == 4


async def test_a_message_that_is_stored_already(local: House) -> None:
    one = await local.conversation()
    made = (await local.post(f"/api/conversations/{one}/messages", {"role": "user", "content": "Oi"})).json()
    answer = await ask(local, sessionId=one, userMessageId=made["id"].upper())
    assert answer["assistantMessage"]["parentId"] == made["id"]
    assert len(await stored(local, one)) == 2
    for body, status, error in (
        ({"userMessageId": NOBODY}, 404, e.MessageNotFound()),
        ({"userMessageId": "nope"}, 404, e.MessageNotFound()),
        ({"userMessageId": made["id"], "userMessageContent": "other"}, 400,
         e.InvalidRequest("userMessageContent is not the text of the message that userMessageId names.")),
        ({"userMessageId": answer["assistantMessage"]["id"], "userMessageContent": "You said: Oi"}, 400,
         e.InvalidRequest("Only a message of the user can be answered.")),
    ):  # fmt: skip
        refused(await local.post(PATH, {"sessionId": one, "userMessageContent": "Oi", **body}), status, error)


async def test_the_client_is_the_tokens(guarded: House) -> None:
    token = {"Authorization": f"Bearer {guarded.token('ana', client_id='acme')}"}
    body = {"sessionId": "s", "userMessageContent": "x"}
    for given in ("", "acme"):
        answer = await guarded.post(PATH, body | {"clientId": given}, headers=token)
        assert answer.status_code == 200
    refused(await guarded.post(PATH, body | {"clientId": "other"}, headers=token), 403, e.ClientMismatch())
    one = (await guarded.get(f"/api/conversations/{answer.json()['conversationId']}", headers=token)).json()
    assert one["clientId"] == "acme"


async def test_without_a_tenant_the_client_is_what_is_said(guarded: House) -> None:
    one = (await ask(guarded, "ana", clientId="acme"))["conversationId"]
    assert (await guarded.get(f"/api/conversations/{one}", user="ana")).json()["clientId"] == "acme"


async def test_a_failure_is_an_error_with_the_runs_code(local: House) -> None:
    fault = e.ProviderKeyRefused("fake")
    local.script = [fault]
    answer = await local.post(
        PATH, {"sessionId": "s", "userMessageContent": "x"}, headers={"Accept-Language": "pt"}
    )
    assert (answer.status_code, answer.json()) == (
        502, {"success": False, "code": fault.code, "message": fault.sentence("pt")}
    )  # fmt: skip


async def test_an_answer_cut_short_is_still_one(local: House) -> None:
    local.script = ["meia", Finish(FinishReason.LENGTH)]
    answer = await ask(local)
    assert (answer["success"], answer["assistantMessage"]["status"], answer["run"]["reason"]) == (
        True,
        "incomplete",
        "length",
    )


@pytest.mark.hostile(53)
async def test_a_caller_who_leaves_gets_the_answer_stored(listening: House) -> None:
    gate = asyncio.Event()
    listening.script = ["um", gate, " dois"]
    one = await listening.conversation()
    body = {"sessionId": one, "userMessageContent": "x"}
    calling = asyncio.create_task(listening.post(PATH, body))
    while not (items := await stored(listening, one)):
        assert not calling.done()
    calling.cancel()
    await asyncio.gather(calling, return_exceptions=True)
    gate.set()
    followed = await listening.get(f"/api/chat/runs/{items[1]['runId']}/events")
    assert b'"status":"completed"' in followed.content
    assert (await stored(listening, one))[1]["content"] == "um dois"
    assert len(listening.calls) == 1
