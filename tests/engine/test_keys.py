"""Providers' keys in real processes: used as they come and go, sealed anew through a kill, and never in the clear."""

import asyncio
import re
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.copies import ran
from tests.engine.conftest import Serve, on
from tests.postgres import Database
from tests.processes import END_STATES, Process
from tests.provider import Provider

from prosa.adapters.store.sqlite.store import SqliteStore
from prosa.adapters.vault.vault import Vault
from prosa.domain.ids import new_id
from prosa.domain.keys import KeyState, Place, ProviderKey, Sealed, place_of
from prosa.domain.time import now

pytestmark = pytest.mark.slow

KEYS = "/api/admin/keys"
ONE, TWO, THREE = ("0123456789abcdef" * 4, "fedcba9876543210" * 4, "00112233445566778899aabbccddeeff" * 2)
SECRET = "a-secret-of-more-than-thirty-two-bytes-for-tests"
CANARY = "canary-0123456789-abcdefghij-4321"
KEYS_KEPT = "SELECT * FROM provider_keys ORDER BY id"
UNDER = "SELECT count(*), count(DISTINCT master) FROM provider_keys"
MANY = 300


async def furnish(folder: Path, key: str | None, number: int = MANY) -> set[str]:
    """Puts keys straight into a database that no server uses yet; what they are."""
    store, vault = SqliteStore(folder / "prosa.db"), Vault(key, None, folder / "prosa.db.key")
    await store.open(lambda _kind, _ids: None)
    vault.prepare()
    secrets = {f"key-{place}-of-them" for place in range(number)}
    for secret in secrets:
        made = ProviderKey(new_id(), "openai", "", 1, KeyState.ACTIVE, None, "", now())
        await store.keys.add(made, vault.seal(secret, place_of(made)))
    await store.close()
    return secrets


def readable(folder: Path, key: str | None, old: str | None) -> set[str]:
    """What a process that starts now can open."""
    vault = Vault(key, old, folder / "prosa.db.key")
    found = set()
    connection = sqlite3.connect(folder / "prosa.db")
    try:
        rows = connection.execute("SELECT id, provider, sealed, master FROM provider_keys").fetchall()
    finally:
        connection.close()
    for row, provider, data, master in rows:
        found.add(vault.open(Sealed(data, master), Place("provider_keys", row, provider, "operator")))
    return found


async def prosa(process: Process, *words: str, said: str = "", **settings: str) -> tuple[int, str]:
    """The command beside a server; its status and all that it printed."""
    environment = process.environment | settings
    if process.url:
        environment["PROSA_PORT"] = process.url.rpartition(":")[2]
    done = await asyncio.to_thread(ran, words, environment, process.folder, said)
    return done.returncode, done.stdout + done.stderr


