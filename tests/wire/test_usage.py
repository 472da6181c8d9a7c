"""`GET /api/usage`: one's own sums, to the token, and the ledger as CSV."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.wire.house import SECRET, House, furnished, refused

from prosa.adapters.models.fake.client import FakeModel
from prosa.domain.errors import InvalidRequest
from prosa.domain.models import Usage, UsageReport
from prosa.domain.money import Picodollars
from prosa.domain.time import now
from prosa.services.models.catalogue import Offer
from prosa.services.usage import reports

SAID = ["Oi", UsageReport(Usage(10, 5, 4, 3))]


async def test_what_was_used(guarded: House) -> None:
    guarded.script = SAID
    one = await guarded.conversation("ana")
    await guarded.send(one, user="ana")
    await guarded.send(one, user="ana")
    await guarded.send(await guarded.conversation("bia"), user="bia")
    used = (await guarded.get("/api/usage", user="ana")).json()
    assert used | {"since": None, "until": None} == {
        "since": None, "until": None, "timezone": "UTC", "requests": 2, "totalTokens": 30, "promptTokens": 20,
        "completionTokens": 10, "cachedTokens": 8, "reasoningTokens": 6, "cost": 0.0, "costExact": "0",
        "messagesCount": 4, "estimated": 0, "unpriced": 0,
        "remaining": dict.fromkeys(("tokens", "cost", "tokensResetAt", "costResetsAt", "scope")),
        "days": [{"day": used["until"][:10], "requests": 2, "totalTokens": 30, "cost": 0.0, "costExact": "0"}],
        "models": [{"provider": "fake", "model": used["models"][0]["model"], "requests": 2, "totalTokens": 30,
                    "cost": 0.0, "costExact": "0"}],
        "providers": [{"provider": "fake", "requests": 2, "totalTokens": 30, "cost": 0.0, "costExact": "0"}],
    }  # fmt: skip
    assert used["since"].endswith("-01T00:00:00.000000Z")
    nothing = (await guarded.get("/api/usage", user="carla")).json()
    assert (nothing["requests"], nothing["days"], nothing["costExact"]) == (0, [], "0")


async def test_what_remains(tmp_path: Path) -> None:
    async with furnished(tmp_path, max_tokens_per_day=100, max_cost_per_month="0.5") as house:
        house.script = SAID
        await house.send(await house.conversation())
        left = (await house.get("/api/usage")).json()["remaining"]
    assert (left["tokens"], left["cost"], left["scope"]) == (85, "0.5", "user")
    assert left["tokensResetAt"] <= left["costResetsAt"]


async def test_days_of_the_time_zone(tmp_path: Path) -> None:
    async with furnished(tmp_path, timezone="Pacific/Kiritimati") as house:  # 14 hours ahead
        await house.send(await house.conversation())
        used = (await house.get("/api/usage")).json()
        today = used["days"][0]["day"]
        assert used["timezone"] == "Pacific/Kiritimati"
        assert used["since"].endswith("T10:00:00.000000Z")
        same = (await house.get(f"/api/usage?since={today}&until={today}")).json()
        assert same["requests"] == used["requests"] == 1
        assert same["until"].endswith("T10:00:00.000000Z")
        moments = (await house.get(f"/api/usage?since={same['since']}&until={same['until']}")).json()
        assert moments == same
        assert (await house.get("/api/usage?since=2020-01-01&until=2020-02-01")).json()["requests"] == 0


@pytest.mark.parametrize(
    "query", ["since=2026-02-30", "until=yesterday", "since=2026-1-1", "format=xml", "since="]
)
async def test_times_that_are_none(local: House, query: str) -> None:
    assert (await local.get(f"/api/usage?{query}")).status_code == 400


async def test_a_day_that_does_not_exist_is_named(local: House) -> None:
    detail = "until must be a date, as in 2026-11-21, or a moment, as in 2026-11-21T09:30:00Z."
    refused(await local.get("/api/usage?until=2026-02-30"), 400, InvalidRequest(detail))


@pytest.mark.parametrize(
    "query", ["since=0001-01-01", "until=9999-12-31", "since=2026-05-01&until=2026-04-01"]
)
async def test_times_without_end(local: House, query: str) -> None:
    answer = await local.get(f"/api/usage?{query}")
    assert (answer.status_code, answer.json()["requests"]) == (200, 0)


async def test_the_ledger_as_csv(guarded: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "PIECE", 2)
    guarded.script = SAID
    one = await guarded.conversation("ana")
    for _ in range(5):
        await guarded.send(one, user="ana")
    await guarded.send(await guarded.conversation("bia"), user="bia")
    answer = await guarded.get("/api/usage?format=csv", user="ana")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert len({row["id"] for row in rows}) == 5
    assert {row["userId"] for row in rows} == {"ana"}
    assert {(row["totalTokens"], row["cost"], row["estimated"], row["priceVersion"]) for row in rows} == {
        ("15", "0", "false", "free")
    }


@pytest.mark.parametrize("model", ["=1+1", "a;=1+1", "a\t@sum", "a;  -2+3"])
async def test_no_cell_is_computed(guarded: House, model: str) -> None:
    """Also where a program takes semicolons or tabs for what parts the cells."""
    kept = await _entered(guarded, model)
    text = (await guarded.get("/api/usage?format=csv", user="ana")).content.decode("utf-8-sig")
    assert kept in text
    for sign in ",;\t":
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=sign):
            assert not any(cell.lstrip(" ").startswith(("=", "+", "-", "@")) for cell in row)


async def _entered(house: House, model: str) -> str:
    """An entry of Ana's, for a model of this name; its id."""
    house.script = SAID
    await house.send(await house.conversation("ana"), user="ana")
    from prosa.domain.principal import Principal

    records = house.chat.store.of(Principal("ana"))
    (entry,) = await records.usage.entries(reports.EARLIEST, now(), None, 10)
    made = replace(
        entry, id="01900000-0000-7000-8000-0000000000aa", attempt=2, model=model, cost=Picodollars(1)
    )
    await records.ledger.release(entry.run_id, [made])
    return made.id


