"""`GET /api/conversations`: what its filters let through, and pages that stay right while rows come and go."""

import asyncio
from typing import Any

import pytest
from tests.wire.house import House, refused

from prosa.domain import errors as e


async def change(house: House, identity: str, **fields: Any) -> dict[str, Any]:
    answer = await house.call("PATCH", f"/api/conversations/{identity}", fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def titles(house: House, user: str | None = None, **query: Any) -> list[str]:
    answer = await house.get("/api/conversations", params=query, user=user)
    assert answer.status_code == 200, answer.text
    return [item["title"] for item in answer.json()["items"]]


async def test_what_is_archived_shows_where_it_is_asked_for(local: House) -> None:
    ids = {name: await local.conversation(title=name) for name in "abc"}
    await change(local, ids["a"], archived=True)
    assert await titles(local) == ["c", "b"]
    assert await titles(local, archived="true") == ["a"]
    assert await titles(local, archived="all") == ["c", "b", "a"]
    await change(local, ids["a"], archived=False)
    assert await titles(local) == ["c", "b", "a"]


async def test_to_pin_changes_no_order(local: House) -> None:
    ids = {name: await local.conversation(title=name) for name in "abc"}
    before = (await local.get(f"/api/conversations/{ids['a']}")).json()
    after = await change(local, ids["a"], pinned=True)
    assert after == before | {"pinned": True}
    assert await titles(local) == ["c", "b", "a"]
    assert await titles(local, pinned="true") == ["a"]
    assert await titles(local, pinned="false") == ["c", "b"]


async def test_by_status_and_by_the_model_that_answered(local: House) -> None:
    asked = {name: await local.conversation(title=name) for name in "abc"}
    await local.conversation(title="d", provider="fake", model="special")
    await change(local, asked["a"], status="closed")
    await local.send(asked["b"], "x", model="other")
    assert await titles(local, status="closed") == ["a"]
    assert await titles(local, model="special") == ["d"]
    assert await titles(local, model="other", provider="fake") == ["b"]
    assert await titles(local, provider="fake", status="open") == ["b", "d"]
    await change(local, asked["c"], model="special")
    assert await titles(local, model="special") == ["c", "d"]


async def test_by_the_time_of_the_last_change(local: House) -> None:
    await local.conversation(title="a")
    one = (await local.post("/api/conversations", {"title": "b"})).json()
    await local.conversation(title="c")
    at = one["updatedAt"]
    assert await titles(local, **{"from": at}) == ["c", "b"]
    assert await titles(local, to=at) == ["a"]
    assert await titles(local, **{"from": at[:10], "to": at[:10]}) == ["c", "b", "a"]
    assert await titles(local, to="2000-01-01") == []
    assert await titles(local, **{"from": "2999-12-31T23:59:59-03:00"}) == []


@pytest.mark.hostile(27)
@pytest.mark.parametrize(
    "wrong", ["", "x", "2026-13-01", "2026-02-30", "2026-01-01T25:00", "1", "2026-01-01 OR 1=1"]
)
async def test_a_date_that_is_none(local: House, wrong: str) -> None:
    for name in ("from", "to"):
        answer = await local.get("/api/conversations", params={name: wrong})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


async def test_by_a_part_of_the_title_whatever_its_case_and_accents(local: House) -> None:
    for title in ("Férias em Março", "Relatório 100%", "relatorio_final", "Conversa"):
        await local.conversation(title=title)
    assert await titles(local, q="FERIAS") == ["Férias em Março"]
    assert await titles(local, q="relatório") == ["relatorio_final", "Relatório 100%"]
    assert await titles(local, q="marco") == ["Férias em Março"]


@pytest.mark.hostile(27)
async def test_signs_in_a_title_are_literal(local: House) -> None:
    for title in ("100%", "a_b", "acb", "' OR 1=1 --", '"*"', "\\"):
        await local.conversation(title=title)
    for text, found in (
        ("%", ["100%"]),
        ("a_b", ["a_b"]),
        ("' or", ["' OR 1=1 --"]),
        ("*", ['"*"']),
        ("\\", ["\\"]),
    ):
        assert await titles(local, q=text) == found


async def test_by_the_client(guarded: House) -> None:
    for client in (None, "acme", "other"):
        await guarded.conversation("ana", title=str(client), **({"clientId": client} if client else {}))
    assert await titles(guarded, "ana", clientId="acme") == ["acme"]
    assert await titles(guarded, "bia", clientId="acme") == []


async def test_a_client_is_the_tokens_where_it_has_one(guarded: House) -> None:
    token = {"Authorization": f"Bearer {guarded.token('ana', client_id='acme')}"}
    refused(
        await guarded.post("/api/conversations", {"clientId": "other"}, headers=token),
        403,
        e.ClientMismatch(),
    )
    for body in ({"clientId": "acme"}, {}):
        assert (await guarded.post("/api/conversations", body, headers=token)).json()["clientId"] == "acme"


async def test_a_page_of_a_filter_goes_on_where_it_ended(local: House) -> None:
    for number in range(9):
        one = await local.conversation(title=str(number))
        await change(local, one, archived=number % 3 == 0)
    found: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = (await local.get("/api/conversations", params=query)).json()
        found += [item["title"] for item in page["items"]]
        if page["nextCursor"] is None:
            break
        query["cursor"] = page["nextCursor"]
        await asyncio.gather(local.conversation(title="new"), local.conversation(title="new"))
    assert found == ["8", "7", "5", "4", "2", "1"]
