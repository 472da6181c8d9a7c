"""An application over a database of its own and a model that follows a script, with and without tokens."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog
from tests.wire.house import SECRET, House, furnished


@pytest.fixture(scope="session", autouse=True)
def _quiet() -> None:
    """What the application logs belongs into no test's output."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())


@pytest.fixture
async def local(tmp_path: Path) -> AsyncIterator[House]:
    """Without tokens: everybody is the local user."""
    async with furnished(tmp_path) as house:
        yield house


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[House]:
    """With tokens: a client is somebody."""
    async with furnished(tmp_path, jwt_secret=SECRET) as house:
        yield house


@pytest.fixture
async def listening(local: House) -> AsyncIterator[House]:
    """Without tokens, on a port of the loopback."""
    async with local.listening():
        yield local
