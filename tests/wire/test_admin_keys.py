"""`/api/admin/keys`: the operator adds, sees, rotates and retires providers' keys; a user does not, nor sees one."""

import time
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.wire.house import NOBODY, SECRET, House, furnished, refused
from tests.wire.operations import ALL, NOBODY_IDS, body_of, name_of

from prosa.domain import errors as e
from prosa.transport.operation import Operation

KEYS = "/api/admin/keys"
CANARY = "sk-canary-0123456789-abcdefgh-4321"
OWN = [operation for operation in ALL if operation.operator]


async def listed(house: House, **who: Any) -> list[dict[str, Any]]:
    answer = await house.get(KEYS, **who)
    assert answer.status_code == 200
    assert answer.json()["nextCursor"] is None
    return answer.json()["items"]


async def test_from_the_first_to_the_last(local: House) -> None:
    assert await listed(local) == []
    body = {"provider": "mistral", "key": CANARY, "label": "produção", "weight": 3}
    answer = await local.post(KEYS, body)
    added = answer.json()
    assert answer.status_code == 201
    moment = added["createdAt"]
    assert added == {
        "id": added["id"], "provider": "mistral", "label": "produção", "weight": 3, "state": "active",
        "reason": None, "hint": "4321", "createdAt": moment, "lastUsedAt": None, "setAsideAt": None,
        "retiredAt": None,
        "use": {"requests": 0, "promptTokens": 0, "completionTokens": 0, "cost": "0"},
    }  # fmt: skip
    assert await listed(local) == [added]
    rotated = await local.post(f"{KEYS}/{added['id']}/rotate", {"key": "short"})
    assert rotated.status_code == 201
    after = rotated.json()
    assert after == added | {"id": after["id"], "hint": "", "createdAt": after["createdAt"]}
    old, new = await listed(local)
    assert (old["state"], old["retiredAt"], new) == ("retired", after["createdAt"], after)
    refused(await local.post(f"{KEYS}/{added['id']}/rotate", {"key": "x"}), 409, e.KeyRetired())
    for _ in range(2):
        assert (await local.call("DELETE", f"{KEYS}/{after['id']}")).status_code == 204
    assert {each["state"] for each in await listed(local)} == {"retired"}
    for method, path in (("DELETE", ""), ("POST", "/rotate")):
        gone = await local.call(method, f"{KEYS}/{NOBODY}{path}", {"key": "x"} if path else None)
        refused(gone, 404, e.KeyNotFound())


async def test_a_provider_can_be_asked_once_it_has_a_key_and_until_it_has_none(local: House) -> None:
    one = await local.conversation()
    asked = {"conversationId": one, "content": "x", "provider": "anthropic"}
    missing = e.ProviderNotConfigured("anthropic", "ANTHROPIC_API_KEY")
    refused(await local.post("/api/chat/send", asked), 503, missing)
    assert "anthropic" not in (await local.get("/api/session")).json()["providers"]
    added = (await local.post(KEYS, {"provider": "anthropic", "key": CANARY})).json()
    assert "anthropic" in (await local.get("/api/session")).json()["providers"]
    await local.call("DELETE", f"{KEYS}/{added['id']}")
    refused(await local.post("/api/chat/send", asked), 503, missing)


async def test_the_master_key_is_rotated(local: House) -> None:
    for place in range(3):
        await local.post(KEYS, {"provider": "openai", "key": f"k{place}"})
    answer = await local.post("/api/admin/master/rotate")
    assert (answer.status_code, answer.json()) == (200, {"resealed": 3})


async def test_one_that_is_set_is_the_operators_to_replace(tmp_path: Path) -> None:
    async with furnished(tmp_path, secret_key="0123456789abcdef" * 4) as house:
        await house.post(KEYS, {"provider": "openai", "key": "k"})
        answer = await house.post("/api/admin/master/rotate")
        assert (answer.status_code, answer.json()["code"]) == (409, "misconfigured")
        assert "PROSA_SECRET_KEY_OLD" in answer.json()["message"]
        assert not (tmp_path / "prosa.db.key").exists()


@pytest.mark.parametrize("provider", ["local", "fake", "nobody"])
async def test_a_provider_that_takes_no_key(local: House, provider: str) -> None:
    answer = await local.post(KEYS, {"provider": provider, "key": "k"})
    refused(answer, 400, e.NoSuchProvider(provider, known=", ".join(local.chat.keys.providers)))


