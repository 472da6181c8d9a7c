"""Who is calling: nothing but a token of ours, in its time, makes a principal; and no page but an allowed one."""

import base64
import hashlib
import hmac
import itertools
import json
import socket
import time
from typing import Any

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from tests.wire.house import SECRET, House, furnished, refused, said, told
from tests.wire.operations import ALL, NOBODY_IDS, name_of
from tests.work import within

from prosa.domain import errors as e
from prosa.transport.operation import Operation

PATH = "/api/conversations"
SOON = int(time.time()) + 3_600


def part(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def signed(claims: object, header: dict[str, Any] | None = None, secret: str = SECRET) -> str:
    """A token with any header and any claims, signed with HMAC-SHA256."""
    head = part({"alg": "HS256", "typ": "JWT"} | (header or {})) + "." + part(claims)
    return head + "." + part(hmac.digest(secret.encode(), head.encode(), hashlib.sha256))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def refuses(house: House, *tokens: str) -> None:
    for token in tokens:
        refused(await house.get(PATH, headers=bearer(token)), 401, e.NotAuthenticated())


GOOD = {"sub": "ana", "exp": SOON}


async def test_a_good_token_is_somebody(guarded: House) -> None:
    answer = await guarded.get("/api/session", headers=bearer(signed(GOOD)))
    assert answer.json() == {
        "userId": "ana", "local": False, "operator": False, "language": "en", "defaultProvider": "fake", "defaultModel": "fake",
        "providers": ["fake", "local"],
    }  # fmt: skip
    for scheme in ("bearer", "BEARER"):
        headers = {"Authorization": f"{scheme} {signed(GOOD)}"}
        assert (await guarded.get(PATH, headers=headers)).status_code == 200


def unknown(answer: httpx2.Response) -> None:
    """Fails unless the caller is told, in the door's own form, that nobody knows him."""
    found = told(answer)
    assert (answer.status_code, found["message"]) == (401, str(e.NotAuthenticated()))
    assert found["code"] in (e.NotAuthenticated.code, "invalid_api_key")


@pytest.mark.parametrize("operation", [each for each in ALL if not each.public], ids=name_of)
async def test_without_a_token_no_route_but_the_public_ones(guarded: House, operation: Operation) -> None:
    answer = await guarded.call(operation.method, NOBODY_IDS.path(operation), {})
    unknown(answer)
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.hostile(1)
@pytest.mark.parametrize("operation", [each for each in ALL if not each.public], ids=name_of)
async def test_no_algorithm_and_no_signature(guarded: House, operation: Operation) -> None:
    for header in ({"alg": "none"}, {"alg": "None"}, {"alg": "NONE"}, {"alg": ""}, {"alg": None}, {}):
        head = part({"typ": "JWT"} | header) + "." + part(GOOD) + "."
        for token in (head, head + part(b""), head[:-1], head + part(b"x")):
            answer = await guarded.call(
                operation.method, NOBODY_IDS.path(operation), {}, headers=bearer(token)
            )
            unknown(answer)


@pytest.mark.hostile(2)
async def test_another_algorithm(guarded: House) -> None:
    key = RSAKey.generate_key(2048)
    await refuses(
        guarded,
        jwt.encode({"alg": "RS256"}, GOOD, key, algorithms=["RS256"]),
        jwt.encode({"alg": "HS512"}, GOOD, OctKey.import_key(SECRET.encode()), algorithms=["HS512"]),
        signed(GOOD, {"alg": "RS256"}),
        signed(GOOD, secret=key.as_pem(private=False).decode()),
    )


@pytest.mark.hostile(3)
async def test_a_key_that_the_token_brings(guarded: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def dialled(*_: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", dialled)
    monkeypatch.setattr(socket, "getaddrinfo", dialled)
    own = OctKey.generate_key(256)
    url = "http://127.0.0.1:9/keys"
    for header in (
        {"jwk": own.as_dict()},
        {"jku": url},
        {"x5u": url},
        {"x5c": ["MA=="]},
        {"crit": ["bork"], "bork": 1},
        {"crit": []},
    ):
        head = {"alg": "HS256"} | header
        await refuses(guarded, signed(GOOD, head), signed(GOOD, head, secret=own.as_dict()["k"]))
    assert (await guarded.get(PATH, headers=bearer(signed(GOOD, {"kid": "any"})))).status_code == 200


@pytest.mark.hostile(4)
async def test_tokens_that_begin_alike(guarded: House) -> None:
    padding = "x" * 300
    tokens = {user: signed({"pad": padding, "exp": SOON, "sub": user}) for user in ("ana", "bia")}
    assert tokens["ana"][:200] == tokens["bia"][:200]
    for _ in range(2):
        for user, token in tokens.items():
            assert (await guarded.get("/api/session", headers=bearer(token))).json()["userId"] == user
    token = tokens["ana"]
    await refuses(
        guarded, token[:-4] + "AAAA", token[:-1], token + "A", token + ".x", token.replace(".", "..", 1)
    )
    other = tokens["bia"].rpartition(".")[2]
    await refuses(guarded, token.rpartition(".")[0] + "." + other)


@pytest.mark.hostile(5)
@pytest.mark.parametrize(
    "claims",
    [
        {"exp": SOON}, {"sub": "ana"}, {"sub": "ana", "exp": 1}, {"sub": "ana", "exp": str(SOON)}, {"sub": "ana", "exp": None},
        {"sub": "ana", "exp": True}, {"sub": "ana", "exp": [SOON]}, {"sub": "ana", "exp": float("nan")},
        GOOD | {"nbf": SOON}, GOOD | {"nbf": "0"}, GOOD | {"nbf": None}, GOOD | {"nbf": float("nan")},
        GOOD | {"sub": ["ana"]}, GOOD | {"sub": ""}, GOOD | {"sub": None}, GOOD | {"sub": 7}, GOOD | {"sub": {"a": 1}},
        GOOD | {"sub": "a\0"}, GOOD | {"sub": "\ud800"}, GOOD | {"sub": "x" * 256}, GOOD | {"client_id": 7},
        GOOD | {"client_id": ["x"]}, GOOD | {"sub": "prosa:desk:acme"}, GOOD | {"client_id": "a\0"}, GOOD | {"aud": "prosa-sign-in"}, [], "ana", None, 7, [GOOD],
    ],
)  # fmt: skip
async def test_claims_that_do_not_do(guarded: House, claims: object) -> None:
    await refuses(guarded, signed(claims))


@pytest.mark.hostile(5)
async def test_issuer_and_audience_where_they_are_set(tmp_path) -> None:
    async with furnished(
        tmp_path, jwt_secret=SECRET, jwt_issuer="https://id.example", jwt_audience="prosa"
    ) as house:
        good = GOOD | {"iss": "https://id.example", "aud": "prosa"}
        for claims in (good, good | {"aud": ["other", "prosa"]}):
            assert (await house.get(PATH, headers=bearer(signed(claims)))).status_code == 200
        for wrong in (
            {"iss": "https://evil.example"},
            {"iss": None},
            {"aud": "other"},
            {"aud": []},
            {"aud": {"prosa": 1}},
        ):
            await refuses(house, signed(good | wrong))
        for name in ("iss", "aud"):
            await refuses(house, signed({key: value for key, value in good.items() if key != name}))


async def test_a_token_ends_while_it_is_remembered(guarded: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from prosa.transport import identity

    token = signed(GOOD)
    assert (await guarded.get(PATH, headers=bearer(token))).status_code == 200
    monkeypatch.setattr(identity.time, "time", lambda: SOON + 1)
    await refuses(guarded, token, token)


@pytest.mark.hostile(8)
@pytest.mark.parametrize(
    "odd",
    ["' OR '1'='1", "a\x00b", "x" * 65_536, "é" * 100, "\xff\xfe", ".", "..", "...", "a.b.c", "." * 8_000, "=" * 8_000,
     "eyJ" * 20_000, '"' * 60_000, "\\" * 60_000, "; " * 30_000, "a=" * 30_000, " " * 60_000, "e30.e30.e30"],
    ids=range(18),
)  # fmt: skip
async def test_an_odd_credential_is_refused_at_once(guarded: House, odd: str) -> None:
    value = odd.encode("latin-1")
    for query, *headers in (
        (b"", (b"authorization", b"Bearer " + value)),
        (b"", (b"cookie", b"prosa_session=" + value)),
        (b"token=" + value,),
    ):
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any], sent: list[dict[str, Any]] = sent) -> None:
            sent.append(message)

        scope = {
            "type": "http", "method": "GET", "path": PATH, "query_string": query, "root_path": "",
            "headers": [(b"host", b"localhost"), *headers],
        }  # fmt: skip
        with within(0.05):
            await guarded.app(scope, None, send)
        assert sent[0]["status"] == 401
        answer = b"".join(message.get("body", b"") for message in sent) + repr(sent[0]["headers"]).encode()
        assert len(odd) < 4 or value[:40] not in answer


async def test_a_token_in_the_address_is_none(guarded: House) -> None:
    for name in ("token", "access_token", "jwt"):
        assert (await guarded.get(PATH, params={name: signed(GOOD)})).status_code == 401


# The cookie


def cookie(house: House, user: str = "ana") -> dict[str, str]:
    return {"Cookie": f"other=1; prosa_session={house.token(user)}; more=2"}


async def test_the_cookie_is_as_good_as_a_token(guarded: House) -> None:
    assert (await guarded.get("/api/session", headers=cookie(guarded))).json()["userId"] == "ana"
    answer = await guarded.get("/api/session", headers=cookie(guarded) | bearer(guarded.token("bia")))
    assert answer.json()["userId"] == "bia"
    assert (await guarded.get("/api/session", headers=cookie(guarded) | bearer("x"))).status_code == 401


@pytest.mark.parametrize(
    "odd",
    [
        'prefs={"a":1}',
        "n=José",
        "a=b c",
        "flag",
        "x[1]=2",
        "secure",
        "",
        "=",
        "a=b=c",
        '"',
        "Path=/",
        "a,b=c",
        "\x01=\xff",
    ],
)
async def test_cookies_of_other_programs_do_not_hide_ours(guarded: House, odd: str) -> None:
    mine = f"prosa_session={guarded.token('ana')}"
    for several in (f"{odd}; {mine}", f"{mine}; {odd}", f"{odd};{mine};{odd}"):
        answer = await guarded.get("/api/session", headers=[(b"cookie", several.encode("latin-1"))])
        assert answer.status_code == 200, several
        assert answer.json()["userId"] == "ana"


@pytest.mark.hostile(69)
async def test_a_cookie_that_writes_must_come_from_our_page(guarded: House) -> None:
    start = (await guarded.send(await guarded.conversation("ana"), user="ana"))[0]
    events = f"/api/chat/runs/{start['runId']}/events"
    mine = cookie(guarded)
    for proof in (
        {"Origin": "http://localhost"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
    ):
        assert (await guarded.post(PATH, {}, headers=mine | proof)).status_code == 201
        assert (await guarded.get(events, headers=mine | proof)).status_code == 200
    for proof in (
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
    ):
        refused(await guarded.post(PATH, {}, headers=mine | proof), 403, e.OriginRefused())
        # Another scheme is no token: the cookie is what counts, so the proof is still needed.
        basic = {"Authorization": "Basic YTpi"}
        refused(await guarded.post(PATH, {}, headers=mine | proof | basic), 403, e.OriginRefused())
    # What changes nothing needs no proof: over plain http a browser gives none with its own page's GET.
    for path in (PATH, events):
        assert (await guarded.get(path, headers=mine)).status_code == 200
        refused(
            await guarded.get(path, headers=mine | {"Origin": "https://evil.example"}), 403, e.OriginRefused()
        )


async def test_the_cookie_has_the_name_of_the_settings(tmp_path) -> None:
    async with furnished(tmp_path, jwt_secret=SECRET, jwt_cookie="__session") as house:
        token = house.token("ana")
        assert (await house.get(PATH, headers={"Cookie": f"__session={token}"})).status_code == 200
        assert (await house.get(PATH, headers={"Cookie": f"prosa_session={token}"})).status_code == 401


async def test_a_sign_in_link_works_once(guarded: House) -> None:
    link = guarded.identity.sign_in_link({"sub": "ana", "client_id": "acme"}, "link-1", int(time.time()) + 60)
    await refuses(guarded, link)
    answer = await guarded.post("/api/session", {"token": link})
    assert answer.status_code == 204
    given = answer.headers["set-cookie"]
    assert "HttpOnly" in given
    assert "SameSite=Lax" in given
    assert "Path=/" in given
    name, _, value = given.partition(";")[0].partition("=")
    assert (await guarded.get("/api/session", headers={"Cookie": f"{name}={value}"})).json()[
        "userId"
    ] == "ana"
    refused(await guarded.post("/api/session", {"token": link}), 401, e.NotAuthenticated())
    out = await guarded.call("DELETE", "/api/session")
    assert (out.status_code, "Max-Age=0" in out.headers["set-cookie"]) == (204, True)


async def test_what_is_no_sign_in_link(guarded: House) -> None:
    link = {"sub": "ana", "aud": "prosa-sign-in", "jti": "j", "exp": SOON}
    for claims in (GOOD, link | {"exp": 1}, link | {"jti": 7}, link | {"aud": ["prosa-sign-in"]}, link | {"sub": None},
                   {key: value for key, value in link.items() if key != "jti"}):  # fmt: skip
        refused(await guarded.post("/api/session", {"token": signed(claims)}), 401, e.NotAuthenticated())
    assert (await guarded.post("/api/session", {"token": signed(link)})).status_code == 204


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
async def test_the_cookie_is_for_https_alone_where_it_comes_over_https(tmp_path, host: str) -> None:
    async with furnished(tmp_path, jwt_secret=SECRET, host=host) as house:
        for scheme in ("http", "https"):
            house.base_url = f"{scheme}://localhost"
            link = house.identity.sign_in_link({"sub": "ana"}, scheme, SOON)
            for answer in (
                await house.post("/api/session", {"token": link}),
                await house.call("DELETE", "/api/session"),
            ):
                assert ("Secure" in answer.headers["set-cookie"]) == (scheme == "https")


async def test_a_proxy_on_this_machine_says_that_it_is_https(guarded: House) -> None:
    async with guarded.listening():
        answer = await guarded.call("DELETE", "/api/session", headers={"X-Forwarded-Proto": "https"})
        assert "Secure" in answer.headers["set-cookie"]
        assert "Secure" not in (await guarded.call("DELETE", "/api/session")).headers["set-cookie"]


async def test_without_tokens_there_is_nothing_to_sign_in_to(local: House) -> None:
    assert (await local.get("/api/session")).json()["local"] is True
    refused(await local.post("/api/session", {"token": "x"}), 401, e.NotAuthenticated())
    assert said(await local.send(await local.conversation())) == "You said: Olá!"


# Hosts and origins

METHODS = ["GET", "POST", "PATCH", "DELETE", "PUT", "OPTIONS", "HEAD"]


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.nip.example", "", "169.254.1.1", "[::2]", "local"],
)
async def test_without_tokens_only_this_machines_names(local: House, host: str) -> None:
    for path in ("/", "/health", "/api/session", PATH):
        refused(await local.get(path, headers={"Host": host}), 403, e.HostRefused())


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:1", "[::1]:8000", "[::1]"])
async def test_this_machines_names(local: House, host: str) -> None:
    assert (await local.get("/api/session", headers={"Host": host})).status_code == 200


async def test_with_tokens_any_name(guarded: House) -> None:
    assert (await guarded.get("/health", headers={"Host": "chat.example"})).status_code == 200


@pytest.mark.hostile(69)
@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "", "http://localhost.evil.example", "http://localhost:8000.evil.example", "file://",
     "http://127.0.0.1@evil.example", "ftp://localhost", "http://localhost/", "http://LOCALHOST"],
)  # fmt: skip
async def test_a_foreign_origin_is_refused(local: House, origin: str) -> None:
    for method, path in itertools.product(METHODS, (PATH, "/api/chat", "/")):
        answer = await local.call(method, path, headers={"Origin": origin, "Content-Type": "text/plain"})
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers
    assert local.calls == []


