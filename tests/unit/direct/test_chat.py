"""The functions of the default Prosa: which one that is, when it opens and closes, and a route of one's own."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from threading import active_count
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tests.unit.adapters.models.loopback import Loopback
from tests.unit.direct.conftest import Upstream
from tests.unit.direct.plays import HI, streamed, told

import prosa
from prosa import Prosa
from prosa.adapters.models.fake.client import FakeModel
from prosa.direct.opened import default_prosa
from prosa.domain.errors import MisconfiguredError
from prosa.domain.events import Text

FILE = "sqlite:///own.db"


@asynccontextmanager
async def calling(app: Any) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


def contents(file: str = "prosa.db") -> list[str]:
    return column("SELECT content FROM messages ORDER BY id", file)


def column(query: str, file: str = "prosa.db") -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return [value for (value,) in connection.execute(query)]


@pytest.fixture
async def openai(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> Loopback:
    monkeypatch.setenv("DEFAULT_AI_PROVIDER", "openai")
    return await upstream.openai(streamed("Olá", "!"))


async def test_the_default_one_goes_by_the_settings(openai: Loopback) -> None:
    answer = await prosa.process_user_chat_message("Oi", "", "desk", [{"role": "user", "content": "Antes"}])
    assert answer.message.content == "Olá!"
    assert [each["content"] for each in openai.seen[0].body["messages"]] == ["Antes", "Oi"]
    first, again = await asyncio.gather(default_prosa(), default_prosa())
    assert first is again
    await prosa.close()
    await prosa.close()
    assert contents() == ["Oi", "Olá!"]
    async with Prosa():  # nobody else uses the file any more
        pass
    await prosa.process_user_chat_message("Mais", session_id="desk")
    assert [each["content"] for each in openai.seen[1].body["messages"]] == ["Oi", "Olá!", "Mais"]


async def test_one_that_is_open_is_used(upstream: Upstream) -> None:
    del upstream
    async with (
        Prosa(models={"fake": FakeModel()}, database_url=FILE) as own,
        Prosa(models={"fake": FakeModel()}, database_url="sqlite:///other.db"),
    ):
        assert await default_prosa() is own
        answer = await prosa.process_user_chat_message("Oi", user_id="ana", session_id="desk")
        assert answer.message.content == "You said: Oi"
        assert (await own.conversation("desk", user_id="ana")).id == answer.run.conversation_id
    assert await default_prosa() is not own


async def test_one_that_can_not_be_opened(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    del upstream
    monkeypatch.setenv("PROSA_DATABASE_URL", "nonsense")
    with pytest.raises(MisconfiguredError):
        await prosa.process_user_chat_message("Oi")
    async with calling(route()) as client:
        refused = await client.post("/talk", json={"messages": HI}, headers={"accept-language": "pt"})
    assert (refused.status_code, refused.json()["code"]) == (409, "misconfigured")
    assert refused.headers["content-type"] == "application/json"
    monkeypatch.setenv("PROSA_DATABASE_URL", FILE)
    assert await default_prosa() is await default_prosa()


@pytest.mark.parametrize("forgotten", [False, True])
def test_leaving_in_mid_answer(
    forgotten: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Closing stores what there is of an answer; and whoever forgets it leaves no file locked, no thread, and
    no message of the user's behind: the next one finds all as after a crash."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEFAULT_AI_PROVIDER", "openai")

    async def whole(text: str) -> list[str]:
        async with Loopback(streamed("Hello")).listening() as there:
            monkeypatch.setenv("OPENAI_BASE_URL", there.base)
            await prosa.process_user_chat_message(text, session_id="desk")
            return [each["content"] for each in there.seen[-1].body["messages"]]

    async def half(text: str) -> None:
        async with Loopback(streamed("Hel", asyncio.Event())).listening() as there:
            monkeypatch.setenv("OPENAI_BASE_URL", there.base)
            words = (await default_prosa()).chat.send(text, "desk")
            await anext(event async for event in words if isinstance(event, Text))
            if not forgotten:
                await prosa.close()

    before = active_count()
    assert asyncio.run(whole("one")) == ["one"]
    asyncio.run(half("two"))
    assert active_count() == before
    assert contents()[:3] == ["one", "Hello", "two"]
    assert forgotten or contents()[3] == "Hel"
    told = asyncio.run(whole("three"))
    assert (told[:3], told[-1]) == (["one", "Hello", "two"], "three")
    assert column("SELECT status FROM runs ORDER BY id") == ["completed", "incomplete", "completed"]


def route(**more: Any) -> Starlette:
    async def talk(request: Request) -> Response:
        response = await prosa.handle_chat_request(request)
        response.background = more.get("background")
        return response

    async def peek(request: Request) -> Response:
        assert (await request.json())["messages"]
        return await prosa.handle_chat_request(request)

    return Starlette(routes=[Route("/talk", talk, methods=["POST"]), Route("/peek", peek, methods=["POST"])])


async def test_a_route(openai: Loopback) -> None:
    done: list[str] = []
    app = route(background=BackgroundTask(done.append, "done"))
    async with calling(app) as client:
        for path in ("/talk", "/peek"):
            response = await client.post(path, json={"messages": HI})
            assert (response.status_code, response.text) == (200, "Olá!")
            assert response.headers["content-type"] == "text/plain; charset=utf-8"
            assert response.headers["x-conversation-id"]
        follow = {"conversationId": response.headers["x-conversation-id"], "content": "Mais"}
        assert (await client.post("/talk", json=follow)).text == "Olá!"
    assert [each["content"] for each in openai.seen[2].body["messages"]] == ["Hello!", "Olá!", "Mais"]
    await prosa.close()
    assert len(contents()) == 6
    assert done == ["done", "done"]


async def test_what_the_route_refuses(openai: Loopback) -> None:
    async with calling(route()) as client:
        wrong = await client.post("/talk", json={"messages": "?"}, headers={"accept-language": "pt"})
        assert (wrong.status_code, wrong.json()["code"], wrong.json()["message"]) == (
            400, "invalid_request", "Dados inválidos",
        )  # fmt: skip
        foreign = await client.post(
            "/talk", json={"messages": HI}, headers={"origin": "https://evil.example"}
        )
        assert (foreign.status_code, foreign.json()["code"]) == (403, "origin_not_allowed")
        large = await client.post("/talk", content=b" " * (2 * 1024 * 1024 + 1))
        assert (large.status_code, large.json()["code"]) == (413, "too_large")
    assert not openai.seen


async def test_who_calls_the_route(openai: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROSA_JWT_SECRET", "b5f1c0a9d7e24438a6f05e1b7c93d2486aa1")
    async with calling(route()) as client:
        nobody = await client.post("/talk", json={"messages": HI})
    assert (nobody.status_code, nobody.json()["code"]) == (401, "not_authenticated")
    assert not openai.seen


async def test_a_provider_that_fails(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEFAULT_AI_PROVIDER", "openai")
    await upstream.openai(told({"error": {"message": "no"}}, 401))
    async with calling(route()) as client:
        failed = await client.post("/talk", json={"messages": HI})
    assert (failed.status_code, failed.json()["code"]) == (502, "provider_bad_key")