async def until(condition: Callable[[], Any], seconds: float = 20) -> None:
    """Asks what only another process knows."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - that is asking
            await asyncio.sleep(0.001)


@pytest.mark.hostile(23)
@pytest.mark.parametrize("given", [False, True], ids=["file", "setting"])
async def test_a_kill_in_the_middle_of_a_rotation(
    tmp_path: Path, serve: Serve, provider: Provider, given: bool
) -> None:
    secrets = await furnish(tmp_path, ONE if given else None)
    settings = {"PROSA_SECRET_KEY": TWO, "PROSA_SECRET_KEY_OLD": ONE} if given else {}
    now_and_before = (TWO, ONE) if given else (None, None)
    process, client = await serve(**settings)
    conversations = [await client.conversation("words-2000x10") for _ in range(50)]
    streams = [await client.send(each) for each in conversations]
    for stream in streams:
        await stream.words(5)
    assert process.rows(UNDER) == [(MANY, 1)]
    rotation = asyncio.create_task(client.post("/api/admin/master/rotate"))
    await until(lambda: process.rows(UNDER)[0][1] == 2)
    await process.kill()
    await asyncio.gather(rotation, *(stream.end() for stream in streams), return_exceptions=True)
    assert isinstance(rotation.exception(), aiohttp.ClientError)
    assert process.rows(UNDER) == [(MANY, 2)], "it was cut in its middle"
    assert readable(tmp_path, *now_and_before) == secrets

    again, client = await serve(**settings)
    await client.get("/ready")
    assert again.rows(UNDER) == [(MANY, 1)]
    assert "master_key_rotation_resumed" in again.logged
    assert readable(tmp_path, now_and_before[0], None) == secrets
    if not given:
        assert len((tmp_path / "prosa.db.key").read_text().split()) == 1
    for stream in streams:
        assert (await client.until_ended(stream.start["runId"]))["status"] in END_STATES
    assert (await client.post("/api/admin/master/rotate"))["resealed"] == (0 if given else MANY)
    served = await client.send(await client.conversation("words-3x0"))
    assert (await served.end())["status"] == "completed"
    assert provider.calls[-1].key in secrets | {"x"}


def _kept(folder: Path) -> dict[str, bytes]:
    """What stands beside the database."""
    return {
        each.name: each.read_bytes()
        for each in folder.glob("prosa*")
        if each.is_file() and each.name not in ("prosa.db", "prosa.db-wal", "prosa.db-shm")
    }


@pytest.mark.hostile(23)
@pytest.mark.parametrize("given", [False, True], ids=["file", "setting"])
async def test_a_wrong_master_key_keeps_the_server_from_starting(
    tmp_path: Path, serve: Serve, given: bool
) -> None:
    await furnish(tmp_path, ONE if given else None, 3)
    process, client = await serve(**({"PROSA_SECRET_KEY": ONE} if given else {}))
    await (await client.send(await client.conversation("words-3x0"))).end()
    process.signal(signal.SIGTERM)
    assert await process.ended() == 0
    kept = tmp_path / "prosa.db.key"
    if not given:
        kept.unlink()
    before = _kept(tmp_path), process.rows(KEYS_KEPT)
    process.url = ""
    for words in (("serve",), ("keys", "add", "openai"), ("keys", "rotate", "--master")):
        status, printed = await prosa(
            process, *words, said="k\n", **({"PROSA_SECRET_KEY": THREE} if given else {})
        )
        assert (status, "another master key" in printed, "Traceback" in printed) == (1, True, False), printed
    # Of what was tried only the audit log tells.
    assert (_kept(tmp_path), process.rows(KEYS_KEPT)) == before


@pytest.mark.parametrize("guarded", [False, True], ids=["local", "tokens"])
async def test_the_command_beside_a_running_server(serve: Serve, provider: Provider, guarded: bool) -> None:
    process, client = await serve(
        OPENAI_API_KEY="", **({"PROSA_JWT_SECRET": SECRET} if guarded else {})
    )  # fmt: skip
    if guarded:
        from prosa.transport.identity import Identity

        token = Identity(SECRET, "c").sign({"sub": "ana", "exp": 2**40})
        client.session.headers["Authorization"] = f"Bearer {token}"
    assert (await prosa(process, "keys", "list"))[1].startswith("There are no stored keys.")
    status, printed = await prosa(
        process, "keys", "add", "openai", "--label", "first", "--weight", "1000", said=f"{CANARY}\n"
    )
    assert status == 0, printed
    first = printed.split()[1]
    assert "4321" in printed
    conversation = await client.conversation("words-500x10")
    running = await client.send(conversation)
    await running.words(3)
    assert provider.calls[-1].key == CANARY
    status, printed = await prosa(process, "keys", "rotate", first, said="second-key\n")
    assert status == 0, printed
    second = printed.split()[1]
    await (await client.send(await client.conversation("words-3x0"))).end()
    assert provider.calls[-1].key == "second-key"
    assert (await running.end())["status"] == "completed"  # with the key that it began with
    listed = (await prosa(process, "keys", "list"))[1]
    assert first not in listed
    (line,) = [each for each in listed.splitlines() if each.startswith(second)]
    _, _, _, label, weight, state, *used = re.split("  +", line)
    assert (label, weight, state) == ("first", "1000", "active")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\dZ", used[0])
    assert used[1:] == ["1", "15", "$0"]
    assert first in (await prosa(process, "keys", "list", "--all"))[1]
    assert (await prosa(process, "keys", "rotate", "--master"))[1] == "Sealed 1 keys anew.\n"
    assert await prosa(process, "keys", "retire", second) == (0, f"Retired {second}.\n")
    status, printed = await prosa(process, "keys", "retire", new_id())
    assert (status, printed) == (1, "prosa: There is no provider key with this id.\n")
    process.signal(signal.SIGTERM)
    await process.ended()
    assert first in (await prosa(process, "keys", "list", "--all"))[1]  # now from the store itself


async def test_where_nothing_answers(tmp_path: Path, serve: Serve) -> None:
    process, _ = await serve()
    port = process.url
    for url in ("http://127.0.0.1:9", "nonsense"):
        status, printed = await prosa(process, "keys", "list", "--url", url)
        assert (status, "--url" in printed, "Traceback" in printed) == (1, True, False), printed
    status, printed = await prosa(process, "keys", "list", "--url", f"{port}/api/chat")
    assert (status, "Traceback" in printed) == (1, False), printed


@pytest.mark.hostile(21)
async def test_a_key_that_the_provider_quotes_back(tmp_path: Path, serve: Serve, provider: Provider) -> None:
    process, client = await serve(fresh=True, OPENAI_API_KEY="")
    bad = f"refused-{CANARY}"
    added = await client.post(KEYS, {"provider": "openai", "key": bad, "weight": 1000})
    stream = await client.send(await client.conversation("words-3x0"))
    await stream.end()
    said = b"".join(stream.lines).decode()
    listed = (await client.get(KEYS))["items"]
    await until(lambda: process.rows("SELECT state FROM provider_keys") == [("set_aside",)])
    (now_listed,) = (await client.get(KEYS))["items"]
    assert (now_listed["state"], now_listed["reason"]) == ("set_aside", "provider_bad_key")
    assert now_listed["setAsideAt"] is not None
    printed = (await prosa(process, "keys", "list"))[1]
    assert "set aside: provider_bad_key since" in printed
    assert bad in {call.key for call in provider.calls}
    await client.post(KEYS, {"provider": "openai", "key": "good-key"})
    served = await client.send(await client.conversation("words-3x0"))
    assert (await served.end())["status"] == "completed"
    environ = Path(f"/proc/{process.process.pid}/environ").read_bytes()  # noqa: ASYNC240
    command = Path(f"/proc/{process.process.pid}/cmdline").read_bytes()  # noqa: ASYNC240
    process.signal(signal.SIGTERM)
    await process.ended()
    files = b"".join(each.read_bytes() for each in tmp_path.iterdir() if each.is_file())  # noqa: ASYNC240
    everything = (
        (said + repr(listed) + repr(added) + printed + process.logged).encode() + files + environ + command
    )
    assert b"canary" not in everything


async def test_every_node_hears_of_a_key(database: Database, serve: Serve, provider: Provider) -> None:
    """As the command adds and retires one, straight in the database that they share."""
    settings = {**on(database), "PROSA_SECRET_KEY": ONE, "OPENAI_API_KEY": ""}
    (here, one), (there, two) = [await serve(**settings) for _ in range(2)]
    status, printed = await prosa(here, "keys", "add", "openai", "--weight", "1000", said="shared-key\n")
    assert status == 0, printed
    key = printed.split()[1]
    for client in (one, two):
        async with asyncio.timeout(20):
            while provider.calls[-1:] == [] or provider.calls[-1].key != "shared-key":
                await (await client.send(await client.conversation("words-1x0"))).end()
        provider.calls.clear()
    assert (await prosa(there, "keys", "retire", key))[0] == 0
    for client in (one, two):
        async with asyncio.timeout(20):
            while provider.calls[-1:] == [] or provider.calls[-1].key == "shared-key":
                await (await client.send(await client.conversation("words-1x0"))).end()
        provider.calls.clear()
    status, printed = await prosa(here, "keys", "add", "openai", said="k\n", PROSA_SECRET_KEY=TWO)
    assert status == 0, printed  # the retired one has no secret that another master key could not open
    status, printed = await prosa(here, "keys", "add", "openai", said="k\n", PROSA_SECRET_KEY="")
    assert (status, "PROSA_SECRET_KEY" in printed) == (1, True)
