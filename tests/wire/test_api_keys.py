"""API keys: what each lets in, what it does not, and how it ends."""

import asyncio
import time
from typing import Any

import pytest
from tests.wire.access import ADMIN_KEYS, KEYS, SUSPENSIONS, admin, bearer, made
from tests.wire.house import House, refused

from prosa.domain import access as a
from prosa.domain import errors as e
from prosa.domain.principal import CHAT, EMBED, READ


async def test_a_key_is_shown_once_and_lets_its_user_in(guarded: House) -> None:
    answer = await guarded.post(KEYS, {"name": "laptop"}, user="ana")
    assert answer.status_code == 201
    key = answer.json()
    assert key["key"].startswith("prosa-")
    assert key["key"].endswith(key["hint"])
    assert (key["userId"], key["scopes"], key["expiresAt"], key["kid"]) == ("ana", ["chat"], None, None)
    session = await guarded.get("/api/session", headers=bearer(key["key"]))
    assert session.json()["userId"] == "ana"
    conversation = await guarded.post("/api/conversations", {"title": "x"}, headers=bearer(key["key"]))
    assert (await guarded.get(f"/api/conversations/{conversation.json()['id']}", user="ana")).is_success
    listed = (await guarded.get(KEYS, user="ana")).text
    assert key["id"] in listed
    assert key["key"] not in listed
    assert (await guarded.get(KEYS, user="bia")).json()["items"] == []


async def test_a_key_for_openais_clients(guarded: House) -> None:
    key = (await made(guarded))["key"]
    body = {"model": "fake", "messages": [{"role": "user", "content": "oi"}]}
    answer = await guarded.post("/v1/chat/completions", body, headers=bearer(key))
    assert answer.json()["choices"][0]["message"]["content"] == "You said: oi"
    cookie = {"Cookie": f"prosa_session={key}", "Sec-Fetch-Site": "same-origin"}
    assert (await guarded.post("/v1/chat/completions", body, headers=cookie)).is_success


async def test_what_is_no_key_of_ours(guarded: House) -> None:
    good = (await made(guarded))["key"]
    flipped = good[:-1] + ("A" if good[-1] != "A" else "B")
    other = a.written("01900000-0000-7000-8000-000000000000", good[-43:])
    for wrong in (
        flipped,
        other,
        good[:-1],
        good + "A",
        good.upper(),
        "prosa-",
        "prosa-x",
        good[:39] + "x" * 43,
    ):
        refused(await guarded.get("/api/session", headers=bearer(wrong)), 401, e.NotAuthenticated())
    assert (await guarded.get("/api/session", headers=bearer(good))).is_success


async def test_scopes(guarded: House) -> None:
    reader = (await made(guarded, scopes=["read"]))["key"]
    talker = (await made(guarded, scopes=["chat"]))["key"]
    for key in (reader, talker):
        assert (await guarded.get("/api/conversations", headers=bearer(key))).is_success
        refused(await guarded.get(ADMIN_KEYS, headers=bearer(key)), 403, a.ScopeMissing("admin"))
        refused(await guarded.post(KEYS, {"name": "x"}, headers=bearer(key)), 403, a.ScopeMissing("account"))
        erased = await guarded.call("DELETE", "/api/users/me", headers=bearer(key))
        refused(erased, 403, a.ScopeMissing("account"))
        refused(
            await guarded.post("/api/embed-tokens", {"userId": "x"}, headers=bearer(key)),
            403,
            a.ScopeMissing(EMBED),
        )
    refused(await guarded.post("/api/conversations", {}, headers=bearer(reader)), 403, a.ScopeMissing(CHAT))
    answer = await guarded.post(
        "/v1/chat/completions", {"messages": [{"role": "user", "content": "x"}]}, headers=bearer(reader)
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "scope_missing")
    assert (await guarded.post("/api/conversations", {}, headers=bearer(talker))).status_code == 201
    operator = (await made(guarded, "op", scopes=["admin"]))["key"]
    assert (await guarded.get(ADMIN_KEYS, headers=bearer(operator))).is_success
    refused(await guarded.get("/api/conversations", headers=bearer(operator)), 403, a.ScopeMissing(READ))