async def test_without_a_token_nothing_is_told(tmp_path: Path) -> None:
    async with furnished(tmp_path, jwt_secret=SECRET) as house:
        for form in ("json", "csv"):
            assert (await house.get(f"/api/usage?format={form}")).status_code == 401


async def estimated(house: House, user: str | None = None, **body: Any) -> dict[str, Any]:
    answer = await house.post("/api/usage/estimate", body, user=user)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_an_estimate_is_what_a_send_would_hold(tmp_path: Path) -> None:
    async with furnished(tmp_path, max_tokens_per_day=100_000) as house:
        one = await house.conversation(systemPrompt="Be kind.")
        await house.send(one, "What is the time in Lisbon?")
        before = (await house.get("/api/usage")).json()
        told = await estimated(house, conversationId=one, content="And in Faro?")
        assert told | {"promptTokens": 0, "totalTokens": 0, "remaining": None} == {
            "provider": "fake", "model": house.calls[0].request.model, "promptTokens": 0, "promptExact": False,
            "maxCompletionTokens": 4096, "totalTokens": 0, "cost": 0.0, "costExact": "0", "allowed": True,
            "code": None, "remaining": None,
        }  # fmt: skip
        assert told["totalTokens"] == told["promptTokens"] + 4096
        assert told["remaining"] == before["remaining"] == (await house.get("/api/usage")).json()["remaining"]
        assert len(house.calls) == 1
        events = await house.send(one, "And in Faro?")
        context = (await house.get(f"/api/chat/runs/{events[0]['runId']}")).json()["context"]
        assert told["promptTokens"] == context["tokens"]


async def test_the_tokens_of_openais_models_are_counted(local: House) -> None:
    """By the numbers of their own cookbook: 4 around each message, 3 before the answer."""
    local.chat.catalogue._offers["openai"] = Offer("openai", FakeModel(provider="openai"), "gpt-4o")
    told = await estimated(
        local,
        provider="openai",
        model="gpt-4o",
        messages=[
            {"role": "system", "content": "tiktoken is great!"},
            {"role": "user", "content": "Hello world"},
        ],
        maxTokens=100,
    )
    assert (told["promptTokens"], told["promptExact"]) == (4 + 6 + 4 + 2 + 3, True)
    assert told["costExact"] == "0.0010475"  # 19 tokens at $2.50 a million, 100 at $10
    assert told["cost"] == 0.0010475


async def test_a_model_without_a_price(local: House) -> None:
    local.chat.catalogue._offers["openai"] = Offer("openai", FakeModel(provider="openai"), "nobody-knows")
    told = await estimated(local, model="openai/nobody-knows", content="x")
    assert (told["cost"], told["costExact"], told["allowed"]) == (None, None, True)


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"max_tokens_per_day": 50}, "token_limit_reached"),
        ({"max_cost_per_month": "0.000001"}, "cost_limit_reached"),
        ({"max_cost_per_month": "1", "model": "nobody-knows"}, "price_unknown"),
    ],
)
async def test_what_the_limits_do_not_allow(tmp_path: Path, limits: dict[str, Any], code: str) -> None:
    model = limits.pop("model", "gpt-4o")
    async with furnished(tmp_path, **limits) as house:
        house.chat.catalogue._offers["openai"] = Offer("openai", FakeModel(provider="openai"), model)
        told = await estimated(house, provider="openai", model=model, content="x" * 200)
        assert (told["allowed"], told["code"]) == (False, code)
        sent = await house.post(
            "/api/chat/send", {"conversationId": await house.conversation(), "content": "x" * 200,
                               "provider": "openai", "model": model},
        )  # fmt: skip
        assert sent.json()["code"] == code


@pytest.mark.parametrize(
    "body",
    [{}, {"content": "x", "messages": [{"role": "user", "content": "x"}]}, {"content": ""}, {"messages": []},
     {"messages": [{"role": "assistant", "content": "x"}]}, {"content": "x", "maxTokens": 0}],
)  # fmt: skip
async def test_what_is_no_question(local: House, body: dict[str, Any]) -> None:
    assert (await local.post("/api/usage/estimate", body)).status_code == 400


async def test_what_fits_is_counted_as_for_a_send(local: House) -> None:
    """Where estimates would leave messages out, the counts say that they have room."""
    local.chat.catalogue._offers["openai"] = Offer(
        "openai", FakeModel(provider="openai"), "gpt-4o", window=2_000
    )
    words = " ".join(["the time in Lisbon"] * 100)
    messages = [{"role": role, "content": words} for role in ("user", "assistant", "user")]
    told = await estimated(local, provider="openai", model="gpt-4o", messages=messages, maxTokens=100)
    assert told["promptExact"]
    assert told["promptTokens"] == 3 * (400 + 4) + 3
