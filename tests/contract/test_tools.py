"""What every kind of tool owes its callers: bounded text, a sentence for each failure, an end in time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from tests.unit.adapters.models.loopback import Loopback, Play

from prosa.adapters.tools.function import FunctionTool
from prosa.adapters.tools.http import Endpoint, HttpTool
from prosa.adapters.tools.result import MOST
from prosa.domain.errors import InvalidArguments, ToolFailed
from prosa.domain.models import ToolSpec
from prosa.domain.principal import Principal
from prosa.ports.tools import Caller, Tool
from prosa.services.tools.arguments import arguments_of
from prosa.services.tools.registry import Toolbox

ANA = Caller(Principal("ana"), "run", "conversation", "call")
HANGS = "hangs"
FAILS = "fails"

Make = Callable[..., Awaitable[Tool]]


@pytest.fixture(params=["thread", "coroutine", "http"])
async def make(request: pytest.FixtureRequest) -> AsyncIterator[Make]:
    """A tool with the one parameter `item` that answers `given`, hangs or fails."""
    released = asyncio.Event()
    async with AsyncExitStack() as left:

        async def http(given: str, limit: float) -> Tool:
            plays = {HANGS: Play((released,)), FAILS: Play((b"secret",), 500)}
            play = plays.get(given) or Play((given.encode(),))
            there = await left.enter_async_context(Loopback(play).listening())
            spec = ToolSpec(
                "thing", "A thing.", {"properties": {"item": {"type": "string"}}, "required": ["item"]}
            )
            return HttpTool(spec, Endpoint(there.base, allow_private=True), timeout=limit)

        async def function(given: str, limit: float) -> Tool:
            loop = asyncio.get_running_loop()

            async def later(item: str) -> str:
                if given == HANGS:
                    await released.wait()
                if given == FAILS:
                    raise ValueError(item)
                return given

            def at_once(item: str) -> str:
                return asyncio.run_coroutine_threadsafe(later(item), loop).result(20)

            called = later if request.param == "coroutine" else at_once
            return FunctionTool(called, name="thing", timeout=limit)

        async def made(given: str, limit: float = 5.0) -> Tool:
            tool = await (http if request.param == "http" else function)(given, limit)
            left.push_async_callback(tool.close)
            return tool

        yield made
        released.set()


async def test_it_is_offered_and_called(make: Make) -> None:
    tool = await make("grey")
    box = Toolbox([tool])
    assert box.specs(["thing"]) == (tool.spec,)
    assert tool.kind in {"function", "http"}
    assert (tool.always, tool.needs_approval, tool.timeout) == (False, False, 5.0)
    assert await tool.call(arguments_of(tool.spec, '{"item": "x"}'), ANA) == "grey"


@pytest.mark.hostile(51)
@pytest.mark.parametrize("text", ["{}", '{"item": 1}', '{"item": "x", "other": 1}', "[]", "{"])
async def test_its_schema_is_closed(make: Make, text: str) -> None:
    tool = await make("grey")
    with pytest.raises(InvalidArguments, match="thing"):
        arguments_of(tool.spec, text)


async def test_a_result_is_bounded(make: Make) -> None:
    text = await (await make("x" * 3 * MOST)).call({"item": "x"}, ANA)
    assert MOST < len(text) < MOST + 100
    assert text.endswith("]")


async def test_a_failure_is_a_sentence(make: Make) -> None:
    with pytest.raises(ToolFailed, match=r"^thing .*"):
        await (await make(FAILS)).call({"item": "x"}, ANA)


async def test_it_ends_in_time(make: Make) -> None:
    with pytest.raises(ToolFailed, match=r"^thing took longer than 0.05 seconds\.$"):
        await (await make(HANGS, 0.05)).call({"item": "x"}, ANA)


async def test_who_stops_waiting_is_let_go(make: Make) -> None:
    tool = await make(HANGS, 20.0)
    async with asyncio.timeout(5):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await tool.call({"item": "x"}, ANA)


async def test_many_at_once(make: Make) -> None:
    tool = await make("grey")
    results = await asyncio.gather(*(tool.call({"item": "x"}, ANA) for _ in range(50)))
    assert results == ["grey"] * 50


async def test_closing_twice(make: Make) -> None:
    tool = await make("grey")
    await tool.call({"item": "x"}, ANA)
    await tool.close()
    await tool.close()
