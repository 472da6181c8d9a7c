"""`/api/templates` and feedback on answers."""

from typing import Any

import pytest
from tests.wire.house import NOBODY, House, refused

from prosa.domain import errors as e
from prosa.domain.feedback import FeedbackNotFound
from prosa.domain.templates import NoClient, TemplateNotFound

MAIL = {
    "name": "E-mail",
    "description": "A first answer",
    "content": "Write to {{who}} in {{tone}} words. {{7*7}}",
    "variables": [
        {"name": "who", "label": "Who", "required": True},
        {"name": "tone", "type": "choice", "choices": ["kind", "short"], "default": "kind"},
    ],
}


async def made(house: House, user: str | None = None, **fields: Any) -> dict[str, Any]:
    answer = await house.post("/api/templates", MAIL | fields, user=user)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_template_from_its_making_to_its_end(local: House) -> None:
    one = await made(local)
    path = f"/api/templates/{one['id']}"
    whole = [{"label": None, "required": False, "default": None, "choices": [], "type": "text"} | each
             for each in MAIL["variables"]]  # fmt: skip
    assert one == MAIL | {
        "id": one["id"], "variables": whole, "shared": False, "clientId": None,
        "createdAt": one["createdAt"], "updatedAt": one["createdAt"],
    }  # fmt: skip
    assert (await local.get(path)).json() == one
    assert (await local.get("/api/templates")).json() == {"items": [one], "nextCursor": None}
    changed = (await local.call("PATCH", path, {"name": "Carta", "description": None})).json()
    assert changed == one | {"name": "Carta", "description": None, "updatedAt": changed["updatedAt"]}
    assert (await local.call("DELETE", path)).status_code == 204
    refused(await local.get(path), 404, TemplateNotFound())


async def test_a_template_is_filled_literally(local: House) -> None:
    path = f"/api/templates/{(await made(local))['id']}/fill"
    filled = await local.post(path, {"values": {"who": "{{tone}} ${7*7}", "tone": "short"}})
    assert filled.json() == {"text": "Write to {{tone}} ${7*7} in short words. {{7*7}}"}
    assert (
        (await local.post(path, {"values": {"who": "Bia"}})).json()["text"].endswith("in kind words. {{7*7}}")
    )
    for wrong in ({}, {"who": ["x"]}, {"who": "x", "tone": "rude"}, {"who": "x", "when": "now"}):
        assert (await local.post(path, {"values": wrong})).json()["code"] == "invalid_request"


