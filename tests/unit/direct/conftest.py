"""A folder of each test's own, and nothing left open after it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.unit.adapters.models.loopback import Loopback, Play

import prosa


class Upstream:
    """Sets the environment to providers on loopback."""

    def __init__(self, stack: AsyncExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
        self._stack = stack
        self._monkeypatch = monkeypatch

    async def openai(self, *plays: Play) -> Loopback:
        return await self._there("OPENAI", plays)

    async def anthropic(self, *plays: Play) -> Loopback:
        return await self._there("ANTHROPIC", plays)

    async def _there(self, name: str, plays: tuple[Play, ...]) -> Loopback:
        there = await self._stack.enter_async_context(Loopback(*plays).listening())
        self._monkeypatch.setenv(f"{name}_BASE_URL", there.base)
        self._monkeypatch.setenv(f"{name}_API_KEY", f"key-of-{name.lower()}")
        return there


@pytest.fixture
async def upstream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Upstream]:
    monkeypatch.chdir(tmp_path)
    async with AsyncExitStack() as stack:
        yield Upstream(stack, monkeypatch)
        await prosa.close()
