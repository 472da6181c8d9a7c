"""The examples of docs/tools.md do what the page says."""

import json
import re
import sys
import tomllib
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.unit.adapters.models.loopback import Loopback, Play

from prosa import ToolError, bootstrap
from prosa.adapters.tools.function import FunctionTool
from prosa.adapters.tools.template import Template
from prosa.domain.principal import Principal
from prosa.ports.tools import Caller
from prosa.services.tools.arguments import arguments_of
from prosa.services.tools.marks import mark_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tools.md"
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
ANA = Caller(Principal("ana"))


def blocks(language: str) -> list[str]:
    return [text for kind, text in BLOCKS if kind == language]


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The page's Python, as the module that its prosa.toml names."""
    module = ModuleType("shop")
    monkeypatch.setitem(sys.modules, "shop", module)
    exec(compile("\n".join(blocks("python")), str(PAGE), "exec"), module.__dict__)
    return module


async def test_the_functions(shop: Any) -> None:
    assert shop.stock("lamp", "south") == 3
    assert mark_of(shop.reserve).needs_approval
    stock, reserve = FunctionTool(shop.stock), FunctionTool(shop.reserve)
    assert stock.spec.description == "How many of an item are in a warehouse."
    assert stock.spec.parameters["properties"]["item"]["description"].startswith("The item's name")
    assert await stock.call(arguments_of(stock.spec, '{"item": "lamp"}'), ANA) == "12"
    assert "caller" not in reserve.spec.parameters["properties"]
    sent = '{"item": "lamp", "day": "2026-12-01", "count": 2}'
    told = await reserve.call(arguments_of(reserve.spec, sent), ANA)
    assert told == '{"for":"ana","item":"lamp","count":2,"day":"2026-12-01"}'
    with pytest.raises(ToolError, match="There are not 99 of lamp"):
        await reserve.call(arguments_of(reserve.spec, sent.replace("2}", "99}")), ANA)
    assert (await shop.reserve("lamp", date(2026, 12, 1), ANA))["count"] == 1


def spoken(*deltas: dict[str, Any]) -> Play:
    """An answer on OpenAI's wire."""
    chunks = [
        {
            "id": "c",
            "object": "chat.completion.chunk",
            "choices": [{"index": 0, "delta": delta, "finish_reason": end}],
        }
        for delta, end in [
            *((delta, None) for delta in deltas),
            ({}, "tool_calls" if "tool_calls" in deltas[0] else "stop"),
        ]
    ]
    lines = [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks]
    return Play((*lines, b"data: [DONE]\n\n"), headers={"content-type": "text/event-stream"})


async def test_the_program(shop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the question over the model, the function and the model again to the answer."""
    monkeypatch.chdir(tmp_path)
    function = {"name": "stock", "arguments": '{"item": "lamp"}'}
    call = {"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": function}]}
    async with Loopback(
        spoken(call), spoken({"content": "There are "}, {"content": "12."})
    ).listening() as there:
        monkeypatch.setenv("OPENAI_BASE_URL", there.base)
        monkeypatch.setenv("DEFAULT_AI_PROVIDER", "openai")
        assert await shop.ask() == "There are 12."
        asked, told = (seen.body for seen in there.seen)
        assert [tool["function"]["name"] for tool in asked["tools"]] == ["stock"]
        assert told["messages"][-1] | {"tool_call_id": ""} == {
            "role": "tool",
            "content": "12",
            "tool_call_id": "",
        }


def test_the_tables(shop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del shop
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WEATHER_KEY", "x")
    (tmp_path / "prosa.toml").write_text("\n".join(blocks("toml")), encoding="utf-8")
    tools = bootstrap.toolbox()
    assert [(tool.spec.name, tool.kind, tool.always) for tool in tools] == [
        ("stock", "function", True),
        ("weather", "http", False),
    ]
    weather = tools.find("weather")
    assert weather is not None
    arguments = arguments_of(weather.spec, '{"city": "São Paulo", "days": 3}')
    url = tomllib.loads(blocks("toml")[1])["tools"]["weather"]["url"]
    address = Template("weather", url).fill(arguments, {"days": 3, "units": "metric"})
    assert address.raw_path_qs in PAGE.read_text(encoding="utf-8")


def test_the_page_names_every_key() -> None:
    from prosa.declared import ToolTable

    text = PAGE.read_text(encoding="utf-8")
    assert [
        name for name in ToolTable.__struct_fields__ if f"`{name}`" not in text and f"{name} = " not in text
    ] == []