@pytest.mark.parametrize(
    "roles", [None, [], ["Admin"], ["administrator"], "admin", {"admin": True}, [["admin"]]]
)
@pytest.mark.parametrize("operation", OWN, ids=name_of)
async def test_who_is_no_operator(guarded: House, operation: Operation, roles: Any) -> None:
    """Whatever stands in the request: he is told so before anything of it is looked at."""
    claims = {} if roles is None else {"roles": roles}
    headers = {"Authorization": f"Bearer {guarded.token('bia', **claims)}"}
    for body in (body_of(operation, NOBODY_IDS), {"x": 1}):
        answer = await guarded.call(operation.method, NOBODY_IDS.path(operation), body, headers=headers)
        refused(answer, 403, e.Forbidden())
    assert (await guarded.call(operation.method, NOBODY_IDS.path(operation))).status_code == 401


async def test_the_operator_by_token(guarded: House) -> None:
    answer = await guarded.post(KEYS, {"provider": "openai", "key": "k"}, user="op", roles=["x", "admin"])
    assert answer.status_code == 201
    assert len(await listed(guarded, user="op", roles=["admin"])) == 1


@pytest.mark.parametrize("roles", [{}, {"roles": ["admin"]}])
async def test_a_sign_in_link_makes_an_operator_only_where_it_says_so(
    guarded: House, roles: dict[str, Any]
) -> None:
    link = guarded.identity.sign_in_link({"sub": "op", **roles}, "link", 2**40)
    signed = await guarded.post("/api/session", {"token": link})
    cookie = {"Cookie": signed.headers["set-cookie"].partition(";")[0], "Sec-Fetch-Site": "same-origin"}
    assert (await guarded.get("/api/session", headers=cookie)).json()["operator"] is bool(roles)
    answer = await guarded.get(KEYS, headers=cookie)
    if roles:
        assert answer.status_code == 200
    else:
        refused(answer, 403, e.Forbidden())


@pytest.mark.parametrize(("roles", "hours"), [({}, 30 * 24), ({"roles": ["admin"]}, 12)])
async def test_an_operator_s_browser_stays_signed_in_for_a_day_s_work(
    guarded: House, monkeypatch: pytest.MonkeyPatch, roles: dict[str, Any], hours: int
) -> None:
    link = guarded.identity.sign_in_link({"sub": "op", **roles}, "link", 2**40)
    given = (await guarded.post("/api/session", {"token": link})).headers["set-cookie"]
    assert f"Max-Age={hours * 3_600};" in given
    cookie = {"Cookie": given.partition(";")[0], "Sec-Fetch-Site": "same-origin"}
    real = time.time
    for late, status in ((-60, 200), (60, 401)):
        monkeypatch.setattr(time, "time", lambda late=late: real() + hours * 3_600 + late)
        assert (await guarded.get("/api/session", headers=cookie)).status_code == status


@pytest.mark.hostile(21)
async def test_a_key_is_told_to_nobody_again(tmp_path: Path) -> None:
    said = ""
    with capture_logs() as logs:
        async with furnished(tmp_path, jwt_secret=SECRET) as house:

            async def call(method: str, path: str, body: Any = None) -> dict[str, Any]:
                nonlocal said
                answer = await house.call(method, path, body, user="op", roles=["admin"])
                said += answer.text + repr(answer.headers)
                return answer.json() if answer.content else {}

            added = await call("POST", KEYS, {"provider": "openai", "key": CANARY})
            for body in (
                {"provider": "nobody", "key": CANARY},
                {"provider": "openai", "key": f"{CANARY} {CANARY}"},
                {"provider": "openai", "key": [CANARY]},
                {"provider": CANARY, "key": "k", "weight": CANARY},
                {"provider": "openai", "key": CANARY * 100},
            ):
                refusal = await call("POST", KEYS, body)
                assert refusal["success"] is False
                if body["provider"] == CANARY:
                    assert CANARY not in refusal["message"]
            await call("POST", f"{KEYS}/{NOBODY}/rotate", {"key": CANARY})
            await call("POST", f"{KEYS}/{added['id']}/rotate", {"key": CANARY})
            await call("POST", "/api/admin/master/rotate")
            await call("GET", KEYS)
    files = "".join(each.read_bytes().decode("latin-1") for each in tmp_path.iterdir() if each.is_file())  # noqa: ASYNC240 - a test's own
    assert "canary" not in said + repr(logs) + files
