"""`/api/conversations`: made, found, listed, changed, closed and deleted."""

import asyncio
import base64
import json
from typing import Any

import pytest
from tests.wire.house import NOBODY, House, refused

from prosa.domain import errors as e


async def test_a_new_one_has_every_field(local: House) -> None:
    answer = await local.post(
        "/api/conversations",
        {
            "title": "Férias",
            "systemPrompt": "Seja breve.",
            "provider": "fake",
            "model": "m",
            "metadata": {"a": [1, None]},
        },
    )
    assert answer.status_code == 201
    made = answer.json()
    assert made == {
        "id": made["id"], "externalId": None, "clientId": None, "title": "Férias", "systemPrompt": "Seja breve.",
        "provider": "fake", "model": "m", "status": "open", "headId": None, "metadata": {"a": [1, None]},
        "createdAt": made["createdAt"], "updatedAt": made["createdAt"], "ticketId": None,
        "pinned": False, "archived": False,
    }  # fmt: skip
    assert made["createdAt"].endswith("Z")
    assert (await local.get(f"/api/conversations/{made['id']}")).json() == made
    assert (await local.get(f"/api/conversations/{made['id'].upper()}")).json() == made


async def test_an_external_id_gets_or_creates(local: House) -> None:
    first = await local.post("/api/conversations", {"externalId": "ticket-7", "title": "A"})
    again = await local.post("/api/conversations", {"externalId": "ticket-7", "title": "B"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()


async def test_an_external_id_is_made_once_by_many_at_once(local: House) -> None:
    answers = await asyncio.gather(
        *(local.post("/api/conversations", {"externalId": "x"}) for _ in range(10))
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_an_external_id_belongs_to_its_owner(guarded: House) -> None:
    answers = [
        await guarded.post("/api/conversations", {"externalId": "x"}, user=user) for user in ("ana", "bia")
    ]
    assert [answer.status_code for answer in answers] == [201, 201]


async def test_the_list_has_the_newest_change_first_and_pages(local: House) -> None:
    ids = [await local.conversation(title=str(number)) for number in range(5)]
    await local.call("PATCH", f"/api/conversations/{ids[0]}", {"title": "touched"})
    wanted = [ids[0], *reversed(ids[1:])]
    found: list[str] = []
    cursor = None
    for size in (2, 2, 1):
        page = (
            await local.get(
                "/api/conversations", params={"limit": 2} | ({"cursor": cursor} if cursor else {})
            )
        ).json()
        assert len(page["items"]) == size
        found += [item["id"] for item in page["items"]]
        cursor = page["nextCursor"]
    assert cursor is None
    assert found == wanted


async def test_an_empty_list(local: House) -> None:
    assert (await local.get("/api/conversations")).json() == {"items": [], "nextCursor": None}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": "Novo"}, "title"),
        ({"title": None}, "title"),
        ({"status": "closed"}, "status"),
        ({"systemPrompt": "Be kind."}, "systemPrompt"),
        ({"systemPrompt": None}, "systemPrompt"),
        ({"provider": "fake"}, "provider"),
        ({"model": "other"}, "model"),
        ({"metadata": {"k": "v"}}, "metadata"),
        ({"pinned": True}, "pinned"),
        ({"archived": True}, "archived"),
    ],
)
async def test_each_field_changes_alone(local: House, change: dict[str, Any], field: str) -> None:
    before = (await local.post("/api/conversations", {"title": "T", "systemPrompt": "S"})).json()
    answer = await local.call("PATCH", f"/api/conversations/{before['id']}", change)
    assert answer.status_code == 200
    after = answer.json()
    assert after[field] == change[field]
    same = before.keys() - {field, "updatedAt"}
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert after["updatedAt"] >= before["updatedAt"]
    assert (await local.get(f"/api/conversations/{before['id']}")).json() == after


async def test_an_empty_change_is_no_error(local: House) -> None:
    one = await local.conversation(title="T")
    assert (await local.call("PATCH", f"/api/conversations/{one}", {})).json()["title"] == "T"


async def test_the_head_moves_to_the_leaf_below_a_message_of_its_own(local: House) -> None:
    one, other = await local.conversation(), await local.conversation()
    start = (await local.send(one, "a"))[0]
    await local.send(one, "b", parentId=None)
    foreign = (await local.send(other, "b"))[0]["messageId"]
    path = f"/api/conversations/{one}"
    moved = await local.call("PATCH", path, {"headId": start["userMessageId"].upper()})
    assert moved.json()["headId"] == start["messageId"]
    for unknown in (foreign, NOBODY):
        refused(await local.call("PATCH", path, {"headId": unknown}), 404, e.MessageNotFound())


async def test_a_first_message_becomes_the_title(local: House) -> None:
    one = await local.conversation()
    await local.send(one, "Quanto custa?\n" + "x" * 200)
    assert (await local.get(f"/api/conversations/{one}")).json()["title"].startswith("Quanto custa?")
    named = await local.conversation(title="Mine")
    await local.send(named, "Quanto custa?")
    assert (await local.get(f"/api/conversations/{named}")).json()["title"] == "Mine"


async def test_a_deleted_one_is_gone_with_its_messages(local: House) -> None:
    one = await local.conversation()
    message = (await local.send(one))[0]["messageId"]
    path = f"/api/conversations/{one}"
    answer = await local.call("DELETE", path)
    assert (answer.status_code, answer.content) == (204, b"")
    for method, below in (("GET", ""), ("DELETE", ""), ("GET", "/messages"), ("GET", f"/messages/{message}")):
        refused(await local.call(method, path + below), 404, e.ConversationNotFound())


@pytest.mark.parametrize("wrong", ["nope", "1", "%00", "..%2f", "%F0%9F%98%80", "' OR '1'='1", "a" * 3000])
async def test_an_id_that_is_none_does_not_exist(local: House, wrong: str) -> None:
    never = await local.get(f"/api/conversations/{NOBODY}")
    refused(never, 404, e.ConversationNotFound())
    odd = await local.get(f"/api/conversations/{wrong}")
    assert odd.status_code == 404
    if "%2f" not in wrong:
        assert odd.content == never.content


async def test_deleting_stops_what_is_being_written(listening: House) -> None:
    listening.script = ["one", asyncio.Event()]
    one = await listening.conversation()
    async with listening.streaming({"conversationId": one, "content": "x"}) as stream:
        await stream.until(None)
        assert (await listening.call("DELETE", f"/api/conversations/{one}")).status_code == 204
        end = await stream.until("done")
    assert end["status"] == "cancelled"
    (call,) = listening.calls
    await asyncio.wait_for(call.closed.wait(), 5)
    refused(await listening.get(f"/api/conversations/{one}"), 404, e.ConversationNotFound())


@pytest.mark.hostile(27)
@pytest.mark.parametrize(
    "cursor",
    ["x", "!", "' OR 1=1 --", "W10", "WzEsMl0", "bnVsbA", "*", "a" * 5000, "WzEsICJ4Il0", "\x00", "é", "MQ==",
     base64.urlsafe_b64encode(json.dumps([-1, NOBODY]).encode()).decode(),
     base64.urlsafe_b64encode(json.dumps([2**63, NOBODY]).encode()).decode(),
     base64.urlsafe_b64encode(json.dumps([1, "' OR 1=1"]).encode()).decode()],
)  # fmt: skip
async def test_a_cursor_of_somebody_elses_making(local: House, cursor: str) -> None:
    one = await local.conversation()
    for path in ("/api/conversations", f"/api/conversations/{one}/messages"):
        answer = await local.get(path, params={"cursor": cursor})
        assert answer.status_code == 400
        assert answer.json()["code"] == "invalid_request"


@pytest.mark.hostile(27)
@pytest.mark.parametrize(
    "text", ["' OR 1=1 --", '"; DROP TABLE messages', "%", "_", "\\", "*", "NEAR(", "$.a[*]"]
)
async def test_names_with_signs_of_sql_are_names(local: House, text: str) -> None:
    made = await local.post(
        "/api/conversations", {"externalId": text, "title": text, "metadata": {text: text}}
    )
    again = await local.post("/api/conversations", {"externalId": text})
    assert (made.status_code, again.status_code) == (201, 200)
    assert made.json() == again.json()
    assert (made.json()["externalId"], made.json()["title"], made.json()["metadata"]) == (
        text,
        text,
        {text: text},
    )


@pytest.mark.hostile(26)
@pytest.mark.parametrize("text", ["{{7*7}}", "${7*7}", "{0.__class__}", "%n%s%x", "{detail}", "<%= 7*7 %>"])
async def test_text_that_looks_like_a_template_is_literal(local: House, text: str) -> None:
    one = await local.conversation(title=text, systemPrompt=text, metadata={"a": text})
    read = (await local.get(f"/api/conversations/{one}")).json()
    assert (read["title"], read["systemPrompt"], read["metadata"]) == (text, text, {"a": text})
    await local.send(one, text)
    (call,) = local.calls
    assert (call.request.system, call.request.turns[-1].content) == (text, text)
    answer = await local.post("/api/conversations", {"provider": text})
    refused(answer, 400, e.NoSuchProvider(text, known=", ".join(local.chat.catalogue.providers)))


@pytest.mark.parametrize("fields", [{"provider": "nope"}, {"provider": "nope", "model": "m"}])
async def test_a_provider_that_does_not_exist(local: House, fields: dict[str, str]) -> None:
    wrong = e.NoSuchProvider("nope", known=", ".join(local.chat.catalogue.providers))
    refused(await local.post("/api/conversations", fields), 400, wrong)
    one = await local.conversation()
    refused(await local.call("PATCH", f"/api/conversations/{one}", fields), 400, wrong)


async def test_a_provider_that_is_not_set_up(local: House) -> None:
    missing = e.ProviderNotConfigured("openai", "OPENAI_API_KEY")
    refused(await local.post("/api/conversations", {"provider": "openai"}), 503, missing)
    one = await local.conversation()
    refused(
        await local.post("/api/chat/send", {"conversationId": one, "content": "x", "model": "m", "provider": "ollama"},
                         headers={"Accept-Language": "pt-BR"}),
        503, e.ProviderNotConfigured("ollama", "OLLAMA_SERVER"), "pt",
    )  # fmt: skip


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


async def test_metadata_has_its_bounds(local: House) -> None:
    assert await local.conversation(metadata=nested(30))
    for wrong in (nested(34), nested(400), {"a": "x" * 17_000}, {"a\0": 1}, {"a": ["b\0"]}):
        answer = await local.post("/api/conversations", {"metadata": wrong})
        assert answer.status_code == 400
        assert answer.json()["detail"].startswith("metadata must not")
