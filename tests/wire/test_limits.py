"""Limits over the wire: set by the operator, kept at once, told of in headers and bodies."""

from typing import Any

import pytest
from tests.wire.house import House, refused

from prosa.domain.errors import Forbidden, NotAuthenticated, TokenLimitReached
from prosa.domain.limits import LimitNotFound
from prosa.domain.models import Usage, UsageReport

ADMIN: dict[str, Any] = {"user": "root", "roles": ["admin"]}
PATH = "/api/admin/limits"


async def put(house: House, **body: Any) -> dict[str, Any]:
    answer = await house.call("PUT", PATH, body, **ADMIN)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def asked(house: House, user: str = "ana", **claims: Any) -> Any:
    """The answer to one message of a user's."""
    of = await house.conversation(user)
    async with house.client() as client:
        client.headers["Authorization"] = f"Bearer {house.token(user, **claims)}"
        return await client.post("/api/chat/send", json={"conversationId": of, "content": "Hi"})


async def test_limits_are_set_kept_and_taken_away(guarded: House) -> None:
    made = await put(guarded, scope="user", subject="ana", tokensPerDay=50, costPerMonth="1.50")
    assert (made["tokensPerDay"], made["costPerMonth"], made["source"], made["updatedBy"]) == (
        50, "1.5", "table", "root",
    )  # fmt: skip
    answer = await asked(guarded)
    assert (answer.status_code, answer.json()["code"], answer.json()["scope"]) == (
        429,
        "token_limit_reached",
        "user",
    )
    assert (await asked(guarded, "bia")).status_code == 200
    listed = (await guarded.get(PATH, **ADMIN)).json()["items"]
    assert [(each["scope"], each["subject"], each["source"]) for each in listed] == [
        ("user", "", "settings"), ("user", "ana", "table"),
    ]  # fmt: skip
    gone = await guarded.call("DELETE", f"{PATH}?scope=user&subject=ana", **ADMIN)
    assert gone.status_code == 204
    assert (await asked(guarded)).status_code == 200
    refused(await guarded.call("DELETE", f"{PATH}?scope=user&subject=ana", **ADMIN), 404, LimitNotFound())
    told = (await guarded.get("/api/admin/audit", **ADMIN)).json()["items"]
    assert [each["action"] for each in told if each["action"].startswith("limits.")] == [
        "limits.delete", "limits.set",
    ]  # fmt: skip


async def test_a_rule_for_one_stands_in_place_of_the_one_for_all(guarded: House) -> None:
    await put(guarded, scope="user", tokensPerDay=10)
    await put(guarded, scope="user", subject="ana", tokensPerDay=10_000)
    assert (await asked(guarded)).status_code == 200
    assert (await asked(guarded, "bia")).status_code == 429


async def test_a_client_and_everyone_are_limited_too(guarded: House) -> None:
    guarded.script = ["Oi", UsageReport(Usage(60, 0))]
    await put(guarded, scope="client", subject="acme", tokensPerDay=200)
    assert (await asked(guarded, client_id="acme")).status_code == 200
    answer = await asked(guarded, "bia", client_id="acme", limits={"tokensPerDay": 10**6})
    assert answer.status_code == 200  # 140 are left, and an answer is made to fit
    answer = await asked(guarded, "carlos", client_id="acme")
    assert answer.json()["scope"] == "client"
    assert (await asked(guarded, "dora", client_id="other")).status_code == 200
    await put(guarded, scope="everyone", tokensPerDay=150)
    assert (await asked(guarded, "dora", client_id="other")).json()["scope"] == "everyone"


async def test_how_the_limits_of_a_user_stand(guarded: House) -> None:
    guarded.script = ["Oi", UsageReport(Usage(60, 5))]
    await put(guarded, scope="user", tokensPerDay=1_000)
    await put(guarded, scope="everyone", costPerMonth="2", runsAtOnce=5)
    assert (await asked(guarded)).status_code == 200
    stand = (await guarded.get(f"{PATH}/standing?userId=ana", **ADMIN)).json()
    assert stand["limits"]["tokensPerDay"] == 1_000
    user, everyone = stand["scopes"]
    assert (user["scope"], user["spentTokens"], user["heldTokens"], user["leftTokens"]) == (
        "user",
        65,
        0,
        935,
    )
    assert (everyone["leftCost"], everyone["runs"], everyone["leftTokens"]) == ("2", 0, None)


async def test_a_token_only_tightens(guarded: House) -> None:
    await put(guarded, scope="user", tokensPerDay=500)
    answer = await asked(guarded, limits={"tokensPerDay": 20})
    assert answer.json()["code"] == TokenLimitReached.code
    assert (await asked(guarded, limits={"tokensPerDay": 10**9})).status_code == 200
    refused(await asked(guarded, limits={"tokensPerDay": -1}), 401, NotAuthenticated())
    refused(await asked(guarded, limits={"costPerMonth": "NaN"}), 401, NotAuthenticated())
    refused(await asked(guarded, limits="all"), 401, NotAuthenticated())


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_only_the_operator_sets_limits(guarded: House, method: str) -> None:
    body = {"scope": "user", "tokensPerDay": 1} if method == "PUT" else None
    query = "?scope=user" if method == "DELETE" else ""
    refused(await guarded.call(method, PATH + query, body, user="ana"), 403, Forbidden())


@pytest.mark.parametrize(
    "body",
    [
        {"scope": "nobody"}, {"scope": "user", "tokensPerDay": -1}, {"scope": "user", "costPerMonth": "-1"},
        {"scope": "user", "costPerMonth": "9999999"}, {"scope": "everyone", "subject": "ana"},
        {"scope": "user", "costPerMonth": 1},
    ],
)  # fmt: skip
async def test_limits_that_are_none(guarded: House, body: dict[str, Any]) -> None:
    assert (await guarded.call("PUT", PATH, body, **ADMIN)).status_code == 400
