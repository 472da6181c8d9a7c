"""A whole Prosa for a test: its services, its application, its fake model, and clients that call it."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from tests.sqlite import furnish

from prosa import bootstrap, config
from prosa.adapters.models.fake.client import Call, FakeModel, Script, Step, echo
from prosa.domain.errors import ProsaError
from prosa.domain.models import ChatRequest
from prosa.server import configured, listen
from prosa.services.chat import Chat
from prosa.services.models.catalogue import Offer
from prosa.transport.app import App

SECRET = "a-secret-of-more-than-thirty-two-bytes-for-tests"
NOBODY = "01900000-0000-7000-8000-000000000000"
"""An id that nothing has."""

LIMIT = 20.0
"""Seconds that a test waits for an event before it gives up."""


class House:
    """`script` is what the model says from now on: steps, or a function that makes them from the request."""

    def __init__(self, settings: config.Settings, tools: Iterable[Any] = ()) -> None:
        self.settings = settings
        self.script: Script | Iterable[Step] = echo
        self.model = FakeModel(self._steps)
        self.chat: Chat = bootstrap.chat(settings, {"fake": self.model}, tools)
        # No test of the wire starts the embedded model.
        self.chat.catalogue._offers["local"] = Offer("local", FakeModel(provider="local"))
        self.identity = bootstrap.identity(settings, self.chat)
        self.app: App = bootstrap.application(settings, self.chat)
        self.base_url = "http://localhost"
        self._clients = contextlib.AsyncExitStack()

    def _steps(self, request: ChatRequest) -> Iterable[Step]:
        return self.script(request) if callable(self.script) else self.script

    @property
    def calls(self) -> list[Call]:
        """The requests that the model got."""
        return self.model.calls

    def token(self, user: str, **claims: Any) -> str:
        return self.identity.sign({"sub": user, "exp": int(time.time()) + 600, **claims})

    def client(
        self, user: str | None = None, roles: Sequence[str] = (), **headers: str
    ) -> httpx2.AsyncClient:
        """Over the socket where the house listens, else straight into the application, which buffers."""
        if user is not None:
            headers["Authorization"] = f"Bearer {self.token(user, **({'roles': [*roles]} if roles else {}))}"
        transport = None if self.base_url.count(":") > 1 else httpx2.ASGITransport(app=self.app)
        return httpx2.AsyncClient(
            transport=transport, base_url=self.base_url, headers=headers, timeout=LIMIT, trust_env=False
        )

    async def get(self, path: str, **more: Any) -> httpx2.Response:
        return await self.call("GET", path, **more)

    async def post(self, path: str, body: Any = None, **more: Any) -> httpx2.Response:
        return await self.call("POST", path, body, **more)

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        user: str | None = None,
        roles: Sequence[str] = (),
        **more: Any,
    ) -> httpx2.Response:
        """One request of `user` (None: with no token)."""
        async with self.client(user, roles) as client:
            if body is not None:
                more["json"] = body
            return await client.request(method, path, **more)

    async def conversation(self, user: str | None = None, **fields: Any) -> str:
        """The id of a new one."""
        answer = await self.post("/api/conversations", fields, user=user)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    async def send(
        self, conversation: str, content: str | None = "Olá!", *, user: str | None = None, **fields: Any
    ) -> list[dict[str, Any]]:
        """The events of a whole run."""
        body = {"conversationId": conversation} | ({} if content is None else {"content": content}) | fields
        answer = await self.post("/api/chat/send", body, user=user)
        assert answer.status_code == 200, answer.text
        return events(answer.content)

    @contextlib.asynccontextmanager
    async def listening(self, port: int = 0) -> AsyncIterator[str]:
        """On a port of the loopback, which the system chooses unless it is named, in this very loop."""
        listener = listen("127.0.0.1", port)
        server = uvicorn.Server(configured(self.app))
        server.capture_signals = contextlib.nullcontext
        before, self.base_url = self.base_url, f"http://127.0.0.1:{listener.getsockname()[1]}"
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield self.base_url
        finally:
            server.should_exit = True
            await task
            self.base_url = before

    @contextlib.asynccontextmanager
    async def streaming(
        self, body: Mapping[str, Any], path: str = "/api/chat/send"
    ) -> AsyncIterator["Stream"]:
        """A POST that is read as it comes."""
        async with self.client() as client, client.stream("POST", path, json=dict(body)) as response:
            yield Stream(response)


class Stream:
    """Events, one at a time."""

    def __init__(self, response: httpx2.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(LIMIT):
            async for line in self._lines:
                if line.startswith("data: "):
                    return json.loads(line[6:])
        raise EOFError

    async def until(self, kind: str | None) -> dict[str, Any]:
        """The next event of this type."""
        while (event := await self.next()).get("type") != kind:
            pass
        return event


@contextlib.asynccontextmanager
async def furnished(folder: Path, tools: Iterable[Any] = (), **settings: Any) -> AsyncIterator[House]:
    """A house with its doors open."""
    furnish(folder / "prosa.db")
    given = {"database_url": f"sqlite:///{folder / 'prosa.db'}", "title_model": "off", **settings}
    house = House(config.load(**given), tools)
    await house.chat.open()
    try:
        yield house
    finally:
        await house.chat.close()


def data_lines(raw: bytes) -> list[bytes]:
    """The JSON of each event, as it was written."""
    return [line[6:] for line in raw.split(b"\n") if line.startswith(b"data: ")]


def events(raw: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data_lines(raw)]


def said(happened: Iterable[dict[str, Any]]) -> str:
    """The text of an answer."""
    return "".join(event["content"] for event in happened if "content" in event)


def told(answer: httpx2.Response) -> dict[str, Any]:
    """The code and the message of an error, in whichever form the door has."""
    body = answer.json()
    return body.get("error", body)


def refusal(error: ProsaError, language: str = "en") -> dict[str, Any]:
    """The body that tells of `error`."""
    shown = {name: error.details[name] for name in error.shown if name in error.details}
    return {"success": False, "code": error.code, "message": error.sentence(language), **shown}


def refused(answer: httpx2.Response, status: int, error: ProsaError, language: str = "en") -> None:
    """Fails unless `answer` tells of exactly this error."""
    assert (answer.status_code, answer.json()) == (status, refusal(error, language))
