"""API keys, embed tokens and suspensions: what each lets in, what it does not, and how it ends."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from tests.wire.house import House, events, refused, said

from prosa.domain import access as a
from prosa.domain import errors as e
from prosa.domain.principal import CHAT, COMMAND, EMBED, READ

KEYS, ADMIN_KEYS, SUSPENSIONS = "/api/api-keys", "/api/admin/api-keys", "/api/admin/suspensions"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def made(house: House, user: str = "ana", **fields: Any) -> dict[str, Any]:
    """A key that an operator makes for a user."""
    body = {"userId": user, "name": "a key", **fields}
    answer = await house.post(ADMIN_KEYS, body, user="op", roles=["admin"])
    assert answer.status_code == 201, answer.text
    return answer.json()


async def admin(house: House, method: str, path: str, body: Any = None, **more: Any) -> httpx2.Response:
    return await house.call(method, path, body, user="op", roles=["admin"], **more)


# API keys


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


# Suspension


Credential = Callable[[House], Any]


async def _by_token(house: House) -> str:
    return house.token("ana", client_id="acme")


async def _by_key(house: House) -> str:
    return (await made(house, "ana", clientId="acme"))["key"]


@pytest.mark.hostile(9)
@pytest.mark.parametrize("credential", [_by_token, _by_key], ids=["token", "api key"])
@pytest.mark.parametrize("who", [{"userId": "ana"}, {"clientId": "acme"}], ids=["user", "client"])
async def test_a_suspended_caller_is_cut_off_and_refused(
    guarded: House, credential: Credential, who: dict[str, str]
) -> None:
    gate = asyncio.Event()
    guarded.script = ["um", gate, "dois"]
    token = await credential(guarded)
    made_one = await guarded.post("/api/conversations", {}, headers=bearer(token))
    conversation = made_one.json()["id"]
    async with guarded.listening(), guarded.client(**bearer(token)) as client:
        body = {"conversationId": conversation, "content": "x"}
        async with client.stream("POST", "/api/chat/send", json=body) as stream:
            lines = stream.aiter_lines()
            first = await anext(lines)
            while "um" not in first:
                first = await anext(lines)
            began = time.monotonic()
            assert (await admin(guarded, "POST", SUSPENSIONS, {**who, "reason": "spam"})).status_code == 201
            with pytest.raises(httpx2.RemoteProtocolError):
                async for _ in lines:
                    pass
            assert time.monotonic() - began < 5
        for headers in (bearer(token), {"Cookie": f"prosa_session={token}"}):
            refused(await guarded.get("/api/session", headers=headers), 403, a.Suspended())
        lifted = await admin(guarded, "DELETE", SUSPENSIONS, params=who)
        assert lifted.status_code == 204
        gate.set()
        answer = {}
        while not answer or answer["items"][-1]["status"] == "in_progress":
            found = await client.get(f"/api/conversations/{conversation}/messages")
            answer = found.json()
        # The run is the server's: it goes on to its end.
        assert answer["items"][-1]["content"] == "umdois"


@pytest.mark.hostile(9)
@pytest.mark.parametrize("how", ["suspended", "revoked"])
async def test_a_stream_that_outlasts_its_credential_is_cut_off_all_the_same(
    guarded: House, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    soon_over = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 300))
    key = await made(guarded, "ana", expiresAt=soon_over)
    given = await guarded.chat.access.checks.admit(key["key"])
    standing = guarded.chat.access.standing
    began = asyncio.Event()

    async def read() -> None:
        with standing.attending(given, given.principal):
            began.set()
            await asyncio.Event().wait()

    reading = asyncio.create_task(read())
    await began.wait()
    real, later = time.time, time.time() + 301
    monkeypatch.setattr(time, "time", lambda: max(real(), later))
    await guarded.chat.access.refresh()
    await asyncio.sleep(0)
    assert not reading.done()
    if how == "suspended":
        await guarded.chat.access.suspend("user", "ana", COMMAND)
    else:
        await guarded.chat.access.revoke(key["id"], None, COMMAND)
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(5):
            await reading


@pytest.mark.hostile(9)
async def test_who_is_suspended_as_his_answer_begins_gets_none(
    guarded: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = guarded.chat.engine.start

    async def start(*given: Any) -> Any:
        begun = await real(*given)
        await admin(guarded, "POST", SUSPENSIONS, {"userId": "ana"})
        return begun

    conversation = await guarded.conversation("ana")
    monkeypatch.setattr(guarded.chat.engine, "start", start)
    answer = await guarded.post(
        "/api/chat/send", {"conversationId": conversation, "content": "x"}, user="ana"
    )
    refused(answer, 403, a.Suspended())


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


@pytest.mark.hostile(9)
async def test_a_demoted_operator_is_a_user(guarded: House) -> None:
    token = guarded.token("eva", roles=["admin"])
    key = (await made(guarded, "eva", scopes=["admin"]))["key"]
    for credential in (token, key):
        assert (await guarded.get(ADMIN_KEYS, headers=bearer(credential))).is_success
    demoted = await admin(guarded, "POST", SUSPENSIONS, {"userId": "eva", "only": "admin"})
    assert demoted.json()["only"] == "admin"
    for credential in (token, key):
        refused(await guarded.get(ADMIN_KEYS, headers=bearer(credential)), 403, e.Forbidden())
    assert (await guarded.get("/api/conversations", headers=bearer(token))).is_success


@pytest.mark.hostile(9)
async def test_a_demoted_operator_s_streams_are_closed(guarded: House) -> None:
    """They were opened by one who could do more than he now can."""
    conversation = await guarded.conversation("eva")
    token = guarded.token("eva", roles=["admin"])
    async with guarded.listening(), guarded.client(**bearer(token)) as client:
        async with client.stream("GET", f"/api/conversations/{conversation}/events") as stream:
            lines = stream.aiter_lines()
            await anext(lines)
            await admin(guarded, "POST", SUSPENSIONS, {"userId": "eva", "only": "admin"})
            with pytest.raises(httpx2.RemoteProtocolError):
                async for _ in lines:
                    pass
        async with client.stream("GET", f"/api/conversations/{conversation}/events") as stream:
            assert stream.status_code == 200


@pytest.mark.hostile(9)
async def test_the_doors_of_openai_tell_it_in_their_way(guarded: House) -> None:
    gate = asyncio.Event()
    guarded.script = ["um", gate, "dois"]
    key = (await made(guarded))["key"]
    body = {"model": "fake", "messages": [{"role": "user", "content": "x"}], "stream": True}
    async with guarded.listening(), guarded.client(**bearer(key)) as client:
        async with client.stream("POST", "/v1/chat/completions", json=body) as stream:
            lines = stream.aiter_lines()
            while "um" not in await anext(lines):
                pass
            await admin(guarded, "POST", SUSPENSIONS, {"userId": "ana"})
            with pytest.raises(httpx2.RemoteProtocolError):
                async for _ in lines:
                    pass
        answer = await client.post("/v1/chat/completions", json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "suspended")


async def test_an_operator_of_a_client_acts_as_himself_alone(
    guarded: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = bearer(guarded.token("op", client_id="acme", roles=["admin"]))
    lifted = await guarded.call("DELETE", SUSPENSIONS, params={"userId": "ana"}, headers=who)
    refused(lifted, 404, a.SuspensionNotFound())
    rows = (await guarded.get("/api/admin/audit?action=suspension.lift", headers=who)).json()["items"]
    assert [each["actor"] for each in rows] == ["op"]
    erased: list[str] = []

    async def erase(by: Any, scope: Any, subject: str) -> Any:
        erased.append(subject)
        raise e.ConversationNotFound

    monkeypatch.setattr(guarded.chat.erasing, "erase", erase)
    assert (await guarded.call("DELETE", "/api/users/me", headers=who)).status_code == 404
    assert erased == ["op"]


async def test_taking_the_role_away_lifts_no_suspension(guarded: House) -> None:
    for body in ({"userId": "eva"}, {"userId": "eva", "only": "admin"}):
        answer = await admin(guarded, "POST", SUSPENSIONS, body)
    refused(answer, 409, a.AlreadySuspended())
    refused(await guarded.get("/api/session", user="eva"), 403, a.Suspended())


async def test_suspensions_are_listed_and_lifted(guarded: House) -> None:
    for who in ({"userId": "ana"}, {"clientId": "acme"}):
        assert (await admin(guarded, "POST", SUSPENSIONS, {**who, "reason": "r"})).status_code == 201
    listed = (await admin(guarded, "GET", SUSPENSIONS)).json()["items"]
    assert [(each["userId"], each["clientId"], each["reason"], each["createdBy"]) for each in listed] == [
        ("ana", None, "r", "op"), (None, "acme", "r", "op"),
    ]  # fmt: skip
    assert (await admin(guarded, "DELETE", SUSPENSIONS, params={"userId": "ana"})).status_code == 204
    refused(
        await admin(guarded, "DELETE", SUSPENSIONS, params={"userId": "ana"}), 404, a.SuspensionNotFound()
    )
    for wrong in ({}, {"userId": "x", "clientId": "y"}):
        assert (await admin(guarded, "POST", SUSPENSIONS, wrong)).status_code == 400
        assert (await admin(guarded, "DELETE", SUSPENSIONS, params=wrong)).status_code == 400
    assert (await admin(guarded, "POST", SUSPENSIONS, {"userId": "op"})).status_code == 400
    assert (await guarded.get(KEYS, user="ana")).is_success


async def test_a_suspended_user_signs_in_no_more(guarded: House) -> None:
    link = guarded.identity.sign_in_link({"sub": "ana"}, "link", int(time.time()) + 60)
    await admin(guarded, "POST", SUSPENSIONS, {"userId": "ana"})
    refused(await guarded.post("/api/session", {"token": link}), 403, a.Suspended())


# Embed tokens


def signed(key: dict[str, Any], claims: dict[str, Any], **header: Any) -> str:
    head = {"alg": "HS256", "kid": key["kid"], **header}
    return jwt.encode(head, claims, OctKey.import_key(key["signingSecret"].encode()))


def soon(seconds: int = 600) -> int:
    return int(time.time()) + seconds


async def test_a_host_signs_for_its_users(guarded: House) -> None:
    host = await made(guarded, "shop", clientId="acme", scopes=["embed"])
    token = signed(host, {"sub": "u1", "exp": soon()})
    assert (await guarded.get("/api/session", headers=bearer(token))).json()[
        "userId"
    ] == "prosa:guest:acme:u1"
    answer = await guarded.post("/api/conversations", {}, headers=bearer(token))
    happened = await guarded.post(
        "/api/chat/send", {"conversationId": answer.json()["id"], "content": "oi"}, headers=bearer(token)
    )
    assert said(events(happened.content)) == "You said: oi"
    given = await guarded.post("/api/embed-tokens", {"userId": "u1"}, headers=bearer(host["key"]))
    assert given.status_code == 201
    listed = await guarded.get("/api/conversations", headers=bearer(given.json()["token"]))
    assert [each["id"] for each in listed.json()["items"]] == [answer.json()["id"]]
    for other in ("u2", "acme:u1"):
        token = signed(host, {"sub": other, "exp": soon()})
        assert (await guarded.get("/api/conversations", headers=bearer(token))).json()["items"] == []


async def test_a_guest_is_no_user_of_the_same_name_and_shares_nothing(guarded: House) -> None:
    host = await made(guarded, "shop", clientId="acme", scopes=["embed"])
    await guarded.conversation("u1", title="of the user")
    from prosa.domain.principal import Principal
    from prosa.services.tickets import Following, Question

    found = await guarded.chat.tickets.ask(Principal("agent", "acme"), "T-1", Question("x"))
    assert isinstance(found, Following)
    while await found.reader.read():
        pass
    token = signed(host, {"sub": "u1", "exp": soon(), "client_id": "acme"})
    assert (await guarded.get("/api/conversations", headers=bearer(token))).json()["items"] == []
    assert (await guarded.get("/api/tickets", headers=bearer(token))).json()["items"] == []
    assert (await guarded.get("/api/tickets/T-1", headers=bearer(token))).status_code == 404
    agent = guarded.token("agent2", client_id="acme")
    assert (await guarded.get("/api/tickets/T-1", headers=bearer(agent))).is_success


async def test_an_embed_token_only_narrows(guarded: House) -> None:
    host = await made(guarded, "shop", clientId="acme", scopes=["embed"])
    good = {"sub": "u", "exp": soon()}
    reader = signed(host, good | {"scopes": ["read"]})
    assert (await guarded.get("/api/conversations", headers=bearer(reader))).is_success
    refused(await guarded.post("/api/conversations", {}, headers=bearer(reader)), 403, a.ScopeMissing(CHAT))
    operator = signed(host, good | {"roles": ["admin"]})
    refused(await guarded.get(ADMIN_KEYS, headers=bearer(operator)), 403, a.ScopeMissing("admin"))
    refused(await guarded.post(KEYS, {"name": "x"}, headers=bearer(operator)), 403, a.ScopeMissing("account"))
    for wrong in (
        {"exp": soon(3_700)}, {"exp": 10**400}, {"exp": 1}, {"sub": ""}, {"sub": None}, {"sub": ["u"]}, {"client_id": "other"},
        {"limits": "none"}, {"limits": {"tokensPerDay": -1}}, {"scopes": ["admin"]}, {"scopes": ["embed"]}, {"scopes": "chat"}, {"scopes": [["chat"]]}, {"nbf": soon()},
    ):  # fmt: skip
        token = signed(host, good | wrong)
        refused(await guarded.get("/api/session", headers=bearer(token)), 401, e.NotAuthenticated())


async def test_limits_of_an_embed_token_and_of_a_link_are_kept(guarded: House) -> None:
    host = await made(guarded, "shop", scopes=["embed"])
    body = {"messages": [{"role": "user", "content": "a long question " * 20}], "model": "fake"}
    for tokens, status in ((10, 429), (100_000, 200)):
        token = signed(host, {"sub": "u", "exp": soon(), "limits": {"tokensPerDay": tokens}})
        answer = await guarded.post("/v1/chat/completions", body, headers=bearer(token))
        assert answer.status_code == status, answer.text
    who = {"sub": "ana", "limits": {"tokensPerDay": 10}}
    link = guarded.identity.sign_in_link(who, "link", soon())
    given = await guarded.post("/api/session", {"token": link})
    cookie = {"Cookie": given.headers["set-cookie"].partition(";")[0], "Sec-Fetch-Site": "same-origin"}
    assert (await guarded.post("/v1/chat/completions", body, headers=cookie)).status_code == 429


async def test_limits_of_a_token_hold_for_the_keys_that_it_makes(guarded: House) -> None:
    token = guarded.token("ana", limits={"tokensPerDay": 10, "costPerMonth": 2.5})
    key = await guarded.post(KEYS, {"name": "a way around"}, headers=bearer(token))
    body = {"messages": [{"role": "user", "content": "a long question " * 20}], "model": "fake"}
    answer = await guarded.post("/v1/chat/completions", body, headers=bearer(key.json()["key"]))
    assert answer.status_code == 429, answer.text
    host = guarded.token("op", roles=["admin"], limits={"tokensPerDay": 10})
    asked = {"userId": "op", "name": "shop", "scopes": ["embed"]}
    signer = (await guarded.post(ADMIN_KEYS, asked, headers=bearer(host))).json()
    for more in ({}, {"limits": {"tokensPerDay": 100_000}}):
        guest = signed(signer, {"sub": "u", "exp": soon(), **more})
        answer = await guarded.post("/v1/chat/completions", body, headers=bearer(guest))
        assert answer.status_code == 429, answer.text
    free = (await guarded.post(KEYS, {"name": "free"}, user="ana")).json()["key"]
    assert (await guarded.post("/v1/chat/completions", body, headers=bearer(free))).is_success


async def test_a_host_without_a_client_is_no_client_of_its_name(guarded: House) -> None:
    tenant = await made(guarded, "shop", clientId="acme", scopes=["embed"])
    person = await made(guarded, "acme", scopes=["embed"])
    one, other = (signed(host, {"sub": "u", "exp": soon()}) for host in (tenant, person))
    conversation = (await guarded.post("/api/conversations", {}, headers=bearer(one))).json()["id"]
    found = await guarded.get(f"/api/conversations/{conversation}", headers=bearer(other))
    assert found.status_code == 404


async def test_an_embed_token_of_the_wrong_key(guarded: House) -> None:
    host = await made(guarded, "shop", scopes=["embed"])
    plain = await made(guarded, "shop", scopes=["chat"])
    good = {"sub": "u", "exp": soon()}
    unknown = "embed-" + "0" * 32
    stranger = guarded.identity.sign(good).split(".")[1:]
    own = jwt.encode(
        {"alg": "HS256", "kid": host["kid"]},
        good,
        OctKey.import_key(guarded.settings.jwt_secret.get_secret_value().encode()),
    )
    for wrong in (
        signed(host, good, kid=unknown), signed(host, good, kid="embed-x"), signed(host, good, kid="embed-" + plain["id"].replace("-", "")),
        signed(host, good, kid=host["id"]), own, ".".join([signed(host, good).split(".")[0], *stranger]),
    ):  # fmt: skip
        refused(await guarded.get("/api/session", headers=bearer(wrong)), 401, e.NotAuthenticated())


@pytest.mark.hostile(9)
async def test_embed_tokens_end_with_their_key_and_their_host(guarded: House) -> None:
    host = await made(guarded, "shop", scopes=["embed"])
    token = signed(host, {"sub": "u", "exp": soon()})
    assert (await guarded.get("/api/session", headers=bearer(token))).is_success
    await admin(guarded, "POST", SUSPENSIONS, {"userId": "shop"})
    refused(await guarded.get("/api/session", headers=bearer(token)), 403, a.Suspended())
    await admin(guarded, "DELETE", SUSPENSIONS, params={"userId": "shop"})
    await admin(guarded, "POST", SUSPENSIONS, {"userId": "prosa:guest:@shop:u"})
    refused(await guarded.get("/api/session", headers=bearer(token)), 403, a.Suspended())
    await admin(guarded, "DELETE", SUSPENSIONS, params={"userId": "prosa:guest:@shop:u"})
    assert (await guarded.get("/api/session", headers=bearer(token))).is_success
    await admin(guarded, "DELETE", f"{ADMIN_KEYS}/{host['id']}")
    for again in (token, signed(host, {"sub": "other", "exp": soon()})):
        refused(await guarded.get("/api/session", headers=bearer(again)), 401, e.NotAuthenticated())


async def test_signing_secrets_outlive_the_master_key(guarded: House) -> None:
    host = await made(guarded, "shop", scopes=["embed"])
    for _ in range(2):
        assert (await admin(guarded, "POST", "/api/admin/master/rotate")).json() == {"resealed": 1}
        guarded.chat.access.checks._signers.clear()
        token = signed(host, {"sub": "u", "exp": soon()})
        assert (await guarded.get("/api/session", headers=bearer(token))).is_success


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
