"""Servers in processes of their own, and a client that notes when what arrived."""

import asyncio
import json
import os
import signal
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
from tests.copies import Copy
from tests.sqlite import furnish

MAIN = "from prosa.cli import main; main()"
SOURCES = Path(__file__).resolve().parents[1] / "src"
END_STATES = frozenset({"completed", "incomplete", "failed", "cancelled", "expired"})


class Process:
    """`prosa serve` on a port that the system chooses. What it logs is kept in `log`."""

    program = MAIN
    """What an interpreter of its own runs."""

    def __init__(self, folder: Path, base_url: str, **settings: str) -> None:
        self.folder = folder
        self.database = folder / "prosa.db"
        self.log = folder / f"log-{len(list(folder.glob('log-*')))}"
        self.log.touch()
        self.url = ""
        self.environment = {
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": str(SOURCES),
            "OPENAI_API_KEY": "x",
            "OPENAI_BASE_URL": base_url,
            "DEFAULT_AI_PROVIDER": "openai",
            "PROSA_PORT": "0",
            "PROSA_TITLE_MODEL": "off",
            "PROSA_LOG_FORMAT": "json",
            "PROSA_DATABASE_URL": f"sqlite:///{self.database}",
            **settings,
        }
        self.process: asyncio.subprocess.Process | Copy | None = None
        self._told: asyncio.StreamWriter | None = None

    async def start(self, *, fresh: bool = False) -> "Process":
        """With an interpreter of its own where it is `fresh`, else as a copy of one."""
        furnish(self.database)
        ours, theirs = socket.socketpair()
        stdout, self._told = await asyncio.open_connection(sock=ours)
        with self.log.open("ab") as log, theirs, open(os.devnull, "rb") as nothing:  # noqa: ASYNC230, PTH123
            if fresh:
                self.process = await asyncio.create_subprocess_exec(
                    sys.executable, "-c", self.program, "serve",
                    env=self.environment, cwd=self.folder, stdin=nothing, stdout=theirs, stderr=log,
                )  # fmt: skip
            else:
                streams = nothing.fileno(), theirs.fileno(), log.fileno()
                self.process = Copy(["serve"], self.environment, self.folder, streams)
        async with asyncio.timeout(20):
            while not self.url:
                line = (await stdout.readline()).decode()
                assert line, self.logged
                if line.startswith("Prosa is at "):
                    self.url = line.split()[-1].rstrip("/")
        return self

    @property
    def logged(self) -> str:
        return self.log.read_text()

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    async def ended(self, seconds: float = 30) -> int:
        """Waits for the exit; its status."""
        assert self.process is not None
        async with asyncio.timeout(seconds):
            status = await self.process.wait()
        if self._told is not None:
            self._told.close()
        return status

    async def kill(self) -> None:
        """As a power cut would: nothing is told, nothing is put down."""
        if self.process is not None:
            if self.process.returncode is None:
                with suppress(ProcessLookupError):
                    self.signal(signal.SIGKILL)
            await self.ended()

    def memory(self) -> int:
        """Resident bytes."""
        assert self.process is not None
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def rows(self, sql: str, *values: Any) -> list[Any]:
        connection = sqlite3.connect(self.database)
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()


@asynccontextmanager
async def serving(
    folder: Path, base_url: str, *, fresh: bool = False, **settings: str
) -> AsyncIterator[Process]:
    """A server that is gone afterwards, however the test ended."""
    process = Process(folder, base_url, **settings)
    try:
        yield await process.start(fresh=fresh)
    finally:
        await process.kill()


class Client:
    """What a caller does, against one server or several."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._begun: list[aiohttp.ClientResponse] = []
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=60)
        )

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, *_: object) -> None:
        for response in self._begun:  # a stream that nobody read to its end complains when it is collected
            response.close()
        await self.session.close()

    async def conversation(self, model: str) -> str:
        """The id of a new one that `model` answers in."""
        made = await self.post("/api/conversations", {"provider": "openai", "model": model})
        return made["id"]

    async def post(
        self, path: str, body: Mapping[str, Any] | None = None, *, status: int | None = None
    ) -> Any:
        async with self.session.post(self.url + path, json=body or {}) as response:
            assert response.status == status or (status is None and response.ok), await response.text()
            return await response.json()

    async def get(self, path: str) -> Any:
        async with self.session.get(self.url + path) as response:
            assert response.ok, await response.text()
            return await response.json()

    async def send(self, conversation: str, content: str = "Hello", **fields: Any) -> "Stream":
        body = {"conversationId": conversation, "content": content, **fields}
        return await self._stream(self.session.post(self.url + "/api/chat/send", json=body))

    async def follow(self, run: str, after: int = 0) -> "Stream":
        """The rest past `after`; an empty stream where there is none."""
        headers = {"Last-Event-ID": str(after)}
        return await self._stream(self.session.get(f"{self.url}/api/chat/runs/{run}/events", headers=headers))

    async def stop(self, run: str) -> Any:
        return await self.post(f"/api/chat/runs/{run}/stop")

    async def run(self, run: str) -> Any:
        return await self.get(f"/api/chat/runs/{run}")

    async def message(self, conversation: str, message: str) -> Any:
        return await self.get(f"/api/conversations/{conversation}/messages/{message}")

    async def until_ended(self, run: str, seconds: float = 10) -> Any:
        """Asks until the run is in an end state; the run."""
        return await self.until(run, END_STATES, seconds)

    async def until(self, run: str, states: Collection[str], seconds: float = 10) -> Any:
        """Asks until the run is in one of the states; the run."""
        async with asyncio.timeout(seconds):
            while (found := await self.run(run))["status"] not in states:  # noqa: ASYNC110 - that is asking
                await asyncio.sleep(0.02)
        return found

    async def _stream(self, request: Any) -> "Stream":
        response = await request
        self._begun.append(response)
        stream = Stream(response)
        await stream.until(lambda: bool(stream.lines) or stream.over)
        return stream


class Stream:
    """A stream that reads itself: `lines` are its events' lines, `times` when each came."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self.status = response.status
        self.lines: list[bytes] = []
        self.times: list[float] = []
        self.ids: list[int] = []
        self.over = False
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._read())

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]

    @property
    def start(self) -> dict[str, Any]:
        return self.events[0]

    @property
    def text(self) -> str:
        return "".join(event.get("content", "") for event in self.events)

    def text_before(self, moment: float) -> str:
        """What had arrived by then."""
        pairs = zip(self.events, self.times, strict=True)
        return "".join(event.get("content", "") for event, at in pairs if at <= moment)

    async def until(self, condition: Any, seconds: float = 30) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def words(self, number: int) -> None:
        """Waits for that many of the answer's words."""
        await self.until(lambda: self.over or self.text.count(" ") >= number)

    async def end(self, seconds: float = 30) -> dict[str, Any]:
        """Waits for the end of the stream; its last event."""
        await self.until(lambda: self.over, seconds)
        return self.events[-1] if self.lines else {}

    async def leave(self) -> None:
        """Hangs up."""
        self.response.close()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            async for line in self.response.content:
                if line.startswith(b"data: "):
                    self.lines.append(line[6:].rstrip(b"\n"))
                    self.times.append(loop.time())
                elif line.startswith(b"id: "):
                    self.ids.append(int(line[4:]))
                self._changed.set()
        except (aiohttp.ClientError, OSError):
            pass  # the server is gone: what came, came
        finally:
            self.over = True
            self._changed.set()
            self.response.close()
