"""The embedded model itself: that it answers, stops, comes back, and is seen and outlived by nobody."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from prosa.adapters.models.local.model import LocalModel
from prosa.adapters.models.local.server import LocalServer
from prosa.adapters.models.local.weights import find
from prosa.adapters.models.openai.client import OpenAIModel
from prosa.adapters.models.openai.dialect import ROWS
from prosa.domain.errors import ContextTooLong, ProviderNotConfigured, ProviderUnreachable
from prosa.domain.models import (
    ChatRequest,
    Finish,
    FinishReason,
    ModelEvent,
    Role,
    TextDelta,
    Turn,
    UsageReport,
)
from prosa.ports.models import ChatModel


def missing() -> bool:
    try:
        find()
    except ProviderNotConfigured:
        return True
    return False


pytestmark = [
    pytest.mark.model,
    pytest.mark.skipif(missing(), reason="The embedded model is not installed: requirements-model.txt."),
]
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="Looks at /proc.")

LISTENING = "0A"
LOOPBACK = "0100007F"


def connect(base_url: str, api_key: str) -> ChatModel:
    row = replace(ROWS["llamacpp"], name="local", base_url=base_url)
    return OpenAIModel(api_key=api_key, dialect=row)


def asking(words: str, max_tokens: int = 16) -> ChatRequest:
    return ChatRequest("smollm2-135m", (Turn(Role.USER, words),), max_tokens=max_tokens)


def text(events: list[ModelEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


@pytest.fixture
async def local() -> AsyncIterator[LocalServer]:
    server = LocalServer()
    yield server
    await server.close()


@pytest.fixture
async def model(local: LocalServer) -> AsyncIterator[LocalModel]:
    model = LocalModel(local, connect)
    yield model
    await model.close()


async def running(local: LocalServer) -> int:
    """The pid of the child, once it is ready."""
    await local.address()
    assert local.pid is not None
    return local.pid


async def gone(pid: int) -> None:
    """Waits until the process has ended, whoever its parent is."""
    try:
        watch = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(watch, ended.set)
    try:
        async with asyncio.timeout(10):
            await ended.wait()
    finally:
        loop.remove_reader(watch)
        os.close(watch)


def busy(pid: int) -> float:
    """Seconds of CPU that the process has used (proc(5): utime and stime of `stat`)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def idle(pid: int) -> None:
    """Waits until the process rests, which it must do soon: what it had to do would take it ten times as long."""
    async with asyncio.timeout(4):
        before, now = -1.0, busy(pid)
        while before != now:
            await asyncio.sleep(0.3)
            before, now = now, busy(pid)


def sockets(pid: int) -> set[str]:
    links = [link.readlink().name for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()]
    return {link.removeprefix("socket:[").removesuffix("]") for link in links if link.startswith("socket:")}


def listening(pid: int) -> list[str]:
    """The addresses, as the kernel writes them, on which the process listens."""
    own = sockets(pid)
    rows = [
        row.split()
        for table in ("tcp", "tcp6")
        for row in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
    ]
    return [row[1] for row in rows if row[3] == LISTENING and row[9] in own]


async def test_it_answers_within_its_bound(model: LocalModel) -> None:
    events = [event async for event in model.stream(asking("Tell me a story about a dragon."))]
    assert text(events).strip()
    assert events[-1] == Finish(FinishReason.LENGTH)
    [report] = [event for event in events if isinstance(event, UsageReport)]
    assert report.usage.completion_tokens == 16


async def test_four_at_a_time_are_all_answered(model: LocalModel) -> None:
    async def answer() -> list[ModelEvent]:
        return [event async for event in model.stream(asking("Say hello.", 8))]

    for events in await asyncio.gather(*(answer() for _ in range(4))):
        assert text(events)


async def test_a_conversation_beyond_its_context_is_told_as_such(model: LocalModel) -> None:
    with pytest.raises(ContextTooLong):
        await anext(model.stream(asking("word " * 9_000)))


