"""The box of tools: which names and schemas it takes, and what a request is offered."""

import pytest
from tests.unit.services.tools.tools import EchoTool

from prosa.domain.errors import InvalidRequest, MisconfiguredError, NoSuchTool
from prosa.domain.models import ToolSpec
from prosa.ports.tools import Tool
from prosa.services.tools.marks import Mark, mark_of, tool
from prosa.services.tools.registry import Toolbox, complaint


def test_what_a_request_is_offered() -> None:
    tools: list[Tool] = [EchoTool("a", always=True), EchoTool("b"), EchoTool("c", always=True)]
    box = Toolbox(tools)
    assert [spec.name for spec in box.specs()] == ["a", "c"]
    assert [spec.name for spec in box.specs(["b", "a", "b"])] == ["b", "a"]
    assert box.specs([]) == ()
    assert box.find("b") is tools[1]
    assert box.find("d") is None
    assert list(box) == tools
    assert Toolbox().specs() == ()


def test_a_tool_that_is_not_there() -> None:
    box = Toolbox([EchoTool("a")])
    with pytest.raises(NoSuchTool, match="nope"):
        box.specs(["a", "nope"])
    assert issubclass(NoSuchTool, InvalidRequest)


@pytest.mark.parametrize("name", ["a", "A-b_9", "x" * 64])
def test_names_that_every_provider_takes(name: str) -> None:
    assert Toolbox([EchoTool(name)]).find(name)


@pytest.mark.parametrize("name", ["", "x" * 65, "a b", "a.b", "ação", "a\n", "a/b", "{0.__class__}"])
def test_names_that_one_of_them_refuses(name: str) -> None:
    with pytest.raises(MisconfiguredError, match="can't be called"):
        Toolbox([EchoTool(name)])


def test_what_else_keeps_a_server_from_starting() -> None:
    with pytest.raises(MisconfiguredError, match="Two tools are called a"):
        Toolbox([EchoTool("a"), EchoTool("a")])
    with pytest.raises(MisconfiguredError, match=r"parameters of the tool a .*points to nothing"):
        Toolbox([EchoTool("a", properties={"x": {"$ref": "#/none"}})])
    assert "longer than" in (complaint(ToolSpec("a", "x" * 20_000)) or "")
    assert complaint(ToolSpec("a")) is None


async def test_closing_closes_all_whatever_becomes_of_one() -> None:
    tools = [EchoTool("a"), EchoTool("b", fault=OSError("no")), EchoTool("c")]
    with pytest.raises(OSError, match="no"):
        await Toolbox(tools).close()
    assert [each.closed for each in tools] == [1, 1, 1]


def test_marks() -> None:
    @tool
    def plain() -> None: ...

    @tool(name="other", needs_approval=True, timeout=5, always=True, description="D")
    def marked() -> None: ...

    def bare() -> None: ...

    assert mark_of(plain) == mark_of(bare) == Mark()
    assert mark_of(marked) == Mark("other", "D", always=True, needs_approval=True, timeout=5)
    assert marked.__name__ == "marked"
    with pytest.raises(TypeError):
        tool(nonsense=1)  # type: ignore[call-overload]
