"""What a plain server has loaded when it was started for the first time and has answered: nothing but that."""

import signal
from pathlib import Path

import pytest
from tests.processes import MAIN, Client, Process
from tests.provider import Provider

TELLS = f"""
import atexit, sys
atexit.register(lambda: print("loaded", *{{name.partition(".")[0] for name in sys.modules}}, file=sys.stderr))
{MAIN}
"""
HEAVY = {
    "alembic", "mako", "pygments", "rich", "structlog", "opentelemetry", "sentry_sdk", "apprise", "redis", "asyncpg",
    "tiktoken", "regex", "numpy", "jsonschema_rs", "ijson", "argon2", "xllamacpp", "multipart", "PIL",
}  # fmt: skip
"""Each is loaded where it is first needed: together they would double the server."""
OF_TOKENS = {"joserfc", "cryptography"}
SECRET = "correct horse battery staple, twice"


@pytest.mark.parametrize(
    ("settings", "spared"),
    [({}, HEAVY | OF_TOKENS), ({"PROSA_JWT_SECRET": SECRET}, HEAVY)],
    ids=["local", "guarded"],
)
async def test_heavy_modules_wait_until_they_are_needed(
    settings: dict[str, str], spared: set[str], tmp_path: Path, provider: Provider
) -> None:
    database = f"sqlite:///{tmp_path / 'first.db'}"
    process = Process(tmp_path, provider.base, PROSA_DATABASE_URL=database, **settings)
    process.program = TELLS
    try:
        await process.start(fresh=True)
        async with Client(process.url) as client:
            await client.get("/ready")
            if not settings:
                stream = await client.send(await client.conversation("words-3x1"))
                await stream.until(lambda: stream.over)
        process.signal(signal.SIGTERM)
        await process.ended()
    finally:
        await process.kill()
    loaded = set(process.logged.rpartition("loaded ")[2].split())
    assert {"prosa", "aiohttp", "sqlalchemy"} <= loaded
    assert not loaded & spared
