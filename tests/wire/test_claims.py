"""Tokens as Clerk, Auth0 and Supabase make them, and what the settings make of their claims."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.keyhost import KEYS, KeyHost, keyhost, published, signed
from tests.wire.house import SECRET, House, furnished, refused

from prosa.domain import errors as e
from prosa.transport.identity import find

SOON = int(time.time()) + 1_800
CLERK = {
    "azp": "https://app.example", "exp": SOON, "fva": [0, -1], "iat": SOON - 1_860, "iss": "https://app.clerk.example", "nbf": SOON - 1_870,
    "o": {"id": "org_1", "rol": "admin", "slg": "acme"}, "sid": "sess_1", "sts": "active", "sub": "user_1", "v": 2,
}  # fmt: skip
AUTH0 = {
    "iss": "https://you.eu.auth0.example/", "sub": "auth0|1", "aud": ["https://chat.example", "https://you.eu.auth0.example/userinfo"],
    "iat": SOON - 1_860, "exp": SOON, "scope": "openid profile", "azp": "spa_1", "https://chat.example/roles": ["admin", "x"],
    "https://chat.example/tenant": "acme",
}  # fmt: skip
SUPABASE = {
    "aal": "aal1", "aud": "authenticated", "email": "ana@example.org", "exp": SOON, "iat": SOON - 1_860, "iss": "https://ref.supabase.example/auth/v1",
    "app_metadata": {"provider": "email", "roles": ["admin"], "tenant": {"id": "acme"}}, "role": "authenticated", "sub": "5f1c", "user_metadata": {},
}  # fmt: skip
MAKERS: dict[str, tuple[dict[str, Any], str, dict[str, Any], dict[str, str]]] = {
    "Clerk": (CLERK, "RS256", {"cat": "cl_B7d4PD111AAA", "typ": "JWT"}, {
        "jwt_issuer": "https://app.clerk.example", "jwt_azp": "https://app.example, https://other.example",
        "jwt_client_claim": "o.id", "jwt_roles_claim": "o.rol",
    }),
    "Auth0": (AUTH0, "RS256", {"typ": "JWT"}, {
        "jwt_issuer": "https://you.eu.auth0.example/", "jwt_audience": "https://chat.example",
        "jwt_client_claim": "https://chat.example/tenant", "jwt_roles_claim": "https://chat.example/roles",
    }),
    "Supabase": (SUPABASE, "ES256", {"typ": "JWT"}, {
        "jwt_issuer": "https://ref.supabase.example/auth/v1", "jwt_audience": "authenticated",
        "jwt_client_claim": "app_metadata.tenant.id", "jwt_roles_claim": "app_metadata.roles",
    }),
}  # fmt: skip


@pytest.fixture
def host() -> Iterator[KeyHost]:
    with keyhost() as found:
        found.answer = 200, {}, published("rsa", "ec-256")
        yield found


async def who(house: House, token: str) -> tuple[str, str, bool]:
    given = await house.identity.verify(token)
    principal = house.chat.access.standing.admit(given)
    return principal.user_id, principal.client_id, principal.is_operator


@pytest.mark.parametrize("name", MAKERS)
async def test_what_they_make_is_understood(tmp_path: Path, host: KeyHost, name: str) -> None:
    claims, algorithm, header, settings = MAKERS[name]
    key = KEYS["rsa" if algorithm == "RS256" else "ec-256"]
    async with furnished(tmp_path, jwks_url=host.url, **settings) as house:
        token = signed(claims, algorithm, key, **header)
        assert await who(house, token) == (claims["sub"], "org_1" if name == "Clerk" else "acme", True)
        answer = await house.get("/api/session", headers={"Authorization": f"Bearer {token}"})
        assert answer.json()["userId"] == claims["sub"]
        for changed in ({"iss": "https://evil.example"}, {"exp": 1}, {"sub": None}):
            with pytest.raises(e.NotAuthenticated):
                await house.identity.verify(signed(claims | changed, algorithm, key, **header))
    assert host.asked == 2, "the application has one of its own"


@pytest.mark.hostile(2)
async def test_with_published_keys_alone_no_secret_counts(tmp_path: Path, host: KeyHost) -> None:
    async with furnished(tmp_path, jwks_url=host.url) as house:
        assert not house.identity.local
        assert not house.identity.signs
        from prosa.transport.identity import Identity

        token = Identity(SECRET, "c").sign({"sub": "ana", "exp": SOON})
        answer = await house.get("/api/session", headers={"Authorization": f"Bearer {token}"})
        refused(answer, 401, e.NotAuthenticated())
        link = Identity(SECRET, "c").sign_in_link({"sub": "ana"}, "j", SOON)
        refused(await house.post("/api/session", {"token": link}), 401, e.NotAuthenticated())
        good = signed({"sub": "ana", "exp": SOON}, "RS256", KEYS["rsa"])
        assert (await who(house, good))[0] == "ana"


async def test_our_own_tokens_say_what_the_settings_ask_for(tmp_path: Path) -> None:
    settings = {
        "jwt_user_claim": "who.id", "jwt_client_claim": "who.org", "jwt_roles_claim": "https://x.example/roles", "admin_role": "owner",
        "jwt_issuer": "https://id.example", "jwt_audience": "prosa", "jwt_azp": "a, b",
    }  # fmt: skip
    async with furnished(tmp_path, jwt_secret=SECRET, **settings) as house:
        for admin in (True, False):
            claims = {**house.identity.claim("ana", "acme", admin=admin), "exp": SOON}
            assert await who(house, house.identity.sign(claims)) == ("ana", "acme", admin)
        plain = house.identity.claim("ana")
        for roles, operator in (
            (["admin"], False),
            (["owner"], True),
            ("owner", True),
            ({"owner": 1}, False),
            ([["owner"]], False),
        ):
            token = house.identity.sign({**plain, "exp": SOON, "https://x.example/roles": roles})
            assert (await who(house, token))[2] is operator
        for wrong in ({"who.id": 7}, {"who.id": ""}, {"who.id": None}, {"who.org": ["acme"]}, {"azp": "c"}):
            with pytest.raises(e.NotAuthenticated):
                await house.identity.verify(house.identity.sign({**plain, "exp": SOON, **wrong}))
        link = house.identity.sign_in_link(house.identity.claim("ana", "acme"), "j", SOON)
        given = await house.post("/api/session", {"token": link})
        cookie = given.headers["set-cookie"].partition(";")[0]
        assert (await house.get("/api/session", headers={"Cookie": cookie})).json()["userId"] == "ana"


@pytest.mark.parametrize(
    ("path", "found"),
    [("a", 1), ("b.c", 2), ("b.d.e", 3), ("x.y", 4), ("x.y.z", 5), ("https://n.example/r", 6), ("b.f.g", 7), ("no", None), ("a.b", None),
     ("b", {"c": 2, "d": {"e": 3}, "f.g": 7}), ("", None), (".", None), ("b.", None), (".c", None)],
)  # fmt: skip
def test_dotted_paths(path: str, found: object) -> None:
    claims = {
        "a": 1,
        "b": {"c": 2, "d": {"e": 3}, "f.g": 7},
        "x.y": 4,
        "x": {"y": {"z": 5}},
        "https://n.example/r": 6,
    }
    assert find(claims, path) == found


@pytest.mark.hostile(10)
async def test_fifty_first_sign_ins_make_no_operator(guarded: House) -> None:
    """Who operates is said by the token alone: there is no first user to become one, so none to race for."""
    links = [guarded.identity.sign_in_link({"sub": f"u{n}"}, f"j{n}", SOON) for n in range(50)]
    given = await asyncio.gather(*(guarded.post("/api/session", {"token": link}) for link in links))
    cookies = [answer.headers["set-cookie"].partition(";")[0] for answer in given]
    asked = await asyncio.gather(*(guarded.get("/api/session", headers={"Cookie": each}) for each in cookies))
    assert {answer.json()["userId"] for answer in asked} == {f"u{n}" for n in range(50)}
    assert not any(answer.json()["operator"] for answer in asked)
    tried = await asyncio.gather(
        *(guarded.get("/api/admin/keys", headers={"Cookie": each}) for each in cookies)
    )
    assert {answer.status_code for answer in tried} == {403}


@pytest.mark.hostile(6)
async def test_others_are_served_while_the_key_host_hangs(tmp_path: Path, host: KeyHost) -> None:
    async with furnished(tmp_path, jwt_secret=SECRET, jwks_url=host.url) as house:
        gate = asyncio.Event()

        class Hanging:
            async def fetch(self) -> bytes:
                await gate.wait()
                return published("rsa")

        house.app._door.identity._keys._host = Hanging()
        token = {"Authorization": f"Bearer {signed({'sub': 'bia', 'exp': SOON}, 'RS256', KEYS['rsa'])}"}
        waiting = asyncio.create_task(house.get("/api/session", headers=token))
        for _ in range(20):
            assert (await house.get("/api/session", user="ana")).json()["userId"] == "ana"
        assert not waiting.done()
        gate.set()
        assert (await waiting).json()["userId"] == "bia"
