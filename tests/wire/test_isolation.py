"""What is another user's looks, byte for byte, like what never existed; and nobody makes himself more than he is."""

from typing import Any

import httpx2
import pytest
from tests.wire.house import NOBODY, House, refused, told
from tests.wire.operations import ALL, NOBODY_IDS, WRITES, Example, Ids, body_of, example_of, name_of

from prosa.domain import errors as e
from prosa.domain.principal import EMBED, OPERATE, Principal
from prosa.services.tickets import Following, Question
from prosa.transport.operation import Operation

SECRETS = ("segredo-da-ana", "chave-externa-da-ana")


async def furnish(house: House, user: str, words: str, external: str) -> Ids:
    one = await house.conversation(
        user, title=words, externalId=external, metadata={"a": words}, systemPrompt=words
    )
    sent = await house.post("/api/files", user=user, files={"file": (f"{words}.txt", words.encode())})
    file = sent.json()["id"]
    await house.send(one, words, user=user, attachments=[file])
    start = (await house.send(one, words, user=user))[0]
    added = await house.chat.keys.add(
        "openai", f"sk-{words}".replace(" ", "-"), label=words, weight=1, by=Principal(user)
    )
    template = await house.post("/api/templates", {"name": words, "content": words}, user=user)
    said = f"/api/conversations/{one}/messages/{start['messageId']}/feedback"
    await house.call("PUT", said, {"comment": words}, user=user)
    await ticket(house, user, external, words)
    return Ids(
        one, start["messageId"], start["userMessageId"], start["runId"], added.key.id, template.json()["id"],
        external, file, (await house.post("/api/api-keys", {"name": words}, user=user)).json()["id"],
    )  # fmt: skip


async def ticket(house: House, user: str, ticket_id: str, words: str) -> None:
    """One of his own, answered."""
    found = await house.chat.tickets.ask(Principal(user), ticket_id, Question(words))
    assert isinstance(found, Following)
    while await found.reader.read():
        pass


async def snapshot(house: House, user: str, ids: Ids) -> list[Any]:
    """All that the API shows of one's own."""
    return [
        (await house.get(path, user=user)).text
        for path in (
            f"/api/conversations/{ids.conversation}", f"/api/conversations/{ids.conversation}/messages",
            f"/api/chat/runs/{ids.run}", f"/api/chat/runs/{ids.run}/events?after=1000000", "/api/conversations",
            f"/api/templates/{ids.template}", "/api/templates", "/api/feedback",
            f"/api/tickets/{ids.ticket}", "/api/tickets",
            f"/api/files/{ids.file}", f"/api/files/{ids.file}/content", "/api/api-keys",
        )
        if "events" not in path
    ]  # fmt: skip


def requests(
    operation: Operation, example: Example, theirs: Ids, own: Ids
) -> list[tuple[str, dict[str, Any]]]:
    """(path, options) of every way to name something of theirs."""
    found: list[tuple[str, dict[str, Any]]] = []
    body = {"json": body_of(operation, own)} if operation in WRITES else {}
    if example.files:
        body = {"files": example.files}
    named = [
        name
        for name in ("conversation", "message", "run", "key", "template", "ticket", "file", "api_key")
        if "{" + name.replace("_k", "K") + "Id}" in operation.path
    ]
    for name in named:
        ids = own._replace(**{name: getattr(theirs, name)})
        found.append((ids.path(operation), body))
    if len(named) > 1:
        found.append((theirs.path(operation), body))
    for field, name in example.names.items():
        asked = body["json"] | {field: getattr(theirs, name)}
        if field == "regenerate":
            asked = {key: value for key, value in asked.items() if key != "content"}
        found.append((own.path(operation), {"json": asked}))
    for field, name in example.query.items():
        found.append(
            (own.path(operation), {**body, "params": {**example.asked, field: getattr(theirs, name)}})
        )
    return found


def seen(answer: httpx2.Response) -> tuple[Any, ...]:
    return (
        answer.status_code,
        answer.content,
        sorted((key, value) for key, value in answer.headers.items() if key not in ("date", "x-request-id")),
    )


@pytest.mark.hostile(11)
@pytest.mark.hostile(14)
@pytest.mark.parametrize("operation", ALL, ids=name_of)
async def test_another_users_ids_do_not_exist(guarded: House, operation: Operation) -> None:
    example = example_of(operation)
    ana = await furnish(guarded, "ana", *SECRETS)
    bia = await furnish(guarded, "bia", "da bia", "b")
    before = await snapshot(guarded, "ana", ana)
    calls = len(guarded.calls)
    foreign, never = requests(operation, example, ana, bia), requests(operation, example, NOBODY_IDS, bia)
    for (path, options), (path_of_none, options_of_none) in zip(foreign, never, strict=True):
        one = await guarded.call(operation.method, path, user="bia", **options)
        other = await guarded.call(operation.method, path_of_none, user="bia", **options_of_none)
        assert seen(one) == seen(other), path
        assert one.status_code == (403 if operation.operator else 404), (path, options)
    if not foreign:
        plain = await guarded.call(operation.method, operation.path, example.body, user="bia")
        assert not any(word in plain.text for word in (*SECRETS, *ana))
    assert await snapshot(guarded, "ana", ana) == before
    assert len(guarded.calls) == calls + (operation.path == "/v1/chat/completions")  # which names nothing