@pytest.mark.parametrize(
    "variables",
    [
        [{"name": "7x"}],
        [{"name": "a b"}],
        [{"name": "a"}, {"name": "a"}],
        [{"name": "a", "type": "choice"}],
        [{"name": "a", "type": "secret"}],
        [{"name": "a", "type": "date", "default": "soon"}],
    ],
)
async def test_variables_that_are_none(local: House, variables: list[Any]) -> None:
    one = await made(local)
    for answer in (
        await local.post("/api/templates", MAIL | {"variables": variables}),
        await local.call("PATCH", f"/api/templates/{one['id']}", {"variables": variables}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


async def test_what_a_client_shares_is_everybodys_there_and_nobodys_elsewhere(guarded: House) -> None:
    """Whoever belongs to the client may use and change it; to all others it does not exist."""

    async def call(user: str, client: str | None, method: str, path: str, body: Any = None) -> Any:
        claims = {} if client is None else {"client_id": client}
        bearer = {"Authorization": f"Bearer {guarded.token(user, **claims)}"}
        return await guarded.call(method, path, body, headers=bearer)

    shared = (await call("ana", "acme", "POST", "/api/templates", MAIL | {"shared": True})).json()
    own = (await call("ana", "acme", "POST", "/api/templates", MAIL | {"name": "mine"})).json()
    assert (shared["shared"], shared["clientId"], own["shared"]) == (True, "acme", False)
    path = f"/api/templates/{shared['id']}"
    listed = (await call("ana", "acme", "GET", "/api/templates")).json()["items"]
    assert listed == [own, shared]
    assert (await call("bia", "acme", "GET", "/api/templates")).json()["items"] == [shared]
    assert (await call("bia", "acme", "PATCH", path, {"name": "ours"})).json()["name"] == "ours"
    assert (await call("bia", "acme", "POST", f"{path}/fill", {"values": {"who": "x"}})).status_code == 200
    refused(await call("bia", "acme", "GET", f"/api/templates/{own['id']}"), 404, TemplateNotFound())
    for user, client in (("bia", "other"), ("ana", None), ("ana", "ACME")):
        refused(await call(user, client, "GET", path), 404, TemplateNotFound())
        refused(await call(user, client, "DELETE", path), 404, TemplateNotFound())
        listed = (await call(user, client, "GET", "/api/templates")).json()["items"]
        assert listed == ([own] if user == "ana" else [])
    refused(await call("ana", None, "POST", "/api/templates", MAIL | {"shared": True}), 409, NoClient())
    assert (await call("bia", "acme", "DELETE", path)).status_code == 204


async def test_pages_of_own_and_shared_templates_have_each_once(guarded: House) -> None:
    bearer = {"Authorization": f"Bearer {guarded.token('ana', client_id='acme')}"}
    ids = []
    for number in range(7):
        body = MAIL | {"name": str(number), "shared": number % 3 == 0}
        ids.append((await guarded.post("/api/templates", body, headers=bearer)).json()["id"])
    found, cursor = [], None
    while True:
        query = {"limit": 2} | ({} if cursor is None else {"cursor": cursor})
        page = (await guarded.get("/api/templates", params=query, headers=bearer)).json()
        found += [each["id"] for each in page["items"]]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert found == ids[::-1]
    odd = await guarded.get("/api/templates", params={"cursor": "x"}, headers=bearer)
    assert odd.json()["code"] == "invalid_request"


async def test_feedback_from_the_first_thumb_to_its_end(local: House) -> None:
    one = await local.conversation()
    start = (await local.send(one))[0]
    path = f"/api/conversations/{one}/messages/{start['messageId']}"
    first = (await local.call("PUT", f"{path}/feedback", {"thumb": "up"})).json()
    assert first == {
        "thumb": "up", "rating": None, "tags": [], "comment": None, "updatedAt": first["updatedAt"]
    }  # fmt: skip
    body = {"thumb": "down", "rating": 2, "tags": ["wrong", "long", "wrong"], "comment": "Não é isso."}
    said = (await local.call("PUT", f"{path}/feedback", body)).json()
    assert said == body | {"tags": ["wrong", "long"], "updatedAt": said["updatedAt"]}
    assert (await local.get(path)).json()["feedback"] == said
    items = (await local.get(f"/api/conversations/{one}/messages")).json()["items"]
    assert [each["feedback"] for each in items] == [None, said]
    listed = (await local.get("/api/feedback")).json()
    assert listed == {
        "items": [said | {"messageId": start["messageId"], "conversationId": one, "createdAt": first["updatedAt"]}],
        "nextCursor": None,
    }  # fmt: skip
    assert (await local.get("/api/feedback", params={"thumb": "up"})).json()["items"] == []
    assert (await local.call("DELETE", f"{path}/feedback")).status_code == 204
    refused(await local.call("DELETE", f"{path}/feedback"), 404, FeedbackNotFound())
    assert (await local.get(path)).json()["feedback"] is None


async def test_feedback_that_is_none(local: House) -> None:
    one = await local.conversation()
    start = (await local.send(one))[0]
    path = f"/api/conversations/{one}/messages/{start['messageId']}/feedback"
    for wrong in ({}, {"rating": 0}, {"rating": 6}, {"rating": 2.5}, {"thumb": "sideways"}, {"tags": [""]}):
        answer = await local.call("PUT", path, wrong)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request"), wrong
    question = f"/api/conversations/{one}/messages/{start['userMessageId']}/feedback"
    assert (await local.call("PUT", question, {"thumb": "up"})).json()["code"] == "invalid_request"
    nobody = f"/api/conversations/{one}/messages/{NOBODY}/feedback"
    refused(await local.call("PUT", nobody, {"thumb": "up"}), 404, e.MessageNotFound())