@pytest.mark.parametrize(
    "origin", ["http://localhost", "http://localhost:3000", "https://127.0.0.1:9", "http://[::1]:1"]
)
async def test_any_page_of_this_machine_may_call_without_tokens(local: House, origin: str) -> None:
    answer = await local.get(PATH, headers={"Origin": origin})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["vary"] == "Origin"
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type, x-stainless-lang",
    }
    preflight = await local.call("OPTIONS", "/api/chat/send", headers=asked)
    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (204, origin)
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert preflight.headers["access-control-allow-headers"] == "content-type, x-stainless-lang"


async def test_with_tokens_only_the_listed_origins_and_our_own(tmp_path) -> None:
    async with furnished(
        tmp_path, jwt_secret=SECRET, allowed_origins="https://app.example, https://two.example/"
    ) as house:
        for origin, status in (
            ("https://app.example", 200), ("https://two.example", 200), ("http://localhost", 200),
            ("http://localhost:3000", 403), ("http://app.example", 403), ("https://app.example:444", 403),
            ("https://app.example.evil.example", 403), ("https://evil.example/https://app.example", 403), ("null", 403),
        ):  # fmt: skip
            answer = await house.get(PATH, user="ana", headers={"Origin": origin})
            assert answer.status_code == status, origin
    async with furnished(tmp_path, jwt_secret=SECRET, allowed_origins="*") as house:
        assert (
            await house.get(PATH, user="ana", headers={"Origin": "https://evil.example"})
        ).status_code == 403


async def test_a_refusal_can_be_read_by_an_allowed_page(local: House) -> None:
    answer = await local.get("/nowhere", headers={"Origin": "http://localhost:3000"})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (
        404,
        "http://localhost:3000",
    )
