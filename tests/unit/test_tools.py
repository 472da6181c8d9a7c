"""Tools from prosa.toml and from a program: declared, checked at the start, and in the house's box."""

from pathlib import Path

import pytest
from tests.unit.adapters.models.loopback import Loopback, Play
from tests.unit.services.tools.tools import EchoTool

import prosa
from prosa import bootstrap, config
from prosa.adapters.models.fake.client import FakeModel
from prosa.domain.errors import MisconfiguredError, ToolFailed
from prosa.domain.principal import Principal
from prosa.ports.tools import Caller
from prosa.services.tools.arguments import arguments_of
from prosa.services.tools.registry import Toolbox

ANA = Caller(Principal("ana"))

SHOP = '''
import prosa

@prosa.tool(timeout=7, needs_approval=True)
def stock(item: str) -> int:
    """How many are there?"""
    return len(item)

class Desk:
    def order(self, item: str) -> str:
        """Orders it."""
        raise prosa.ToolError(f"No {item} left.")

def mine(caller: prosa.Caller) -> str:
    """Whose it is."""
    return caller.principal.user_id

desk = Desk()
nothing = 7
'''


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [*__import__("sys").path])
    return tmp_path


def box(folder: Path, toml: str) -> Toolbox:
    (folder / "prosa.toml").write_text(toml, encoding="utf-8")
    return bootstrap.toolbox()


async def test_an_address(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEATHER_KEY", "the-key-of-the-weather")
    async with Loopback(Play((b'{"sky": "grey"}',))).listening() as there:
        tools = box(
            folder,
            f"""
            [tools.weather]
            url = "{there.base}/weather/{{city}}"
            description = "The weather in a city."
            always = true
            timeout = 5
            allow_private = true
            headers.Authorization = {{ env = "WEATHER_KEY", prefix = "Bearer " }}
            headers.X-User = {{ caller = "user_id" }}
            query.units = "metric"
            parameters.properties.city = {{ type = "string", minLength = 1 }}
            parameters.properties.share = {{ type = "number", maximum = 0.5 }}
            """,
        )
        (tool,) = tools
        assert (tool.kind, tool.always, tool.needs_approval, tool.timeout) == ("http", True, False, 5)
        assert tools.specs() == (tool.spec,)
        arguments = arguments_of(tool.spec, '{"city": "Faro", "share": 0.25}')
        assert await tool.call(arguments, ANA) == '{"sky": "grey"}'
        seen = there.seen[0]
        assert seen.path == "/weather/Faro?share=0.25&units=metric"
        assert seen.headers["authorization"] == "Bearer the-key-of-the-weather"
        assert seen.headers["x-user"] == "ana"
        await tools.close()
    told = [row for row in config.in_force(config.load()) if "weather" in str(row)]
    assert told == [("[tools]", "weather", "prosa.toml")]


async def test_functions(folder: Path) -> None:
    (folder / "shop_of_this_test.py").write_text(SHOP, encoding="utf-8")
    tools = box(
        folder,
        """
        [tools.count]
        function = "shop_of_this_test:stock"
        always = true
        [tools.order]
        function = "shop_of_this_test:desk.order"
        description = "Orders an item."
        """,
    )
    count, order = tools
    assert (count.spec.name, count.spec.description) == ("count", "How many are there?")
    assert (count.kind, count.always, count.needs_approval, count.timeout) == ("function", True, True, 7)
    assert await count.call({"item": "lamp"}, ANA) == "4"
    assert order.spec.description == "Orders an item."
    with pytest.raises(ToolFailed, match="No lamp left"):
        await order.call({"item": "lamp"}, ANA)


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ("", "needs either a url or a function"),
        ('url = "https://a.test"\nfunction = "a:b"', "needs either"),
        ('url = "https://a.test"', "description"),
        ('url = "a.test"\ndescription = "D"', "must be http"),
        ('url = "http://127.0.0.1"\ndescription = "D"', "allow_private"),
        ('url = "https://a.test/{x}"\ndescription = "D"', "{x}"),
        ('url = "https://a.test"\ndescription = "D"\nmethod = "HEAD"', "method"),
        ('url = "https://a.test"\ndescription = "D"\ntimeout = 0', "timeout"),
        ('url = "https://a.test"\ndescription = "D"\nmax_bytes = 99999999', "max_bytes"),
        ('url = "https://a.test"\ndescription = "D"\nnonsense = 1', "nonsense"),
        (
            'url = "https://a.test"\ndescription = "D"\nheaders.X = { env = "NOT_THERE" }',
            "NOT_THERE is not set",
        ),
        ('url = "https://a.test"\ndescription = "D"\nheaders.X = { caller = "scopes" }', "caller"),
        ('url = "https://a.test"\ndescription = "D"\nheaders.X = { value = "x" }', "value"),
        ('url = "https://a.test"\ndescription = "D"\nheaders.X = {}', "caller"),
        ('url = "https://a.test"\ndescription = "D"\nheaders.X = 7', "headers"),
        ('url = "https://a.test"\ndescription = "D"\nparameters = { type = "array" }', "object"),
        ('function = "nowhere_at_all:f"', "can't be imported"),
        ('function = "os:no_such_name"', "can't be imported"),
        ('function = "os:name"', "is no function"),
        ('function = "os.getcwd"', "function"),
        ('function = "os:getcwd"\nmethod = "PUT"', "method: a function has none"),
        (
            'url = "https://a.test"\ndescription = "D"\ncache = 9\ncache_scope = "client"\nquery.x.caller = "user_id"',
            "cache_scope",
        ),
        ('function = "shop:mine"\ncache = 9\ncache_scope = "public"', "cache_scope"),
    ],
)
def test_what_keeps_it_from_starting(folder: Path, table: str, why: str) -> None:
    (folder / "shop.py").write_text(SHOP, encoding="utf-8")
    with pytest.raises(MisconfiguredError) as caught:
        box(folder, f"[tools.thing]\n{table}")
    assert why in str(caught.value)
    assert "thing" in str(caught.value) or "function" in str(caught.value)


def test_names_are_unique_over_all_sources(folder: Path) -> None:
    (folder / "prosa.toml").write_text('[tools.a]\nfunction = "os:getcwd"', encoding="utf-8")
    with pytest.raises(MisconfiguredError, match="Two tools are called a"):
        bootstrap.toolbox([EchoTool("a")])
    with pytest.raises(MisconfiguredError, match="can't be called 'a b'"):
        box(folder, '[tools."a b"]\nfunction = "os:getcwd"')


async def test_tools_of_a_program() -> None:
    @prosa.tool(always=True, name="greet")
    def hello(whom: str, caller: prosa.Caller) -> str:
        return f"{whom}, from {caller.principal.user_id}"

    def bare() -> str:
        return "b"

    echo = EchoTool("echo")
    async with prosa.Prosa(models={"fake": FakeModel()}, tools=[hello, bare, echo]) as here:
        tools = here.services.tools
        assert [tool.spec.name for tool in tools] == ["greet", "bare", "echo"]
        assert [spec.name for spec in tools.specs()] == ["greet"]
        greet = tools.find("greet")
        assert greet is not None
        assert await greet.call({"whom": "Bia"}, ANA) == "Bia, from ana"
    assert echo.closed == 1
    for odd in (7, "stock"):
        with pytest.raises(MisconfiguredError, match="must be a function"):
            prosa.Prosa(tools=[odd])  # type: ignore[list-item]


def test_the_public_names() -> None:
    assert issubclass(prosa.ToolError, prosa.ProsaError)
    assert {"tool", "ToolError", "Caller"} <= set(prosa.__all__)
