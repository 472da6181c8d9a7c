"""Erasure through the real server: of one whose every word is a canary nothing is left, killed midway or not."""

import asyncio
import json
import secrets
from typing import Any

import aiohttp
import pytest
from tests.engine.conftest import Serve, on
from tests.pictures import png
from tests.postgres import Database, ask
from tests.processes import Client, Process, Stream

from prosa.adapters.store.tables import metadata
from prosa.transport.identity import Identity

pytestmark = [pytest.mark.slow, pytest.mark.hostile(20)]

SECRET = "a-secret-of-more-than-thirty-two-bytes-for-tests"
TOOL = {"name": "ask_user", "description": "Asks.", "parameters": {"type": "object"}}
FOREVER = 4_102_444_800


def token(user: str, **claims: Any) -> str:
    return Identity(SECRET, "c").sign({"sub": user, "exp": FOREVER, **claims})


class Person:
    """A user at one server, and the canaries that were said so far."""

    def __init__(self, client: Client, user: str, **claims: Any) -> None:
        self.client = client
        self.user = user
        self.canaries: list[str] = []
        self.said = ""
        self.headers = {"Authorization": f"Bearer {token(user, **claims)}"}

    def canary(self) -> str:
        """A word that nobody else says. It is one word for a full-text index, too."""
        self.canaries.append(f"canary{secrets.token_hex(8)}")
        return self.canaries[-1]

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        more["headers"] = self.headers | more.pop("headers", {})
        if body is not None:
            more["json"] = body
        async with self.client.session.request(method, self.client.url + path, **more) as response:
            assert response.ok, await response.text()
            text = await response.text()
            return json.loads(text) if response.content_type == "application/json" and text else text

    async def says(self, conversation: str, content: str, **fields: Any) -> str:
        body = {"conversationId": conversation, "content": content, **fields}
        return await self.call("POST", "/api/chat/send", body)

    async def upload(self, name: str, data: bytes) -> str:
        form = aiohttp.FormData()
        form.add_field("file", data, filename=name)
        return (await self.call("POST", "/api/files", data=form))["id"]


async def lives(person: Person) -> Stream:
    """Says a canary wherever one can say anything. A run of his waits for him; its stream."""
    word, person.said = person.canary, person.canary()
    fields = {"title": f"About {word()}", "systemPrompt": word(), "metadata": {word(): word()}}
    made = await person.call("POST", "/api/conversations",
                             {**fields, "externalId": word(), "provider": "openai", "model": "words-9x0"})  # fmt: skip
    one = made["id"]
    file = await person.upload(f"{word()}.png", png(after=word().encode() * 9_000))
    await person.upload(f"{word()}.txt", f"{word()} is never sent".encode())
    told = await person.says(one, f"Hello {word()}, {person.said}! " * 200, clientMessageId=word())
    answer = json.loads(told.rstrip().rpartition("data: ")[2])["messageId"]
    await person.says(one, word(), attachments=[file], systemPrompt=word())
    path = f"/api/conversations/{one}/messages/{answer}"
    await person.call("PUT", f"{path}/feedback", {"thumb": "up", "comment": word(), "tags": [word()]})
    template = {
        "name": word(),
        "content": f"{word()} {{{{x}}}}",
        "description": word(),
        "variables": [{"name": "x"}],
    }
    await person.call("POST", "/api/templates", template)
    asked = await person.call("POST", "/api/conversations", {"provider": "openai", "model": "calls-ask_user"})
    body = {"conversationId": asked["id"], "content": word(), "tools": [TOOL]}
    posted = person.client.session.post(
        f"{person.client.url}/api/chat/send", json=body, headers=person.headers
    )
    waiting = Stream(await posted)
    await waiting.until(lambda: any(event.get("type") == "requires_action" for event in waiting.events))
    gone = await person.call("POST", "/api/conversations", {"provider": "openai", "model": "words-1x0"})
    await person.says(gone["id"], word())
    await person.call("DELETE", f"/api/conversations/{gone['id']}")
    found = await person.call("GET", f"/api/search?q={person.said}")
    assert found["items"], "it is in the index"
    return waiting


def in_files(process: Process, canaries: list[str]) -> list[str]:
    """Where in the folder of a server a canary stands."""
    found = []
    for path in process.folder.rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        found += [f"{canary} in {path.name}" for canary in canaries if canary.encode() in data]
    return found


