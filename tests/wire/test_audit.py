"""`/api/admin/audit`: what happened is told to the operator, and to nobody else."""

import time
from typing import Any

import pytest
from tests.wire.house import House, refused

from prosa.domain import errors as e
from prosa.domain.audit import Wanted
from prosa.domain.principal import Principal
from prosa.transport.admin.health import METRICS
from prosa.transport.app import operations
from prosa.transport.identity import Identity
from prosa.transport.operation import Operation

CANARY = "canary-0123456789-abcdefghij-6789"
AUDIT = "/api/admin/audit"
ADMIN: dict[str, Any] = {"user": "root", "roles": ["admin"]}


async def listed(house: House, query: str = "") -> list[dict[str, Any]]:
    answer = await house.get(AUDIT + query, **ADMIN)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_what_was_noted_is_listed(guarded: House) -> None:
    await guarded.chat.audit.note(Principal("ana", "acme"), "login", "user:ana", link="x")
    read, login = await listed(guarded)
    assert login == {
        "id": "1", "at": login["at"], "actor": "ana", "clientId": "acme", "action": "login",
        "target": "user:ana", "details": {"link": "x"},
    }  # fmt: skip
    assert (read["actor"], read["action"]) == ("root", "admin.audit.read")
    assert [each["id"] for each in await listed(guarded, "?actor=ana")] == ["1"]
    assert await listed(guarded, "?action=export") == []
    day = login["at"][:10]
    assert [each["id"] for each in await listed(guarded, f"?actor=ana&since={day}&until={day}")] == ["1"]
    assert await listed(guarded, "?until=2000-01-01") == []


async def test_pages_go_on_where_they_ended(guarded: House) -> None:
    for n in range(5):
        await guarded.chat.audit.note(Principal("ana"), "login", f"n:{n}")
    seen, cursor = [], ""
    while cursor is not None:
        answer = (await guarded.get(f"{AUDIT}?actor=ana&limit=2{cursor}", **ADMIN)).json()
        seen += [each["target"] for each in answer["items"]]
        cursor = answer["nextCursor"] and f"&cursor={answer['nextCursor']}"
    assert seen == ["n:4", "n:3", "n:2", "n:1", "n:0"]
    reads = await listed(guarded, "?action=admin.audit.read")
    assert len(reads) == 2  # a list is one read, however many pages it has
    wrong = await guarded.get(f"{AUDIT}?cursor=xyz", **ADMIN)
    refused(wrong, 400, e.InvalidRequest("cursor must be the nextCursor of an earlier answer."))


async def test_the_chain_is_checked(guarded: House) -> None:
    await guarded.chat.audit.note(Principal("ana"), "login")
    answer = (await guarded.get(f"{AUDIT}/verify", **ADMIN)).json()
    assert answer == {
        "intact": True, "rows": 1, "brokenAt": None, "head": answer["head"], "swept": 0,
    }  # fmt: skip
    head = answer["head"]
    again = (await guarded.get(f"{AUDIT}/verify?rows={head['rows']}&hash={head['hash']}", **ADMIN)).json()
    assert (again["intact"], again["rows"]) == (True, 2)
    strange = (await guarded.get(f"{AUDIT}/verify?rows=1&hash={'0' * 64}", **ADMIN)).json()
    assert (strange["intact"], strange["brokenAt"]) == (False, "1")


async def test_users_see_nothing_of_it(guarded: House) -> None:
    for path in (AUDIT, f"{AUDIT}/verify"):
        refused(await guarded.get(path, user="ana"), 403, e.Forbidden())


async def deeds(house: House) -> list[tuple[str, str, str, dict[str, Any]]]:
    """What was noted, oldest first, but for reads of the log itself."""
    items = await listed(house)
    return [
        (each["actor"], each["action"], each["target"], each["details"])
        for each in items[::-1]
        if each["action"] != "admin.audit.read"
    ]


async def test_what_is_done_with_providers_keys(guarded: House) -> None:
    body = {"provider": "mistral", "key": CANARY, "label": CANARY}
    one = (await guarded.post("/api/admin/keys", body, **ADMIN)).json()["id"]
    two = (await guarded.post(f"/api/admin/keys/{one}/rotate", {"key": CANARY}, **ADMIN)).json()["id"]
    for _ in range(2):  # it is retired once
        await guarded.call("DELETE", f"/api/admin/keys/{two}", **ADMIN)
    await guarded.post("/api/admin/master/rotate", **ADMIN)
    await guarded.get("/api/admin/keys", **ADMIN)
    refused(await guarded.post(f"/api/admin/keys/{one}/rotate", {"key": "x"}, **ADMIN), 409, e.KeyRetired())
    assert await deeds(guarded) == [
        ("root", "key.add", f"provider_key:{one}", {"provider": "mistral"}),
        ("root", "key.rotate", f"provider_key:{two}", {"provider": "mistral", "before": one}),
        ("root", "key.retire", f"provider_key:{two}", {}),
        ("root", "master.rotate", "", {}),
        ("root", "admin.keys.read", "", {}),
    ]
    assert CANARY not in (await guarded.get(AUDIT, **ADMIN)).text


async def test_a_link_that_signs_in(guarded: House) -> None:
    link = guarded.identity.sign_in_link({"sub": "ana"}, "link-1", int(time.time()) + 60)
    assert (await guarded.post("/api/session", {"token": link})).status_code == 204
    assert (await guarded.post("/api/session", {"token": link})).status_code == 401
    assert await deeds(guarded) == [("ana", "login", "user:ana", {"by": "link"})]


async def test_exports_and_imports(guarded: House) -> None:
    one = await guarded.conversation(user="ana", title=CANARY)
    assert (await guarded.get("/api/export?format=csv", user="ana")).status_code == 200
    exported = await guarded.get(f"/api/conversations/{one}/export", user="ana")
    file = {"content": exported.content, "headers": {"Content-Type": "application/octet-stream"}}
    assert (await guarded.post("/api/import", user="bia", **file)).status_code == 200
    assert (await guarded.get(f"/api/conversations/{one}/export", user="bia")).status_code == 404
    assert await deeds(guarded) == [
        ("ana", "export", "user:ana", {"format": "csv", "conversations": 1}),
        ("ana", "export", f"conversation:{one}", {"format": "json"}),
        ("bia", "import", "user:bia", {"source": "auto"}),
    ]
    assert CANARY not in (await guarded.get(AUDIT, **ADMIN)).text


READS = [each for each in operations(Identity("s" * 40, "c")) if each.operator and each.method == "GET"]


@pytest.mark.parametrize("operation", READS, ids=lambda each: each.path)
async def test_no_operator_looks_without_a_row(guarded: House, operation: Operation) -> None:
    if operation.path == METRICS:
        return  # what scrapes it every few seconds sees of nobody in particular
    start = (await guarded.send(await guarded.conversation(user="ana"), user="ana"))[0]
    before = await guarded.chat.store.operator(Principal("x")).audit.page(Wanted(), 1, None)
    path = operation.path.replace("{runId}", start["runId"])
    query = {"userId": "ana"} if path.endswith("standing") else {}
    answer = await guarded.get(path, params=query, **ADMIN)
    assert answer.status_code == 200, answer.text
    after = await guarded.chat.store.operator(Principal("x")).audit.page(Wanted(), 1, None)
    assert [each.deed.actor for each in after] == ["root"]
    assert before != after
