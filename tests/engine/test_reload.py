"""SIGHUP: prosa.toml is read anew while answers are being written; a file with a mistake changes nothing."""

import asyncio
import signal

import pytest
from tests.engine.conftest import Serve
from tests.processes import Client, Process
from tests.provider import Provider

pytestmark = pytest.mark.slow


def written(process_folder: object, text: str) -> None:
    (process_folder / "prosa.toml").write_text(text)


async def logged(process: Process, event: str, times: int = 1) -> str:
    """Waits until the log tells it for the n-th time; the line."""
    async with asyncio.timeout(10):
        while len(lines := [line for line in process.logged.splitlines() if event in line]) < times:  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(0.02)
    return lines[-1]


async def named(client: Client) -> dict[str, str]:
    """Routes and aliases, and what they stand for."""
    items = (await client.get("/api/models"))["items"]
    return {item["id"]: item["name"] for item in items if item["kind"] != "model"}


async def test_reload(serve: Serve, provider: Provider, tmp_path: object) -> None:
    written(tmp_path, '[aliases]\nfast = "openai/words-3x1"\n')
    process, client = await serve()
    assert await named(client) == {"fast": "openai/words-3x1"}
    conversation = await client.conversation("words-60x20")
    stream = await client.send(conversation)
    await stream.words(3)

    written(
        tmp_path, '[routes.fast]\ntargets = ["openai/words-4x1", "local"]\n[providers.openai]\nretries = 0\n'
    )
    process.signal(signal.SIGHUP)
    await logged(process, '"reloaded"')
    assert await named(client) == {"fast": "openai/words-4x1"}
    other = await client.post("/api/conversations", {"model": "fast"})
    assert (await (await client.send(other["id"])).end())["status"] == "completed"
    assert len(provider.of("words-4x1")) == 1

    written(tmp_path, '[routes.fast]\ntargets = ["opnai/words-5x1"]\n')
    process.signal(signal.SIGHUP)
    assert "there is no provider called opnai" in await logged(process, '"reload_refused"')
    written(tmp_path, "[routes.fast\n")
    process.signal(signal.SIGHUP)
    assert "can't be read" in await logged(process, '"reload_refused"', 2)
    assert await named(client) == {"fast": "openai/words-4x1"}

    assert (await stream.end())["status"] == "completed"
    assert stream.text.count(" ") >= 59
    assert len(provider.of("words-60x20")) == 1
    assert "Traceback" not in process.logged


async def test_a_server_of_ones_own_gets_its_key(serve: Serve, provider: Provider, tmp_path: object) -> None:
    written(
        tmp_path,
        f"""
        [providers.mine]
        base_url = "{provider.base}"
        api_key_env = "KEY_OF_MINE"
        concurrency = 1
        [models."mine/*"]
        prices = {{ input = 1, output = 2 }}
        """,
    )
    process, client = await serve(KEY_OF_MINE="canary-0123456789", DEFAULT_AI_MODEL="x")
    made = await client.post("/api/conversations", {"model": "mine/words-5x1"})
    done = await (await client.send(made["id"])).end()
    assert done["status"] == "completed"
    assert provider.of("words-5x1")[0].key == "canary-0123456789"
    used = done["usage"]
    assert float(done["cost"]) == (used["promptTokens"] + 2 * used["completionTokens"]) / 10**6
    items = await client.get("/api/models")
    assert "canary" not in str(items) + process.logged
