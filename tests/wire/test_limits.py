"""Limits over the wire: set by the operator, kept at once, told of in headers and bodies."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.wire.house import SECRET, House, furnished, refused
from tests.wire.operations import ALL, NOBODY_IDS, name_of

from prosa.domain.errors import Forbidden, NotAuthenticated, QueueFull, TokenLimitReached
from prosa.domain.limits import LimitNotFound
from prosa.domain.models import ChatRequest, ThinkingDelta, ToolCallDelta, ToolCallStart, Usage, UsageReport
from prosa.ports.models import ChatModel
from prosa.services.models.catalogue import Choice
from prosa.transport.operation import Operation

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


async def test_whole_numbers_as_json_has_them(guarded: House) -> None:
    made = await put(guarded, scope="user", subject="ana", tokensPerDay=50.0, sockets=2**31)
    assert (made["tokensPerDay"], made["sockets"]) == (50, 2**31)
    answer = await guarded.call("PUT", PATH, {"scope": "user", "tokensPerDay": 1.5}, **ADMIN)
    assert answer.status_code == 400


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


# Headers, and requests a minute


async def test_requests_a_minute_on_every_door(guarded: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prosa.services.requests.time", Frozen())
    await put(guarded, scope="user", requestsPerMinute=3, tokensPerDay=100_000)
    answer = await asked(guarded)
    assert answer.status_code == 200
    left = {name: answer.headers[f"x-ratelimit-{name}"] for name in ("limit", "remaining", "reset")}
    assert left == {"limit": "3", "remaining": "2", "reset": "30"}
    assert 0 < int(answer.headers["x-prosa-remaining-tokens"]) < 100_000
    assert "x-prosa-remaining-cost" not in answer.headers
    body = {"model": "fake/echo", "messages": [{"role": "user", "content": "Hi"}]}
    answer = await guarded.post("/v1/chat/completions", body, user="ana")
    assert answer.headers["x-ratelimit-remaining-requests"] == "1"
    assert answer.headers["x-ratelimit-limit-tokens"] == "100000"
    assert (await guarded.post("/api/chat/process", {"userMessage": "Hi"}, user="ana")).status_code in (
        200,
        400,
    )
    assert (await asked(guarded)).status_code in (200, 429)
    answer = await asked(guarded)
    told = answer.json()
    assert (answer.status_code, told["code"], told["limit"], told["scope"]) == (
        429,
        "request_limit_reached",
        3,
        "user",
    )
    assert int(answer.headers["retry-after"]) == told["retryAfter"] > 0
    answer = await guarded.post("/v1/chat/completions", body, user="ana")
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert answer.headers["x-ratelimit-remaining-requests"] == "0"
    assert (await asked(guarded, "bia")).status_code == 200
    listed = await guarded.get(
        "/api/conversations", user="ana"
    )  # what asks no model is not counted, only told
    assert (listed.status_code, listed.headers["x-ratelimit-remaining"]) == (200, "0")


async def test_who_has_no_limits_is_told_of_none(guarded: House) -> None:
    answer = await asked(guarded)
    assert not [name for name in answer.headers if name.startswith(("x-ratelimit", "x-prosa"))]


async def test_a_limit_that_is_reached_says_when_it_is_free_again(guarded: House) -> None:
    await put(guarded, scope="user", costPerMonth="0", tokensPerDay=5)
    answer = await asked(guarded)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 86_400


class Frozen:
    """Half a minute is over, for ever."""

    def time(self) -> float:
        return 60_000_030.0 - 60_000_030.0 % 60 + 30


async def test_a_route_steps_down_as_a_limit_is_used_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prosa.toml").write_text(
        '[routes.smart]\ntargets = ["fake/big"]\nstep_down = "cheap"\nstep_down_at = 0.5\n'
        '[aliases]\ncheap = "fake/small"\n'
    )
    async with furnished(tmp_path, jwt_secret=SECRET, max_tokens_per_day=10_000) as house:
        house.script = ["Oi", UsageReport(Usage(3_000, 0))]
        of = await house.conversation("ana")
        told = [await house.send(of, user="ana", model="smart", maxTokens=20) for _ in range(3)]
        body = {"model": "smart", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 20}
        answer = await house.post("/v1/chat/completions", body, user="ana")
        run = (await house.get(f"/api/chat/runs/{told[2][0]['runId']}", user="ana")).json()
    assert [call.request.model for call in house.calls] == ["big", "big", "small", "small"]
    assert "model" not in told[1][0]
    assert (told[2][0]["model"], told[2][-1]["model"], told[2][-1]["provider"]) == ("small", "small", "fake")
    assert run["model"] == "small"
    assert answer.json()["model"] in ("small", "fake/small")


async def test_nothing_is_held_where_the_cheaper_model_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prosa.toml").write_text(
        '[routes.smart]\ntargets = ["fake/big"]\nstep_down = "fake/small"\nstep_down_at = 0.1\n'
    )
    async with furnished(tmp_path, jwt_secret=SECRET, max_tokens_per_day=10_000) as house:
        house.script = ["Oi", UsageReport(Usage(3_000, 0))]
        body = {"model": "smart", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 20}
        assert (await house.post("/v1/chat/completions", body, user="ana")).status_code == 200
        resolve = house.chat.catalogue.resolve

        def full(choice: Choice) -> ChatModel:
            if choice.stepped is not None:
                raise QueueFull("fake", 1)
            return resolve(choice)

        monkeypatch.setattr(house.chat.catalogue, "resolve", full)
        answer = await house.post("/v1/chat/completions", body, user="ana")
        assert answer.status_code == 429
        assert (await house.chat.store.engine.held()).number == 0


async def test_what_is_left_of_a_limit_that_is_no_more(guarded: House) -> None:
    await put(guarded, scope="user", tokensPerDay=10_000, requestsPerMinute=100)
    body = {"model": "fake/echo", "messages": [{"role": "user", "content": "Hi"}]}
    answer = await guarded.post("/v1/chat/completions", body, user="ana")
    assert (await asked(guarded)).status_code == 200
    await put(guarded, scope="user", requestsPerMinute=100)
    answer = await guarded.post("/v1/chat/completions", body, user="ana")
    assert answer.status_code == 200
    assert answer.headers["x-ratelimit-limit-requests"] == "100"
    assert "x-ratelimit-remaining-tokens" not in answer.headers
    assert "x-prosa-remaining-tokens" not in (await guarded.get("/api/usage", user="ana")).headers


async def test_what_was_held_for_one_who_is_shut_out_meanwhile(
    guarded: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """He is refused once his answer was begun: nothing may go on being held for it."""
    await put(guarded, scope="everyone", runsAtOnce=1)
    begin = guarded.chat.completions.begin

    async def begun(*args: Any, **more: Any) -> Any:
        made = await begin(*args, **more)
        stopped = await guarded.post("/api/admin/suspensions", {"userId": "ana"}, **ADMIN)
        assert stopped.status_code < 300, stopped.text
        return made

    monkeypatch.setattr(guarded.chat.completions, "begin", begun)
    body = {"model": "fake/echo", "messages": [{"role": "user", "content": "Hi"}]}
    refusal = await guarded.post("/v1/chat/completions", body, user="ana")
    assert refusal.status_code == 403
    monkeypatch.undo()
    assert (await guarded.chat.store.engine.held()).number == 0


@pytest.mark.hostile(65)
@pytest.mark.parametrize("kind", ["text", "thinking", "arguments", "calls"])
async def test_an_answer_that_knows_no_bound_is_cut_on_the_door_of_others(guarded: House, kind: str) -> None:
    await put(guarded, scope="user", tokensPerDay=10_000)
    told = 0

    def script(_asked: ChatRequest) -> Iterator[Any]:
        nonlocal told
        if kind == "arguments":
            yield ToolCallStart("call_1", "look")
        for _ in range(5_000):
            told += 1
            text = "word " * 20
            match kind:
                case "text":
                    yield text
                case "thinking":
                    yield ThinkingDelta(text)
                case "calls":
                    yield ToolCallStart(f"call_{told}", "look")
                case _:
                    yield ToolCallDelta("call_1", text)

    guarded.script = script
    body = {
        "model": "fake/echo", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 20,
        "tools": [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}],
    }  # fmt: skip
    answer = await guarded.post("/v1/chat/completions", body, user="ana")
    assert answer.json()["choices"][0]["finish_reason"] == "length"
    assert told < 25
    used = (await guarded.get("/api/usage", user="ana")).json()
    assert used["completionTokens"] == (0 if kind == "calls" else 20)


async def test_callers_of_one_door_only_are_told_what_is_left(guarded: House) -> None:
    await put(guarded, scope="user", tokensPerDay=10_000)
    guarded.script = ["Oi", UsageReport(Usage(60, 5))]
    body = {"model": "fake/echo", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 20, "n": 2}
    answer = await guarded.post("/v1/chat/completions", body, user="ana")
    assert answer.headers["x-ratelimit-limit-tokens"] == "10000"
    held = 10_000 - int(answer.headers["x-ratelimit-remaining-tokens"])
    assert 2 * 20 < held < 1_000
    answer = await guarded.post("/v1/chat/completions", body, user="ana")
    assert int(answer.headers["x-ratelimit-remaining-tokens"]) == 10_000 - 2 * 65 - held


MANAGING = [
    operation
    for operation in ALL
    if operation.path.startswith(("/api/admin", "/api/api-keys", "/api/users", "/metrics"))
]


def test_none_is_forgotten() -> None:
    assert {name_of(each) for each in MANAGING} == {name_of(each) for each in ALL if each.managing}


@pytest.mark.hostile(66)
@pytest.mark.parametrize("operation", MANAGING, ids=name_of)
async def test_accounts_and_operators_have_so_many_requests_too(
    guarded: House, operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside answers: neither uses up what the other has."""
    monkeypatch.setattr("prosa.services.requests.OPERATOR", 1)
    claims = {"roles": ["admin"], "limits": {"requestsPerMinute": 1}}
    assert (await asked(guarded, **claims)).status_code == 200
    assert (await asked(guarded, **claims)).json()["code"] == "request_limit_reached"
    headers = {"Authorization": f"Bearer {guarded.token('ana', **claims)}"}
    path = NOBODY_IDS.path(operation)
    assert (await guarded.call(operation.method, path, headers=headers)).status_code != 429
    told = await guarded.call(operation.method, path, headers=headers)
    assert (told.status_code, told.json()["code"], told.json()["limit"]) == (429, "request_limit_reached", 1)
    assert int(told.headers["retry-after"]) > 0


async def test_who_has_set_a_limit_too_low_can_mend_it(guarded: House) -> None:
    await put(guarded, scope="user", requestsPerMinute=0)
    await put(guarded, scope="everyone", requestsPerMinute=0)
    assert (await asked(guarded)).json()["code"] == "request_limit_reached"
    for scope in ("user", "everyone"):
        gone = await guarded.call("DELETE", f"{PATH}?scope={scope}&subject=", **ADMIN)
        assert gone.status_code == 204
    assert (await asked(guarded)).status_code == 200
