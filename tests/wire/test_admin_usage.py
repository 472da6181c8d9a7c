"""`GET /api/admin/usage`: the sums and the ledger of all users, for the operator alone."""

import csv
import io
from typing import Any

import pytest
from tests.wire.house import House, refused

from prosa.domain.errors import Forbidden
from prosa.domain.models import Usage, UsageReport

ADMIN: dict[str, Any] = {"user": "root", "roles": ["admin"]}


async def asked(house: House, query: str = "") -> dict[str, Any]:
    answer = await house.get(f"/api/admin/usage{query}", **ADMIN)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_what_all_have_used(guarded: House) -> None:
    guarded.script = ["Oi", UsageReport(Usage(10, 5))]
    for user, times in (("ana", 1), ("bia", 2)):
        for _ in range(times):
            await guarded.send(await guarded.conversation(user), user=user)
    used = await asked(guarded)
    assert (used["requests"], used["totalTokens"], used["messagesCount"]) == (3, 45, 6)
    assert used["users"] == [
        {"userId": user, "clientId": "", "requests": number, "totalTokens": 15 * number, "cost": 0.0,
         "costExact": "0"}
        for user, number in (("bia", 2), ("ana", 1))
    ]  # fmt: skip
    assert [each["clientId"] for each in used["clients"]] == [""]
    assert "remaining" not in used
    assert (await asked(guarded, "?userId=ana"))["requests"] == 1
    assert (await asked(guarded, "?clientId="))["requests"] == 3
    assert (await asked(guarded, "?clientId=acme"))["requests"] == 0
    assert (await asked(guarded, "?provider=openai"))["requests"] == 0
    looked = (await guarded.get("/api/admin/audit?action=admin.usage.read", **ADMIN)).json()["items"]
    assert [each["target"] for each in looked] == ["", "client:acme", "client:", "user:ana", ""]


async def test_the_ledger_of_all_as_csv(guarded: House) -> None:
    for user in ("ana", "bia"):
        await guarded.send(await guarded.conversation(user), user=user)
    answer = await guarded.get("/api/admin/usage?format=csv", **ADMIN)
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert [(row["userId"], row["keyId"]) for row in rows] == [("ana", ""), ("bia", "")]


@pytest.mark.parametrize("query", ["", "?format=csv", "?userId=bia"])
async def test_nobody_else_sees_it(guarded: House, query: str) -> None:
    refused(await guarded.get(f"/api/admin/usage{query}", user="bia"), 403, Forbidden())
