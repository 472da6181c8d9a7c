"""`prosa usage`, with the store to itself and beside a server."""

import asyncio
from pathlib import Path

import pytest

from prosa import Prosa, config
from prosa.adapters.models.fake.client import FakeModel
from prosa.commands import usage as command
from prosa.domain.errors import InvalidRequest
from prosa.server import configured, listen


def database(folder: Path) -> str:
    return f"sqlite:///{folder / 'prosa.db'}"


async def spend(prosa: Prosa) -> None:
    for user in ("ana", "bia"):
        await prosa.process_user_chat_message("um dois", user_id=user)


def asked(**given: str) -> dict[str, str | None]:
    return {"userId": None, "clientId": None, "since": None, "until": None, **given}


async def test_of_all_and_of_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = config.load(database_url=database(tmp_path))
    async with Prosa(models={"fake": FakeModel()}, database_url=database(tmp_path)) as prosa:
        await spend(prosa)
    found = await command._found(settings, asked(), None)
    assert (found.total_tokens, found.requests, len(found.users)) == (12, 2, 2)
    assert (await command._found(settings, asked(userId="ana"), None)).total_tokens == 6
    assert (await command._found(settings, asked(until="2020-01-01"), None)).requests == 0
    with pytest.raises(InvalidRequest):
        await command._found(settings, asked(since="ontem"), None)
    command._tell(found)
    said = capsys.readouterr().out
    assert said.startswith("12 tokens in 2 requests: $0\n4 of prompts, 8 of answers\n\nBy model\n  fake/")
    assert "  ana " in said


async def test_beside_a_server(tmp_path: Path) -> None:
    """It has the store to itself: so it is asked."""
    import contextlib

    import uvicorn

    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    settings = config.load(database_url=database(tmp_path), port=port)
    async with Prosa(models={"fake": FakeModel()}, database_url=database(tmp_path)) as prosa:
        await spend(prosa)
        server = uvicorn.Server(configured(prosa._house.app()))
        server.capture_signals = contextlib.nullcontext
        task = asyncio.create_task(server.serve(sockets=[listener]))
        found = await command._found(settings, asked(userId="bia"), None)
        server.should_exit = True
        await task
    assert (found.total_tokens, [each.user_id for each in found.users]) == (6, ["bia"])