async def test_it_comes_back_after_a_kill(model: LocalModel, local: LocalServer) -> None:
    first = await running(local)
    os.kill(first, signal.SIGKILL)
    assert local._watch is not None
    await local._watch
    events = [event async for event in model.stream(asking("Say hello."))]
    assert text(events)
    assert await running(local) != first


async def test_a_kill_amid_an_answer_breaks_it_off_in_its_own_name(
    model: LocalModel, local: LocalServer
) -> None:
    stream = model.stream(asking("Write a list of 20 fruits", 400))
    await anext(stream)
    os.kill(await running(local), signal.SIGKILL)
    with pytest.raises(Exception, match="local") as caught:
        async for _ in stream:
            pass
    assert caught.value.retryable


@on_linux
async def test_a_stream_that_is_closed_stops_the_generating(model: LocalModel, local: LocalServer) -> None:
    async with aclosing(model.stream(asking("Write a list of 20 fruits", 4_000))) as stream:
        for _ in range(5):
            await anext(stream)
    pid = await running(local)
    await idle(pid)


@on_linux
async def test_who_leaves_before_the_first_word_stops_the_reading(
    model: LocalModel, local: LocalServer
) -> None:
    pid = await running(local)
    before = busy(pid)
    waiting = asyncio.create_task(anext(model.stream(asking("word " * 6_000))))
    async with asyncio.timeout(10):
        while busy(pid) < before + 0.2:  # noqa: ASYNC110 (nothing tells of another process's CPU time)
            await asyncio.sleep(0.05)
    waiting.cancel()
    await idle(pid)


@on_linux
async def test_it_listens_on_loopback_alone(local: LocalServer) -> None:
    [address] = listening(await running(local))
    assert address.partition(":")[0] == LOOPBACK


@on_linux
async def test_its_key_is_for_nobody_to_see_and_other_keys_not_for_it(
    local: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    address = await local.address()
    place = Path(f"/proc/{local.pid}")
    seen = (place / "cmdline").read_bytes() + (place / "environ").read_bytes()
    assert address.api_key.encode() not in seen
    assert b"sk-canary" not in seen


async def test_a_wrong_key_is_refused(local: LocalServer) -> None:
    address = await local.address()
    model = connect(address.base_url, "wrong")
    with pytest.raises(Exception, match="refused the server's key"):
        await anext(model.stream(asking("Oi")))
    await model.close()


@on_linux
async def test_a_signal_to_the_group_leaves_the_end_to_the_parent(
    model: LocalModel, local: LocalServer
) -> None:
    pid = await running(local)
    os.kill(pid, signal.SIGINT)
    os.kill(pid, signal.SIGTERM)
    assert [event async for event in model.stream(asking("Oi", 2))]
    assert await running(local) == pid


@on_linux
async def test_it_goes_when_it_is_closed(local: LocalServer) -> None:
    pid = await running(local)
    async with asyncio.timeout(1):
        await local.close()
    await gone(pid)


@on_linux
async def test_it_goes_when_its_parent_is_killed() -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, stdout=PIPE, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )
    assert parent.stdout is not None
    line = b""
    try:
        async with asyncio.timeout(20):
            async for line in parent.stdout:
                if line.startswith(b"pid "):
                    break
    finally:
        parent.kill()
        await parent.wait()
    await gone(int(line.removeprefix(b"pid ")))


PARENT = """
import asyncio
from prosa.adapters.models.local.server import LocalServer

async def main():
    server = LocalServer()
    await server.address()
    print("pid", server.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_a_file_that_is_no_model_is_told_in_the_log(
    tmp_path: Path,
) -> None:
    junk = tmp_path / "junk.gguf"
    junk.write_bytes(b"junk" * 100)
    server = LocalServer(junk)
    with capture_logs() as logs, pytest.raises(ProviderUnreachable):
        await server.address()
    assert "invalid magic" in logs[0]["reason"]
    await server.close()