@pytest.mark.hostile(11)
async def test_every_method_on_every_path(guarded: House) -> None:
    ana = await furnish(guarded, "ana", *SECRETS)
    before = await snapshot(guarded, "ana", ana)
    for path in {each.path for each in ALL if "{" in each.path}:
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            for body in (None, {"content": "x", "title": "x", "role": "user"}):
                operation = Operation(method, path, "", None)  # type: ignore[arg-type]
                answer = await guarded.call(method, ana.path(operation), body, user="bia")
                never = await guarded.call(method, NOBODY_IDS.path(operation), body, user="bia")
                assert seen(answer) == seen(never), (method, path)
                refusals = (403, 405) if path.startswith("/api/admin/") else (400, 404, 405)
                assert answer.status_code in refusals, (method, path)
    assert await snapshot(guarded, "ana", ana) == before


async def test_names_of_ones_own_choosing_are_ones_own(guarded: House) -> None:
    ana = await furnish(guarded, "ana", *SECRETS)
    before = await snapshot(guarded, "ana", ana)
    for name in (SECRETS[1], ana.conversation, ana.conversation.upper(), ana.run, NOBODY):
        answer = await guarded.post(
            "/api/chat/process", {"sessionId": name, "userMessageContent": "x"}, user="bia"
        )
        made = (await guarded.get(f"/api/conversations/{answer.json()['conversationId']}", user="bia")).json()
        assert made["id"] != ana.conversation
        assert (made["externalId"], made["title"]) == (name, "x")
        assert not any(word in answer.text for word in SECRETS)
        assert guarded.calls[-1].request.system is None
        assert [turn.content for turn in guarded.calls[-1].request.turns] == ["x"]
    assert await snapshot(guarded, "ana", ana) == before


@pytest.mark.hostile(14)
async def test_a_running_run_of_another_user(guarded: House) -> None:
    import asyncio

    gate = asyncio.Event()
    guarded.script = ["um", gate, "dois"]
    one = await guarded.conversation("ana")
    sending = asyncio.create_task(guarded.send(one, user="ana"))
    while not (
        items := (await guarded.get(f"/api/conversations/{one}/messages", user="ana")).json()["items"]
    ):
        assert not sending.done()
    run = items[1]["runId"]
    for method, path in (("GET", ""), ("GET", "/events"), ("POST", "/stop")):
        refused(await guarded.call(method, f"/api/chat/runs/{run}{path}", user="bia"), 404, e.RunNotFound())
    assert (await guarded.get("/api/conversations", user="bia")).json()["items"] == []
    gate.set()
    assert (await sending)[-1]["status"] == "completed"


@pytest.mark.hostile(12)
async def test_own_parent_and_foreign_child(guarded: House) -> None:
    ana, bia = await furnish(guarded, "ana", *SECRETS), await furnish(guarded, "bia", "b", "b")
    for path in (
        f"/api/conversations/{bia.conversation}/messages/{ana.message}",
        f"/api/conversations/{ana.conversation}/messages/{bia.message}",
        f"/api/conversations/{bia.conversation}/messages/{NOBODY}",
    ):
        assert (await guarded.get(path, user="bia")).status_code == 404


ASSIGNED = {
    "user_id": "ana", "userId": "ana", "client_id": "acme", "clientId": "acme", "id": NOBODY, "owner": "ana", "budget": 10**9,
    "allowed_models": ["*"], "allowedModels": ["*"], "created_at": 0, "createdAt": "2000-01-01T00:00:00.000000Z",
    "updatedAt": "2000-01-01T00:00:00.000000Z", "cost": "-1", "scopes": ["admin"], "roles": ["admin"], "operator": True, "admin": True, "siblings": [],
    "runId": NOBODY, "run_id": NOBODY, "head_id": NOBODY, "parent_id": NOBODY, "limits": {"tokensPerDay": None},
    "__proto__": {"admin": True}, "usage": {"totalTokens": -5},
}  # fmt: skip
"""Fields that are nobody's to set."""


@pytest.mark.hostile(18)
@pytest.mark.parametrize("operation", [each for each in WRITES if not each.public], ids=name_of)
async def test_nobody_sets_what_is_not_his(guarded: House, operation: Operation) -> None:
    bia = await furnish(guarded, "bia", "palavras", "b")
    body = ASSIGNED | body_of(operation, bia)
    answer = await guarded.call(operation.method, bia.path(operation), body, user="bia")
    if operation.path.startswith("/v1/"):  # that door passes over nothing
        assert (answer.status_code, told(answer)["code"]) == (400, "invalid_request")
        return
    if operation.path == "/api/api-keys":  # what it may be good for is heeded, and so refused
        assert (answer.status_code, told(answer)["code"]) == (400, "invalid_request")
        answer = await guarded.post(operation.path, {**body, "scopes": ["chat"]}, user="bia")
        assert (answer.json()["userId"], answer.json()["clientId"]) == ("bia", None)
    refusal = 403 if operation.needs in (OPERATE, EMBED) else 409 if example_of(operation).conflicts else None
    assert answer.status_code == refusal if refusal else answer.status_code < 300, answer.text
    assert (await guarded.get("/api/conversations", user="ana")).json()["items"] == []
    for one in (await guarded.get("/api/conversations", user="bia")).json()["items"]:
        assert one["id"] != NOBODY
        assert one["createdAt"] > "2020"
        assert one["clientId"] is None or operation.path in ("/api/chat/process", "/api/conversations")
        for message in (await guarded.get(f"/api/conversations/{one['id']}/messages", user="bia")).json()[
            "items"
        ]:
            assert message["id"] != NOBODY
            assert message["runId"] != NOBODY
            assert message["userId"] in ("bia", None)
            assert message["createdAt"] > "2020"


@pytest.mark.parametrize("role", ["system", "tool", "developer", "admin"])
async def test_roles_that_are_not_the_callers_to_take(guarded: House, role: str) -> None:
    one = await guarded.conversation("bia")
    answer = await guarded.post(
        f"/api/conversations/{one}/messages", {"role": role, "content": "x"}, user="bia"
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