async def in_database(database: Database, words: list[str]) -> list[str]:
    """Where in any table a word stands: in texts, JSON, words of the index, and bytes."""
    found = []
    for table in metadata.sorted_tables:
        plain = [f"encode({each.name}, 'escape')" for each in table.columns if each.type.python_type is bytes]
        rows = await ask(
            database.superuser, f"SELECT concat_ws(' ', {', '.join(['t::text', *plain])}) FROM {table.name} t"
        )
        dump = "\n".join(row[0] for row in rows)
        found += [f"{word} in {table.name}" for word in words if word in dump]
    return found


def users(process: Process) -> dict[str, int]:
    """How many rows of each table have Ana's id."""
    tables = [table.name for table in metadata.sorted_tables if "user_id" in table.c]
    counts = {
        name: process.rows(f"SELECT count(*) FROM {name} WHERE user_id = 'ana'")[0][0] for name in tables
    }
    return {name: number for name, number in counts.items() if number}


@pytest.fixture
async def at_home(serve: Serve) -> tuple[Process, Client]:
    return await serve(PROSA_JWT_SECRET=SECRET)


async def test_nothing_of_a_user_is_left(at_home: tuple[Process, Client]) -> None:
    process, client = at_home
    ana, bia = Person(client, "ana"), Person(client, "bia")
    waiting = await lives(ana)
    await lives(bia)
    spent = process.rows("SELECT count(*), sum(total_tokens), sum(cost) FROM ai_usage")
    assert len(in_files(process, ana.canaries)) > 18, "so a canary would be found"
    receipt = await ana.call("DELETE", "/api/users/me")
    await waiting.end()
    assert (receipt["userId"], receipt["counts"]["conversations"]) == ("ana", 2)
    assert receipt["counts"] | {"files": 2, "messages": 6, "templates": 1, "feedback": 1} == receipt["counts"]
    assert in_files(process, ana.canaries) == []
    assert users(process) == {}
    assert process.rows("SELECT count(*), sum(total_tokens), sum(cost) FROM ai_usage") == spent
    erased = process.rows("SELECT DISTINCT user_id FROM ai_usage WHERE user_id <> 'bia'")
    assert erased == [(f"prosa:erased:{receipt['id']}",)]
    assert process.rows("SELECT subject, erased_at IS NULL FROM erasures") == [(None, 0)]
    [last] = process.rows("SELECT actor, target FROM audit_log WHERE action = 'erase'")
    assert last == ("ana", "user:ana")
    # All of the others is as it was, and whoever comes back begins anew.
    assert {canary.partition(" ")[0] for canary in in_files(process, bia.canaries)} >= set(bia.canaries[:10])
    found = await bia.call("GET", f"/api/search?q={bia.said}")
    assert len(found["items"]) == 1
    assert (await ana.call("GET", "/api/conversations"))["items"] == []
    await lives(ana)


async def test_nothing_of_a_user_is_left_on_postgres(serve: Serve, database: Database) -> None:
    process, client = await serve(PROSA_JWT_SECRET=SECRET, **on(database))
    ana, bia = Person(client, "ana"), Person(client, "bia")
    await lives(ana)
    await lives(bia)
    spent = await ask(database.superuser, "SELECT count(*), sum(total_tokens), sum(cost) FROM ai_usage")
    assert {each.partition(" ")[0] for each in await in_database(database, ana.canaries)} >= set(
        ana.canaries[:5]
    )
    receipt = await ana.call("DELETE", "/api/users/me")
    assert receipt["counts"]["conversations"] == 2
    assert await in_database(database, ana.canaries) == []
    assert in_files(process, ana.canaries) == []
    assert (
        await ask(database.superuser, "SELECT count(*), sum(total_tokens), sum(cost) FROM ai_usage") == spent
    )
    assert len((await bia.call("GET", f"/api/search?q={bia.said}"))["items"]) == 1


DYING = """
import os, signal
from {module} import {owner}
before, left = {owner}.{method}, [{number}]
async def dying(self, *given):
    left[0] -= 1
    if left[0] > 0:
        return await before(self, *given)
    {does}
    os.kill(os.getpid(), signal.SIGKILL)
{owner}.{method} = dying
from prosa.cli import main; main()
"""
"""A server that dies in a method the first, the second … time: before it has done anything, or after."""

REMAINS = "prosa.adapters.store.repositories.remains", "Remains"
ERASURES = "prosa.adapters.store.repositories.erasures", "Erasures"
STEPS = [
    (ERASURES, "begin", 1, True),
    (REMAINS, "drop", 2, True),
    (ERASURES, "forget", 1, True),
    (("prosa.adapters.store.sqlite.store", "SqliteStore"), "wipe", 1, False),
]