async def test_nobody_gives_a_key_more_than_he_has(guarded: House) -> None:
    for scopes in (["admin"], ["embed"], ["chat", "admin"], [], ["account"]):
        answer = await guarded.post(KEYS, {"name": "x", "scopes": scopes}, user="ana")
        assert answer.status_code == 400
    answer = await guarded.post(KEYS, {"name": "x", "userId": "op", "clientId": "acme"}, user="ana")
    assert (answer.json()["userId"], answer.json()["clientId"]) == ("ana", None)
    refused(await guarded.post(ADMIN_KEYS, {"userId": "bia", "name": "x"}, user="ana"), 403, e.Forbidden())
    answer = await admin(guarded, "POST", ADMIN_KEYS, {"userId": "prosa:desk:acme", "name": "x"})
    assert answer.status_code == 400


async def test_an_expired_key(guarded: House, monkeypatch: pytest.MonkeyPatch) -> None:
    soon = time.time() + 300
    iso = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(soon))
    key = (await made(guarded, expiresAt=iso))["key"]
    assert (await guarded.get("/api/session", headers=bearer(key))).is_success
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 301)
    refused(await guarded.get("/api/session", headers=bearer(key)), 401, e.NotAuthenticated())
    past = await guarded.post(KEYS, {"name": "x", "expiresAt": "2020-01-01"}, user="ana")
    assert past.status_code == 400


async def test_a_revoked_key_is_refused_at_once(guarded: House) -> None:
    key = await made(guarded)
    assert (await guarded.get("/api/session", headers=bearer(key["key"]))).is_success
    path = f"{KEYS}/{key['id']}"
    refused(await guarded.call("DELETE", path, user="bia"), 404, a.ApiKeyNotFound())
    assert (await guarded.call("DELETE", path, user="ana")).status_code == 204
    refused(await guarded.get("/api/session", headers=bearer(key["key"])), 401, e.NotAuthenticated())
    [listed] = (await guarded.get(KEYS, user="ana")).json()["items"]
    assert listed["revokedAt"] is not None


async def test_the_last_use_is_seen(guarded: House) -> None:
    key = await made(guarded)
    await guarded.get("/api/session", headers=bearer(key["key"]))
    await guarded.chat.access.flush()
    [listed] = (await guarded.get(KEYS, user="ana")).json()["items"]
    assert listed["lastUsedAt"] is not None


