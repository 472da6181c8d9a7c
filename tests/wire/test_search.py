"""`GET /api/search`: hits in pieces, pages, filters, and nobody else's words."""

from typing import Any

import pytest
from tests.wire.house import NOBODY, House, refused

from prosa.domain import errors as e

PATH = "/api/search"


async def searched(house: House, q: str, user: str | None = None, **query: Any) -> list[dict[str, Any]]:
    answer = await house.get(PATH, params={"q": q, **query}, user=user)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def line(hit: dict[str, Any]) -> str:
    return "".join(f"[{each['text']}]" if each["hit"] else each["text"] for each in hit["snippet"])


async def test_a_hit_says_where_it_is(local: House) -> None:
    one = await local.conversation(title="Viagem")
    start = (await local.send(one, "Quando são as férias?"))[0]
    (question,) = await searched(local, "ferias", role="user")
    assert question == {
        "conversationId": one, "title": "Viagem", "messageId": start["userMessageId"], "role": "user",
        "createdAt": question["createdAt"],
        "snippet": [{"text": "Quando são as ", "hit": False}, {"text": "férias", "hit": True}, {"text": "?", "hit": False}],
    }  # fmt: skip
    both = await searched(local, "FÉR")
    assert [hit["role"] for hit in both] == ["assistant", "user"]
    assert line(both[0]) == "You said: Quando são as [férias]?"


async def test_text_is_text(local: House) -> None:
    one = await local.conversation()
    await local.send(one, "<img src=x onerror=alert(1)> & <b>negrito</b>")
    (hit,) = await searched(local, "negrito", role="user")
    assert line(hit) == "<img src=x onerror=alert(1)> & <b>[negrito]</b>"


async def test_a_hit_deep_in_a_long_message(local: House) -> None:
    """Nobody looks further than the first 100,000 characters."""
    one = await local.conversation()
    for depth in (15_000, 30_000):
        body = {"role": "user", "content": "feno " * depth + "agulha" + " feno" * 3_000}
        assert (await local.post(f"/api/conversations/{one}/messages", body)).status_code == 201
    (hit,) = await searched(local, "agulha")
    assert "[agulha]" in line(hit)
    assert len(line(hit)) < 300


async def test_pages(local: House) -> None:
    one = await local.conversation()
    for number in range(5):
        await local.send(one, f"tema {number}")
    query: dict[str, Any] = {"q": "tema", "limit": 3}
    found = []
    while True:
        page = (await local.get(PATH, params=query)).json()
        found += [line(hit) for hit in page["items"]]
        if page["nextCursor"] is None:
            break
        query["cursor"] = page["nextCursor"]
        await local.send(one, "tema novo")
    said = [f"[tema] {number}" for number in range(5)]
    assert sorted(found) == sorted([*said, *(f"You said: {each}" for each in said)])


async def test_filters(local: House) -> None:
    one, two = await local.conversation(), await local.conversation()
    await local.send(one, "tema a")
    await local.send(two, "tema b")
    assert len(await searched(local, "tema")) == 4
    assert {hit["conversationId"] for hit in await searched(local, "tema", conversationId=two)} == {two}
    assert {hit["role"] for hit in await searched(local, "tema", role="assistant")} == {"assistant"}
    at = (await searched(local, "b", role="user"))[0]["createdAt"]
    assert len(await searched(local, "tema", **{"from": at})) == 2
    assert len(await searched(local, "tema", to=at)) == 2
    assert len(await searched(local, "tema", **{"from": at[:10], "to": at[:10]})) == 4
    assert await searched(local, "tema", to="2020-01-01") == []


async def test_what_is_archived_is_found(local: House) -> None:
    one = await local.conversation()
    await local.send(one, "tema")
    await local.call("PATCH", f"/api/conversations/{one}", {"archived": True})
    assert len(await searched(local, "tema")) == 2


@pytest.mark.hostile(27)
@pytest.mark.parametrize(
    "q", ["' OR 1=1 --", '"', "*", "NEAR(", "a AND", "col:x", "{", "\\", "%", "NOT", "(" * 200, '" OR "']
)
async def test_signs_find_what_they_are(local: House, q: str) -> None:
    one = await local.conversation()
    await local.send(one, "nada disso")
    assert await searched(local, q) == []


@pytest.mark.hostile(27)
async def test_what_is_no_search(local: House) -> None:
    for query in ({}, {"q": ""}, {"q": "a\0"}, {"q": "a" * 201}, {"q": "a", "role": "x"}, {"q": "a", "from": "x"},
                  {"q": "a", "cursor": "x"}, {"q": "a", "cursor": "WzEsMl0"}, {"q": "a", "limit": "0"}):  # fmt: skip
        answer = await local.get(PATH, params=query)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request"), query
    for wrong in (NOBODY, "x", ""):
        answer = await local.get(PATH, params={"q": "a", "conversationId": wrong})
        refused(answer, 404, e.ConversationNotFound())


@pytest.mark.hostile(11)
async def test_nobody_finds_what_others_wrote(guarded: House) -> None:
    ana, bia = await guarded.conversation("ana"), await guarded.conversation("bia")
    await guarded.send(ana, "segredo da ana", user="ana")
    await guarded.send(bia, "segredo da bia", user="bia")
    assert {hit["conversationId"] for hit in await searched(guarded, "segredo", "bia")} == {bia}
    refused(
        await guarded.get(PATH, params={"q": "segredo", "conversationId": ana}, user="bia"),
        404,
        e.ConversationNotFound(),
    )
