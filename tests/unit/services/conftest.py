"""Houses for the tests of the services."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.unit.services.house import House

from prosa.ports.tools import Tool
from prosa.services.tools.registry import Toolbox

Open = Callable[..., Awaitable[House]]


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Open]:
    """Opens houses with a script, tools, and what else `House` takes; they are closed after the test."""
    async with AsyncExitStack() as stack:

        async def house(script: Any = None, *tools: Tool, **options: Any) -> House:
            if tools:
                options["tools"] = Toolbox(tools)
            return await stack.enter_async_context(House(tmp_path, script, **options))

        yield house
