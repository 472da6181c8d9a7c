"""Kills between a file's bytes and its row: nothing is counted that is not there, and nothing stays for ever."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.engine.conftest import Serve, on
from tests.pictures import png
from tests.postgres import Database
from tests.processes import Client, Process

pytestmark = [pytest.mark.slow, pytest.mark.hostile(40)]

DYING = """
import os, signal
from prosa.adapters.blobs.folder import FileDraft, Folder
def dying(self, *given):
    if given == ([],):
        return
    {does}
    os.kill(os.getpid(), signal.SIGKILL)
before, {owner}.{method} = {owner}.{method}, dying
from prosa.cli import main; main()
"""
"""A server that dies in a method: before it has done anything, or after."""


@pytest.fixture
def fatal(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """The next servers die there."""

    def die(owner: str, method: str, *, after: bool = False) -> None:
        does = "before(self, *given)" if after else "pass"
        monkeypatch.setattr(Process, "program", DYING.format(owner=owner, method=method, does=does))

    return die


async def upload(client: Client, data: bytes) -> Any:
    form = aiohttp.FormData()
    form.add_field("file", data, filename="a.png")
    async with client.session.post(f"{client.url}/api/files", data=form) as response:
        assert response.status == 201, await response.text()
        return await response.json()


def blobs(process: Process) -> dict[str, Path]:
    folder = process.folder / "prosa-files"
    found = {path.name: path for path in folder.rglob("*") if path.is_file()}
    found.pop("database", None)
    return found


def age(process: Process) -> None:
    """As if an hour had passed."""
    for path in blobs(process).values():
        os.utime(path, (time.time() - 3_600, time.time() - 3_600))


async def swept(process: Process, names: set[str]) -> None:
    async with asyncio.timeout(10):
        while set(blobs(process)) != names:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("owner", "method", "after"),
    [("FileDraft", "write", False), ("FileDraft", "write", True), ("FileDraft", "keep", False), ("FileDraft", "keep", True)],
)  # fmt: skip
async def test_a_kill_during_an_upload(
    serve: Serve,
    fatal: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    owner: str,
    method: str,
    after: bool,
) -> None:
    process, client = await serve()
    kept = (await upload(client, png()))["id"]
    await process.kill()
    fatal(owner, method, after=after)
    process, client = await serve(fresh=True)
    with pytest.raises(aiohttp.ClientError):
        await upload(client, png())
    await process.ended()
    assert len(blobs(process)) == 2
    assert process.rows("SELECT id, size FROM files") == [(kept, len(png()))]
    monkeypatch.undo()
    age(process)
    process, client = await serve(PROSA_MAX_FILES_BYTES_PER_USER=str(2 * len(png())))
    await swept(process, {kept})
    other = (await upload(client, png()))["id"]  # what was lost is not counted
    assert set(blobs(process)) == {kept, other}


@pytest.mark.parametrize("after", [False, True])
async def test_a_kill_while_files_are_taken_away(
    serve: Serve, fatal: Callable[..., None], monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    process, client = await serve()
    kept, gone = (await upload(client, png()))["id"], (await upload(client, png()))["id"]
    conversation = await client.conversation("words-3x1")
    await (await client.send(conversation, attachments=[gone])).end()
    await process.kill()
    fatal("Folder", "remove", after=after)
    process, client = await serve(fresh=True)
    with pytest.raises(aiohttp.ClientError):
        await client.session.delete(f"{client.url}/api/conversations/{conversation}")
    await process.ended()
    assert process.rows("SELECT id FROM files") == [(kept,)]
    assert set(blobs(process)) == ({kept} if after else {kept, gone})
    age(process)
    if not after:  # the sweep of the next start is killed, too
        process, client = await serve(fresh=True)
        await process.ended()
    monkeypatch.undo()
    process, client = await serve()
    await swept(process, {kept})


async def test_two_nodes_with_one_folder(serve: Serve, database: Database) -> None:
    process, one = await serve(**on(database))
    _, other = await serve(**on(database))
    kept, gone = (await upload(one, png()))["id"], (await upload(other, png()))["id"]
    conversation = await one.conversation("words-3x1")
    stream = await other.send(conversation, attachments=[kept, gone])
    assert (await stream.end())["status"] == "completed"
    message = await one.message(conversation, stream.start["userMessageId"])
    assert [part.get("fileId") for part in message["parts"]] == [kept, gone, None]
    async with one.session.get(f"{one.url}/api/files/{gone}/content") as response:
        assert await response.read() == png()
    age(process)
    _, third = await serve(**on(database))  # its sweep finds all known
    assert (await third.get(f"/api/files/{kept}"))["conversationId"] == conversation
    assert set(blobs(process)) == {kept, gone}
    await third.session.delete(f"{third.url}/api/conversations/{conversation}")
    await swept(process, set())
