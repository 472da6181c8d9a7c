"""The examples of docs/direct.md do what the page says, against providers on loopback."""

import re
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from tests.unit.direct.conftest import Upstream
from tests.unit.direct.plays import HI, answered, called, claude_answered, streamed, told

import prosa

PAGE = Path(__file__).resolve().parents[3] / "docs" / "direct.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture(scope="module")
def page() -> Any:
    module = ModuleType("direct_page")
    exec(compile("\n".join(BLOCKS), str(PAGE), "exec"), module.__dict__)
    return module


def test_the_page_tells_of_every_function() -> None:
    ours = [name for name, where in prosa._WHERE.items() if where.startswith("prosa.direct.")]
    assert len(ours) == 14
    untold = [
        name for name in [*ours, "calculate_cost"] if f"prosa.{name}" not in TEXT and f"`{name}" not in TEXT
    ]
    assert untold == ["LLMProvider"]  # nobody makes one by hand
    assert set(prosa._WHERE) | {"__version__"} == set(prosa.__all__)


async def test_a_provider(page: Any, upstream: Upstream) -> None:
    there = await upstream.openai(answered({"content": "A long house."}))
    assert await page.describe("barn") == "A long house."
    body = there.seen[0].body
    assert [each["content"] for each in body["messages"]] == ["Be brief.", "What is a barn?"]
    assert (body["model"], body["max_tokens"]) == ("gpt-4.1-mini", 200)


async def test_its_stream(page: Any, upstream: Upstream) -> None:
    there = await upstream.openai(streamed("Hel", "lo"))
    assert "".join(await page.tell(HI)) == "Hello"
    assert there.seen[0].body["temperature"] == 0.7


async def test_its_vector(page: Any, upstream: Upstream) -> None:
    vector = {"object": "embedding", "index": 0, "embedding": [0.5, -0.25]}
    there = await upstream.openai(told({"object": "list", "data": [vector], "model": "m", "usage": {}}))
    assert await page.vector("a text") == [0.5, -0.25]
    assert there.seen[0].body["model"] == "text-embedding-3-small"


async def test_a_message(page: Any, upstream: Upstream) -> None:
    there = await upstream.openai(answered({"content": "Hello to you."}))
    assert await page.greet() == "Hello to you. (gpt-4.1-mini, stop)"
    assert there.seen[0].headers["authorization"] == "Bearer key-of-openai"


async def test_functions(page: Any, upstream: Upstream) -> None:
    arguments = '{"location": "Belém"}'
    there = await upstream.openai(called("get_weather", arguments), answered({"content": "It is grey."}))
    assert await page.weather(HI) == "It is grey."
    asked, back = (seen.body for seen in there.seen)
    assert asked["tools"][0]["function"]["name"] == "get_weather"
    user, call, result = back["messages"]
    assert user == HI[0]
    assert call["tool_calls"][0]["function"] == {"name": "get_weather", "arguments": arguments}
    assert result["role"] == "tool"
    assert result["tool_call_id"] == call["tool_calls"][0]["id"]
    assert result["content"] == '{"location": "Bel\\u00e9m", "sky": "grey"}'


async def test_a_stream_and_its_message(page: Any, upstream: Upstream) -> None:
    await upstream.openai(streamed("Hel", "lo"))
    assert await page.count() == ("Hello", 3)


async def test_a_route_of_events(page: Any, upstream: Upstream) -> None:
    await upstream.openai(streamed("Hel", "lo"))
    app = Starlette(routes=[Route("/events", page.events, methods=["POST"])])
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        response = await client.post("/events", json={"messages": HI})
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.text.endswith("data: [DONE]\n\n")
    assert '"content":"Hello"' in response.text


async def test_claude(page: Any, upstream: Upstream) -> None:
    there = await upstream.anthropic(claude_answered({"type": "text", "text": "Hi."}))
    assert await page.claude() == "Hi. Hi. (end_turn)"
    first, second = (seen.body for seen in there.seen)
    assert first["system"] == "You are helpful."
    assert [each["role"] for each in second["messages"]] == ["user", "assistant", "user"]
    assert second["max_tokens"] == 100


async def test_a_conversation(page: Any, upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    await upstream.openai(streamed("How can I help?"))
    monkeypatch.setenv("DEFAULT_AI_PROVIDER", "openai")
    assert await page.support() == "How can I help?"


async def test_a_route(page: Any, upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    await upstream.openai(streamed("Olá", ", você!"))
    monkeypatch.setenv("DEFAULT_AI_PROVIDER", "openai")
    transport = httpx2.ASGITransport(app=page.app)
    async with (
        page.app.router.lifespan_context(page.app),
        httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        response = await client.post("/assistant", json={"messages": HI})
        assert (response.status_code, response.content.decode()) == (200, "Olá, você!")
        refused = await client.post("/assistant", json={"messages": []})
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid_request")


def test_what_it_cost(page: Any) -> None:
    assert page.price() == "0.00036 US dollars"


def test_what_fits(page: Any) -> None:
    long = [{"role": "user", "content": "word " * 900} for _ in range(10)]
    assert page.newest([{"role": "system", "content": "Be brief."}, *HI]) == [
        {"role": "system", "content": "Be brief."},
        *HI,
    ]
    with pytest.raises(prosa.ProsaError, match="tokens longer"):
        page.newest(long)
    assert page.size(HI) == "9"
    assert page.size([{"role": "user", "content": [{"type": "image_url"}]}]).startswith("about ")


async def test_branches(page: Any, upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    there = await upstream.openai(streamed("Barns are…"), streamed("A long house."), streamed("Houses."))
    monkeypatch.setenv("DEFAULT_AI_PROVIDER", "openai")
    assert await page.shorter() == ["A long house.", "Houses."]
    asked = [[each["content"] for each in seen.body["messages"]] for seen in there.seen]
    assert asked == [
        ["Tell me of barns."],
        ["Tell me of barns in a line."],
        ["Tell me of barns.", "Barns are…", "Shorter, please."],
    ]


async def test_notes(page: Any, upstream: Upstream) -> None:
    there = await upstream.openai(answered({"content": "They greet."}), answered({"content": " They part. "}))
    messages = [{"role": "system", "content": "Be brief."}, *HI * 4, {"role": "user", "content": "Bye!"}]
    assert await page.notes(messages) == "They part."
    first, second = (seen.body["messages"][-1]["content"] for seen in there.seen)
    assert first == "<conversation>\nUser: Hello!\n</conversation>"
    assert second.startswith("<notes>\nThey greet.\n</notes>")
    assert "User: Bye!" in second
    assert "Be brief." not in first + second
