"""Imports that are cut off by `kill -9`: what was stored is whole, and the next import brings only the rest."""

import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.engine.conftest import Serve, on
from tests.processes import Client
from tests.unit.services.imports.samples import chatgpt, node

pytestmark = pytest.mark.slow

NUMBER, TURNS = 1_000, 5
KILLS = (0, 200, 400)
"""How far each import has come by then, in conversations."""

FILE = json.dumps(
    [
        chatgpt(
            *(
                node(
                    f"n{place}",
                    f"n{place - 1}" if place else "root",
                    "assistant" if place % 2 else "user",
                    f"{place} of {number}",
                )
                for place in range(2 * TURNS)
            ),
            id=f"c{number}",
            conversation_id=f"c{number}",
        )
        for number in range(NUMBER)
    ]
).encode()


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest) -> dict[str, str]:
    return {} if request.param == "sqlite" else on(request.getfixturevalue("database"))


async def test_killed_in_the_middle_of_an_import(
    serve: Serve, settings: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "whole").mkdir()
    _, whole = await serve(PROSA_DATABASE_URL=f"sqlite:///{tmp_path / 'whole' / 'prosa.db'}")
    assert (await _done(whole))["imported"] == NUMBER
    for so_far in KILLS:
        process, client = await serve(**settings)
        async for line in _imported(client):
            if line["conversations"] > so_far:
                break
        await process.kill()
    _, client = await serve(**settings)
    before = json.loads(await _exported(client))["conversations"]
    assert KILLS[-1] < len(before) < NUMBER
    assert {len(each["messages"]) for each in before} == {2 * TURNS}
    done = await _done(client)
    missing = NUMBER - len(before)
    assert (done["imported"], done["skipped"]) == (missing, len(before))
    assert (done["messages"], done["failed"]) == (2 * TURNS * missing, [])
    assert await _exported(client) == await _exported(whole)
    assert (await _done(client))["skipped"] == NUMBER


async def _imported(client: Client) -> AsyncIterator[dict[str, Any]]:
    """The lines that an import answers with, until the server is gone."""
    headers = {"Content-Type": "application/json"}
    try:
        async with client.session.post(
            client.url + "/api/import", data=io.BytesIO(FILE), headers=headers
        ) as response:
            assert response.status == 200
            async for line in response.content:
                yield json.loads(line)
    except aiohttp.ClientError:
        pass


async def _done(client: Client) -> dict[str, Any]:
    return [line async for line in _imported(client)][-1]


async def _exported(client: Client) -> bytes:
    async with client.session.get(client.url + "/api/export") as response:
        assert response.status == 200
        return await response.read()
