"""`GET /api/admin/alerts`, and what makes an alert of what happens: failures, keys, limits."""

from pathlib import Path
from typing import Any

import pytest
from tests.hooks import SECRET as HOOKS
from tests.hooks import Hook, signed
from tests.wire.house import SECRET, House, furnished, refused

from prosa import config
from prosa.domain.errors import Forbidden, InvalidRequest, ProviderError, ProviderKeyRefused
from prosa.domain.models import Usage, UsageReport
from prosa.services.alerts import alerts
from prosa.services.models.keyring import Held

HALF = ["Oi", UsageReport(Usage(500, 5))]
ADMIN: dict[str, Any] = {"user": "root", "roles": ["admin"]}


async def listed(house: House, query: str = "") -> list[dict[str, Any]]:
    answer = await house.get(f"/api/admin/alerts{query}", **ADMIN)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(alerts, "BATCH", 0.01)


def told(url: str, more: str = "") -> None:
    config.FILE.write_text(f'[alerts]\nwebhook = "{url}"\nsecret = "{HOOKS}"\n{more}')


async def test_a_limit_that_comes_near_is_told_of(tmp_path: Path) -> None:
    async with Hook([500]).listening() as hook:
        told(hook.url)
        async with furnished(tmp_path, jwt_secret=SECRET, max_tokens_per_day=1_000) as house:
            first = await house.conversation("ana")
            house.script = HALF
            await house.send(first, user="ana")
            bodies = await hook.until(1)
            (seen,) = await listed(house)
            assert seen | {"deliveredAt": None, "attempts": 1, "owed": []} == {
                "id": bodies[0]["id"], "kind": "tokens", "subject": "user:ana", "level": 50,
                "message": bodies[0]["message"], "details": bodies[0]["details"], "at": bodies[0]["at"],
                "deliveredAt": None, "attempts": 1, "owed": [],
            }  # fmt: skip
            looked = (await house.get("/api/admin/audit?action=admin.alerts.read", **ADMIN)).json()["items"]
            assert [each["actor"] for each in looked] == ["root"]
    assert all(signed(*call) for call in hook.calls)


async def test_answers_that_fail_are_told_of_once(tmp_path: Path) -> None:
    async with Hook().listening() as hook:
        told(hook.url, "least = 5\n")
        async with furnished(tmp_path, jwt_secret=SECRET) as house:
            house.script = [ProviderError("fake")]
            one = await house.conversation("ana")
            for _ in range(8):
                await house.send(one, user="ana")
            (body,) = await hook.until(1)
            assert (body["kind"], body["level"]) == ("errors", 20)
            assert body["subject"].startswith("fake/")
            await house.chat.alerts.close()
            assert len(await listed(house)) == 1


async def test_a_key_that_fails_and_a_model_that_is_left_alone(tmp_path: Path) -> None:
    async with Hook().listening() as hook:
        told(hook.url)
        async with furnished(tmp_path, jwt_secret=SECRET, openai_api_key="sk-canary") as house:
            ring = house.chat.keys._feeds["openai"].ring
            held: Held = ring._held[0]
            ring.set_aside(held, ProviderKeyRefused("openai"))
            ring.set_aside(held, ProviderKeyRefused("openai"))
            ring.suspended("gpt-4o", "upstream_error")
            bodies = await hook.until(2)
            assert sorted((each["kind"], each["subject"]) for each in bodies) == [
                ("key", "openai:"), ("model", "openai/gpt-4o")
            ]  # fmt: skip
            assert "canary" not in str(bodies)


async def test_without_anybody_to_tell_they_are_kept(tmp_path: Path) -> None:
    async with furnished(tmp_path, jwt_secret=SECRET, max_tokens_per_day=1_000) as house:
        house.script = HALF
        await house.send(await house.conversation("ana"), user="ana")
        await house.chat.alerts.close()  # what it has noted is put down
        found = await listed(house)
        assert (found[0]["level"], found[0]["deliveredAt"], found[0]["owed"]) == (50, None, [])
        page = (await house.get("/api/admin/alerts?limit=1", **ADMIN)).json()
        assert page["nextCursor"] is None
        detail = "cursor must be the nextCursor of an earlier answer."
        refused(await house.get("/api/admin/alerts?cursor=x", **ADMIN), 400, InvalidRequest(detail))
        refused(await house.get("/api/admin/alerts", user="ana"), 403, Forbidden())
        assert (await house.call("DELETE", "/api/users/me", user="ana")).status_code == 200
        assert await listed(house) == []  # of whom nothing is kept, that is not, too


async def test_what_another_door_took_counts(tmp_path: Path) -> None:
    async with furnished(tmp_path, jwt_secret=SECRET, max_tokens_per_day=1_000) as house:
        house.script = HALF
        body = {"messages": [{"role": "user", "content": "Oi"}]}
        assert (await house.post("/v1/chat/completions", body, user="ana")).status_code == 200
        await house.chat.alerts.close()
        assert [(each["subject"], each["level"]) for each in await listed(house)] == [("user:ana", 50)]