async def test_one_key_is_hashed_once_however_many_come_with_it(
    guarded: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prosa.services.access import secrets

    hashed: list[str] = []
    real = secrets._fits
    monkeypatch.setattr(secrets, "_fits", lambda *given: hashed.append("once") or real(*given))
    key = (await made(guarded))["key"]
    answers = await asyncio.gather(*(guarded.get("/api/session", headers=bearer(key)) for _ in range(50)))
    assert all(answer.is_success for answer in answers)
    assert hashed == ["once"]


async def test_guesses_at_a_key_whose_id_is_known_cost_no_hash(
    guarded: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prosa.services.access import secrets

    hashed: list[str] = []
    monkeypatch.setattr(secrets, "_fits", lambda *_: hashed.append("once"))
    key = await made(guarded, scopes=["embed"])
    wrong = a.written(key["id"], "A" * 43)
    refused(await guarded.get("/api/session", headers=bearer(wrong)), 401, e.NotAuthenticated())
    assert hashed == []
    await guarded.get("/api/session", headers=bearer(wrong[:-4] + key["hint"]))
    assert hashed == ["once"]


async def test_a_flood_of_keys_is_sent_away_and_known_ones_are_served(
    guarded: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prosa.domain.ids import new_id
    from prosa.services.access import checks

    good = (await made(guarded))["key"]
    assert (await guarded.get("/api/session", headers=bearer(good))).is_success
    gate, real = asyncio.Event(), guarded.chat.store.access.get

    async def slow(key_id: str) -> Any:
        await gate.wait()
        return await real(key_id)

    monkeypatch.setattr(guarded.chat.store.access, "get", slow)
    flood = [
        asyncio.create_task(guarded.get("/api/session", headers=bearer(a.written(new_id(), a.new_secret()))))
        for _ in range(checks.MOST_CHECKED + 10)
    ]
    done, waiting = await asyncio.wait(flood, return_when=asyncio.FIRST_COMPLETED)
    assert {task.result().json()["code"] for task in done} == {"access_busy"}
    assert {task.result().headers["retry-after"] for task in done} == {"2"}
    assert (await guarded.get("/api/session", headers=bearer(good))).is_success
    gate.set()
    answers = [await task for task in waiting]
    assert {answer.status_code for answer in answers} <= {401, 503}


async def test_the_list_goes_page_by_page(guarded: House) -> None:
    ids = [(await guarded.post(KEYS, {"name": str(n)}, user="ana")).json()["id"] for n in range(3)]
    first = (await guarded.get(KEYS, user="ana", params={"limit": 2})).json()
    second = (await guarded.get(KEYS, user="ana", params={"limit": 2, "cursor": first["nextCursor"]})).json()
    assert [each["id"] for each in (*first["items"], *second["items"])] == ids[::-1]
    assert second["nextCursor"] is None
    everybody = (await admin(guarded, "GET", ADMIN_KEYS, params={"userId": "ana"})).json()["items"]
    assert len(everybody) == 3
    for cursor in ("x", "W10", "WzFd"):
        assert (await guarded.get(KEYS, user="ana", params={"cursor": cursor})).status_code == 400


async def test_a_socket_needs_a_key_that_may_talk(guarded: House) -> None:
    from tests.wire.sockets import line
    from websockets.exceptions import InvalidStatus

    reader = (await made(guarded, scopes=["read"]))["key"]
    path = "/api/websocket/chat/1"
    async with guarded.listening():
        with pytest.raises(InvalidStatus) as caught:
            async with line(guarded, path, headers=bearer(reader)):
                pass
        assert caught.value.response.status_code == 403
        async with line(guarded, path) as socket:
            await socket.say(type="auth", token=reader)
            heard, code = await socket.end()
            assert (heard[-1]["code"], code) == ("scope_missing", 4403)


async def test_it_is_all_in_the_audit_log(guarded: House) -> None:
    key = await made(guarded, "ana", clientId="acme")
    await guarded.get("/api/session", headers=bearer(key["key"]))
    await guarded.get("/api/session", headers=bearer(key["key"]))
    await admin(guarded, "POST", SUSPENSIONS, {"userId": "bia", "reason": "spam"})
    await admin(guarded, "DELETE", SUSPENSIONS, params={"userId": "bia"})
    await guarded.call("DELETE", f"{KEYS}/{key['id']}", user="ana")
    for path in (ADMIN_KEYS + "?userId=ana", SUSPENSIONS):
        assert (await admin(guarded, "GET", path)).is_success
    rows = (await admin(guarded, "GET", "/api/admin/audit")).json()["items"]
    told = [(each["actor"], each["action"], each["target"]) for each in rows[::-1]]
    mine = f"api_key:{key['id']}"
    assert [each for each in told if each[1] != "admin.audit.read"] == [
        ("op", "api_key.add", mine), (f"key:{key['id']}", "api_key.use", mine), ("op", "suspension.add", "user:bia"),
        ("op", "suspension.lift", "user:bia"), ("ana", "api_key.revoke", mine),
        ("op", "admin.api_keys.read", "user:ana"), ("op", "admin.suspensions.read", ""),
    ]  # fmt: skip
    assert key["key"] not in str(rows)
