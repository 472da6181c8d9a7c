"""A tool whose results hold for a while."""

from typing import Any

import pytest
from msgspec.structs import replace

from prosa.adapters.tools.function import FunctionTool
from prosa.domain.errors import ToolFailed
from prosa.domain.principal import Principal
from prosa.ports.tools import Caller
from prosa.services.tools.cached import CachedTool

OPERATOR = frozenset({"admin"})
ANA, BIA, EVA = Principal("ana", "acme"), Principal("bia", "acme"), Principal("ana", "other")


def counted(scope: str, time: list[float]) -> tuple[CachedTool, list[str]]:
    calls: list[str] = []

    def price(item: str, shop: str = "north") -> str:
        """What an item costs."""
        calls.append(item)
        if item == "none":
            raise ToolFailed("There is none.")
        return f"{item} in {shop}: {len(calls)}"

    return CachedTool(FunctionTool(price), 10, scope, lambda: time[0]), calls  # type: ignore[arg-type]


async def call(tool: CachedTool, who: Principal = ANA, language: str = "en", **arguments: Any) -> str:
    return await tool.call(arguments, Caller(who, language=language))


async def test_the_same_call_is_made_once_in_its_time() -> None:
    time = [0.0]
    tool, calls = counted("user", time)
    assert (tool.spec.name, tool.kind, tool.always, tool.needs_approval) == (
        "price",
        "function",
        False,
        False,
    )
    first = await call(tool, item="pear", shop="south")
    assert await call(tool, shop="south", item="pear") == first
    assert await call(tool, item="pear") != first
    assert await call(tool, item="pear", language="pt") != first
    time[0] = 10.0
    assert await call(tool, item="pear", shop="south") != first
    assert len(calls) == 4


async def test_who_is_told_of_the_caller_gives_each_conversation_its_own() -> None:
    def here(caller: Caller) -> str:
        """Where it is."""
        return f"{caller.conversation_id} {len(caller.principal.roles)}"

    tool = CachedTool(FunctionTool(here), 10, "user", told=True)
    for told in (
        Caller(ANA, "", "c1"),
        Caller(ANA, "", "c2"),
        Caller(replace(ANA, roles=OPERATOR), "", "c2"),
    ):
        assert await tool.call({}, told) == here(told)


async def test_what_fails_is_tried_again() -> None:
    tool, calls = counted("public", [0.0])
    for _ in range(2):
        with pytest.raises(ToolFailed):
            await call(tool, item="none")
    assert len(calls) == 2


@pytest.mark.hostile(19)
@pytest.mark.parametrize(("scope", "made"), [("user", 3), ("client", 2), ("public", 1)])
async def test_results_are_shared_within_the_scope_alone(scope: str, made: int) -> None:
    tool, calls = counted(scope, [0.0])
    for who in (ANA, BIA, EVA, ANA):
        await call(tool, who, item="pear")
    assert len(calls) == made
