"""`/api/users/me` and `/api/admin/erasures`: who may, what is answered, and what is closed meanwhile."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.wire.house import SECRET, House, furnished, refused
from tests.wire.uploads import blobs

import prosa
from prosa.domain import errors as e
from prosa.domain.access import ScopeMissing, Suspended
from prosa.domain.erasure import hash_of
from prosa.domain.principal import Principal
from prosa.kit.recent import Recent
from prosa.ports.tools import Caller

ERASURES = "/api/admin/erasures"
ADMIN: dict[str, Any] = {"user": "root", "roles": ["admin"]}

pytestmark = pytest.mark.hostile(20)


async def test_a_user_erases_himself(guarded: House) -> None:
    await guarded.send(await guarded.conversation("ana"), user="ana")
    await guarded.send(await guarded.conversation("bia"), user="bia")
    answer = await guarded.call("DELETE", "/api/users/me", user="ana")
    receipt = answer.json()
    assert (answer.status_code, receipt["userId"], receipt["counts"]["messages"]) == (200, "ana", 2)
    assert (await guarded.get("/api/conversations", user="ana")).json()["items"] == []
    assert len((await guarded.get("/api/conversations", user="bia")).json()["items"]) == 1
    [listed] = (await guarded.get(ERASURES, **ADMIN)).json()["items"]
    assert (listed["id"], listed["subject"], listed["erasedAt"]) == (receipt["id"], None, receipt["erasedAt"])
    assert listed["hash"] == hash_of(receipt["id"], "ana")


async def test_an_operator_erases_users_and_clients(guarded: House) -> None:
    for body in ({"userId": "prosa:guest:acme:u1"}, {"clientId": "acme"}):
        receipt = (await guarded.post(ERASURES, body, **ADMIN)).json()
        assert (receipt["scope"], receipt["counts"].get("conversations", 0)) == (next(iter(body))[:-2], 0)
    first = (await guarded.get(f"{ERASURES}?limit=1", **ADMIN)).json()
    second = (await guarded.get(f"{ERASURES}?limit=1&cursor={first['nextCursor']}", **ADMIN)).json()
    assert [each["scope"] for each in (*first["items"], *second["items"])] == ["client", "user"]
    assert second["nextCursor"] is None
    for body in ({}, {"userId": "a", "clientId": "b"}):
        wrong = await guarded.post(ERASURES, body, **ADMIN)
        refused(wrong, 400, e.InvalidRequest("name either userId or clientId."))
    wrong = await guarded.get(f"{ERASURES}?cursor=x", **ADMIN)
    refused(wrong, 400, e.InvalidRequest("cursor must be the nextCursor of an earlier answer."))


async def test_who_may_not(guarded: House) -> None:
    refused(await guarded.get(ERASURES, user="ana"), 403, e.Forbidden())
    refused(await guarded.post(ERASURES, {"userId": "ana"}, user="ana"), 403, e.Forbidden())
    key = (await guarded.post("/api/api-keys", {"name": "x"}, user="ana")).json()["key"]
    bearer = {"Authorization": f"Bearer {key}"}
    refused(await guarded.call("DELETE", "/api/users/me", headers=bearer), 403, ScopeMissing("account"))
    await guarded.call("DELETE", "/api/users/me", user="ana")
    assert (await guarded.get("/api/conversations", headers=bearer)).status_code == 401


async def test_nothing_of_it_stays_in_memory(tmp_path: Path) -> None:
    @prosa.tool(cache=3_600)
    def weather(city: str) -> str:
        """The weather in a city."""
        return f"rain in {city}"

    async with furnished(tmp_path, [weather], jwt_secret=SECRET, embeddings_kept=10) as house:
        memories: list[Recent[Any]] = [house.chat.embeddings._kept, house.chat.tools.find("weather")._results]
        body = {"model": "fake", "input": "canary"}
        assert (await house.post("/v1/embeddings", body, user="ana")).is_success
        await house.chat.tools.find("weather").call({"city": "canary"}, Caller(Principal("ana")))
        assert [len(each) for each in memories] == [1, 1]
        assert (await house.call("DELETE", "/api/users/me", user="ana")).is_success
        assert [len(each) for each in memories] == [0, 0]


@pytest.mark.parametrize("path", ["/api/files", "/api/import"])
async def test_an_upload_that_goes_on_does_not_outlive_the_erasure(guarded: House, path: str) -> None:
    gate, reached = asyncio.Event(), asyncio.Event()
    conversation = await guarded.conversation("bia", title="of bia")
    document = (await guarded.get(f"/api/conversations/{conversation}/export", user="bia")).content

    async def slow() -> AsyncIterator[bytes]:
        form = path == "/api/files"
        head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
        yield head + b"hello " if form else document[:9]
        reached.set()
        await gate.wait()
        yield b"there\r\n--b--\r\n" if form else document[9:]

    kind = "multipart/form-data; boundary=b" if path == "/api/files" else "application/octet-stream"
    sending = asyncio.create_task(
        guarded.post(path, user="ana", content=slow(), headers={"Content-Type": kind})
    )
    await reached.wait()
    assert (await guarded.post(ERASURES, {"userId": "ana"}, **ADMIN)).status_code == 200
    gate.set()
    assert (await sending).status_code in (401, 403)
    left = await guarded.chat.store.of(Principal("ana")).remains.count(None)
    assert not any(left.values()), left
    assert blobs(guarded) == []


async def test_meanwhile_nobody_calls_and_nothing_stays_open(
    guarded: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, reached = asyncio.Event(), asyncio.Event()
    wipe = guarded.chat.store.wipe

    async def late() -> None:
        reached.set()
        await gate.wait()
        await wipe()

    monkeypatch.setattr(guarded.chat.store, "wipe", late)
    conversation = await guarded.conversation("ana")
    async with guarded.listening(), guarded.client("ana") as client:
        async with client.stream("GET", f"/api/conversations/{conversation}/events") as stream:
            lines = stream.aiter_lines()
            await anext(lines)
            erasing = asyncio.create_task(guarded.post(ERASURES, {"userId": "ana"}, **ADMIN))
            with contextlib.suppress(httpx2.RemoteProtocolError):
                async for _ in lines:
                    pass
        await reached.wait()
        refused(await client.get("/api/conversations"), 403, Suspended())
        gate.set()
        assert (await erasing).status_code == 200
        assert (await client.get("/api/conversations")).json()["items"] == []