@pytest.mark.parametrize(("place", "method", "number", "after"), STEPS, ids=[step[1] for step in STEPS])
async def test_a_kill_at_each_step(
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    place: tuple[str, str],
    method: str,
    number: int,
    after: bool,
) -> None:
    process, client = await serve(PROSA_JWT_SECRET=SECRET)
    ana, bia = Person(client, "ana"), Person(client, "bia")
    await lives(ana)
    await bia.says((await bia.call("POST", "/api/conversations", {"model": "words-1x0"}))["id"], bia.canary())
    spent = set(process.rows("SELECT id, total_tokens, cost FROM ai_usage"))
    await process.kill()
    module, owner = place
    does = "await before(self, *given)" if after else "pass"
    code = DYING.format(module=module, owner=owner, method=method, number=number, does=does)
    monkeypatch.setattr(Process, "program", code)
    process, ana.client = await serve(PROSA_JWT_SECRET=SECRET, fresh=True)
    with pytest.raises(aiohttp.ClientError):
        await ana.call("DELETE", "/api/users/me")
    await process.ended()
    assert process.rows("SELECT subject FROM erasures") == [("ana",)]
    assert users(process) or in_files(process, ana.canaries) or method == "done"
    monkeypatch.undo()
    process, bia.client = await serve(PROSA_JWT_SECRET=SECRET)
    async with asyncio.timeout(20):
        while process.rows("SELECT subject FROM erasures") != [(None,)]:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)
    assert in_files(process, ana.canaries) == []
    assert users(process) == {}
    assert spent <= set(process.rows("SELECT id, total_tokens, cost FROM ai_usage"))
    [found] = (await bia.call("GET", "/api/conversations"))["items"]
    assert bia.canaries[0] in found["title"]


async def test_what_goes_on_at_another_node_is_stopped(serve: Serve, database: Database) -> None:
    settings = {"PROSA_JWT_SECRET": SECRET, **on(database)}
    (_, here), (_, there) = await asyncio.gather(serve(**settings), serve(**settings))
    ana = Person(there, "ana")
    one = await ana.call("POST", "/api/conversations", {"provider": "openai", "model": "words-1000x20"})
    body = {"conversationId": one["id"], "content": ana.canary()}
    posted = there.session.post(f"{there.url}/api/chat/send", json=body, headers=ana.headers)
    stream = Stream(await posted)
    await stream.words(5)
    receipt = await Person(here, "ana").call("DELETE", "/api/users/me")
    await stream.end(5)
    assert receipt["counts"]["runs"] == 1
    assert await in_database(database, [*ana.canaries, '"ana"']) == []
    whose = await ask(database.superuser, "SELECT user_id, completion_tokens > 0 FROM ai_usage")
    assert [tuple(row) for row in whose] == [(f"prosa:erased:{receipt['id']}", True)]
    assert (await ana.call("GET", "/api/conversations"))["items"] == []


LATER = """
import prosa.services.retention as sweep
now = sweep.now
sweep.now = lambda: now() + 40 * sweep.DAY
"""
"""For the sweep it is 40 days later."""


async def test_a_kill_in_the_middle_of_a_sweep(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    process, client = await serve(PROSA_JWT_SECRET=SECRET)
    ana = Person(client, "ana")
    for _ in range(3):
        one = await ana.call("POST", "/api/conversations", {"provider": "openai", "model": "words-3x0"})
        file = await ana.upload("a.png", png(after=ana.canary().encode()))
        await ana.says(one["id"], ana.canary(), attachments=[file])
    ledger = process.rows("SELECT * FROM ai_usage")
    await process.kill()
    (process.folder / "prosa.toml").write_text("[retention]\nmessages = 30\n")
    module, owner = REMAINS
    dying = DYING.format(
        module=module, owner=owner, method="drop", number=5, does="await before(self, *given)"
    )
    monkeypatch.setattr(Process, "program", LATER + dying)
    process, _ = await serve(PROSA_JWT_SECRET=SECRET, fresh=True)
    await process.ended()
    [(left,)] = process.rows("SELECT count(*) FROM conversations")
    assert 0 < left < 3, "it was cut in its middle"
    monkeypatch.setattr(Process, "program", LATER + "from prosa.cli import main; main()")
    process, _ = await serve(PROSA_JWT_SECRET=SECRET, fresh=True)
    async with asyncio.timeout(20):
        while "retention_swept" not in process.logged:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)
    assert users(process) == {"ai_usage": 3}
    assert process.rows("SELECT * FROM ai_usage") == ledger
    assert in_files(process, ana.canaries) == []
    assert process.rows("PRAGMA integrity_check") == [("ok",)]
