"""Who is suspended is cut off and refused, whatever he comes with, until it is lifted."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from tests.wire.access import ADMIN_KEYS, KEYS, SUSPENSIONS, admin, bearer, made
from tests.wire.house import House, refused

from prosa.domain import access as a
from prosa.domain import errors as e
from prosa.domain.principal import COMMAND

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
