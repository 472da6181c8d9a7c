"""Embed tokens: whom a host application lets in, for what, and how long."""

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from tests.wire.access import ADMIN_KEYS, KEYS, SUSPENSIONS, admin, bearer, made, signed, soon
from tests.wire.house import House, events, refused, said

from prosa.domain import access as a
from prosa.domain import errors as e
from prosa.domain.principal import CHAT


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
