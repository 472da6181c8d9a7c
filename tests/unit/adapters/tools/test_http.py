"""HTTP tools against a listener on loopback: what they send, what they make of answers, and where they never go."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import msgspec
import pytest
import structlog
from tests.unit.adapters.models.loopback import CUT, Loopback, Play

from prosa.adapters.tools import connector, template
from prosa.adapters.tools.http import Endpoint, Given, HttpTool, Of, Plain, Secret
from prosa.domain.errors import InvalidArguments, MisconfiguredError, ToolFailed
from prosa.domain.models import ToolSpec
from prosa.domain.principal import Principal
from prosa.ports.tools import Caller
from prosa.services.tools.arguments import arguments_of
from prosa.services.tools.registry import Toolbox

ANA = Caller(Principal("ana ção", "acme"), "run-1", "conversation-1", "call-1", "pt")
CANARY = 'sk-canary/7f3a+9c=="x'
PROPERTIES = {name: {} for name in ("city", "days", "tags", "note")}

Make = Callable[..., HttpTool]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Tools that are closed in the end; on loopback, so private addresses are allowed unless a test forbids."""
    async with AsyncExitStack() as left:

        def made(url: str, *, timeout: float = 5.0, **fields: Any) -> HttpTool:
            endpoint = Endpoint(url, **{"allow_private": True, **fields})
            tool = HttpTool(ToolSpec("weather", "W", {"properties": PROPERTIES}), endpoint, timeout=timeout)
            left.push_async_callback(tool.close)
            return tool

        yield made


async def refusal(tool: HttpTool, **arguments: Any) -> str:
    with pytest.raises(ToolFailed) as caught:
        await tool.call(arguments, ANA)
    return str(caught.value)


def play(text: str | bytes = "", status: int = 200, **headers: str) -> Play:
    body = text.encode() if isinstance(text, str) else text
    return Play(
        (body,) if body else (), status, {name.replace("_", "-"): value for name, value in headers.items()}
    )


async def test_arguments_go_into_path_and_query(make: Make) -> None:
    async with Loopback(play('{"sky": "grey"}')).listening() as there:
        tool = make(f"{there.base}/weather/{{city}}?format=json")
        arguments = {"city": "São Paulo", "days": 3, "tags": ["a b", "c"]}
        assert await tool.call(arguments, ANA) == '{"sky": "grey"}'
        seen = there.seen[0]
        assert (seen.method, seen.path, seen.body) == (
            "GET", "/weather/S%C3%A3o%20Paulo?format=json&days=3&tags=a+b&tags=c", None,
        )  # fmt: skip
        assert seen.headers["accept-encoding"] == "identity"
        assert await tool.call({"city": "x"}, ANA)
        assert there.connections == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_arguments_go_into_a_body(make: Make, method: str) -> None:
    async with Loopback(play("ok")).listening() as there:
        tool = make(f"{there.base}/{{city}}", method=method, query={"v": Plain("2")})
        await tool.call({"city": "x", "days": 3, "note": None}, ANA)
        seen = there.seen[0]
        assert (seen.method, seen.path, seen.body) == (method, "/x?v=2", {"days": 3, "note": None})
        assert seen.headers["content-type"] == "application/json"


async def test_a_delete_has_no_body(make: Make) -> None:
    async with Loopback(play()).listening() as there:
        assert (
            await make(f"{there.base}/{{city}}", method="DELETE").call({"city": "x"}, ANA)
            == "(status 200, and no text)"
        )
        assert (there.seen[0].method, there.seen[0].path) == ("DELETE", "/x")


async def test_what_goes_with_each_call(make: Make) -> None:
    headers: dict[str, Given] = {
        "Authorization": Secret(CANARY, "Bearer "), "X-Plain": Plain("p"), "X-User": Of("user_id"),
        "X-Client": Of("client_id"), "Idempotency-Key": Of("call_id"), "Content-Type": Plain("application/x+json"),
    }  # fmt: skip
    async with Loopback(play("ok")).listening() as there:
        tool = make(
            there.base, method="POST", headers=headers, query={"key": Secret("a&b=c"), "run": Of("run_id")}
        )
        await tool.call({"days": 1}, ANA)
        seen = there.seen[0]
        assert seen.path == "/?key=a%26b%3Dc&run=run-1"
        expected = {"authorization": f"Bearer {CANARY}", "x-plain": "p", "x-user": "ana %C3%A7%C3%A3o",
                    "x-client": "acme", "idempotency-key": "call-1", "content-type": "application/x+json"}  # fmt: skip
        assert expected.items() <= seen.headers.items()


async def test_the_model_can_not_speak_over_the_operator(make: Make) -> None:
    async with Loopback(play("ok")).listening() as there:
        await make(there.base, query={"days": Plain("1")}).call({"days": 99}, ANA)
        assert there.seen[0].path == "/?days=1"


@pytest.mark.parametrize(
    ("body", "headers", "text"),
    [
        ("olá", {}, "olá"),
        ("olá".encode("latin-1"), {"content_type": "text/plain; charset=latin-1"}, "olá"),
        ("olá".encode(), {"content_type": "text/plain; charset=nonsense"}, "olá"),
        (b"\xff\xfe!", {}, "\ufffd\ufffd!"),
        ("", {}, "(status 200, and no text)"),
        ('{"a": 1}', {"content_type": "application/json"}, '{"a": 1}'),
    ],
)
async def test_answers_are_text(make: Make, body: str | bytes, headers: dict[str, str], text: str) -> None:
    async with Loopback(play(body, **headers)).listening() as there:
        assert await make(there.base).call({}, ANA) == text


async def test_answers_that_are_no_text(make: Make) -> None:
    async with Loopback(
        play(b"\x89PNG\r\n\x1a\n\0\0"), play("x", content_encoding="gzip")
    ).listening() as there:
        tool = make(there.base)
        assert "no text" in await refusal(tool)
        assert "compressed" in await refusal(tool)


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
async def test_a_failing_answer_is_told_shortly(make: Make, status: int) -> None:
    async with Loopback(play("no such city " + "x" * 5000, status), play("", status)).listening() as there:
        tool = make(there.base)
        said = await refusal(tool)
        assert said.startswith(f"weather answered with status {status}: no such city xxx")
        assert len(said) < 450
        assert await refusal(tool) == f"weather answered with status {status}"


@pytest.mark.hostile(29)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(make: Make, status: int) -> None:
    async with Loopback(play("secret")).listening() as target:
        async with Loopback(play("", status, location=f"{target.base}/internal")).listening() as there:
            for method in ("GET", "POST"):
                said = await refusal(make(there.base, method=method))
                assert said == f"weather answered with a redirect (status {status}), which is not followed."
            assert len(there.seen) == 2
        assert target.connections == 0


@pytest.mark.hostile(29)
async def test_a_gigabyte_is_cut(make: Make) -> None:
    async with Loopback(Play((b"x" * 65_536,) * 16_384)).listening() as there:
        text = await make(there.base, most=1000).call({}, ANA)
        assert text == "x" * 1000 + "\n[cut here: the result has more than 1000 bytes]"
        said = await refusal(make(f"{there.base}/{{city}}"), city="..")
        assert "dots" in said


@pytest.mark.hostile(29)
async def test_slow_drips_and_silence_end_in_time(make: Make) -> None:
    never = asyncio.Event()
    async with Loopback(Play((never,)), Play((b"a", b"b", never))).listening() as there:
        tool = make(there.base, timeout=0.1)
        for _ in range(2):
            assert await refusal(tool) == "weather took longer than 0.1 seconds."
        async with asyncio.timeout(5):
            await there.gone.wait()


async def test_who_can_not_be_reached(make: Make) -> None:
    async with Loopback(Play((b"a", CUT))).listening() as there:
        tool = make(there.base, timeout=1)
        assert await refusal(tool) == "The answer of weather broke off."
    assert await refusal(tool) == "weather can't be reached."


async def test_leaving_closes_the_connection(make: Make) -> None:
    async with Loopback(Play((b"a", asyncio.Event()))).listening() as there:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await make(there.base).call({}, ANA)
        async with asyncio.timeout(5):
            await there.gone.wait()


@pytest.mark.hostile(21)
async def test_a_secret_never_comes_back(make: Make) -> None:
    """Whatever the other side repeats: in plain, in a URL, in JSON, at the place where the text is cut."""
    echoes = [
        CANARY, f"Authorization: Bearer {CANARY}", msgspec.json.encode({"got": CANARY}).decode(),
        "https://x/?key=sk-canary%2F7f3a%2B9c%3D%3D%22x", "x" * 290 + CANARY + "y" * 500, CANARY * 100,
        "x" * 995 + CANARY * 3,
    ]  # fmt: skip
    plays = [play(echo, status) for echo in echoes for status in (200, 500)]
    parts = ("canary", "7f3a")
    async with Loopback(
        *plays, play("", 302, location=f"/?k={CANARY}"), Play((b"", CUT))
    ).listening() as there:
        tool = make(there.base, headers={"X-Key": Secret(CANARY)}, query={"k": Secret(CANARY)}, most=1000)
        with structlog.testing.capture_logs() as logs:
            for _ in range(len(plays) + 2):
                try:
                    said = await tool.call({}, ANA)
                except ToolFailed as error:
                    said = str(error) + repr(error.__cause__)
                assert not any(part in said for part in parts), said
        assert not any(part in repr(logs) for part in parts)
        assert any(entry["event"] == "tool_failed" for entry in logs)


HOSTS = [
    "127.0.0.1", "127.1", "0x7f000001", "2130706433", "0177.0.0.1", "[::1]", "[::ffff:7f00:1]", "[::ffff:127.0.0.1]",
    "0.0.0.0", "0", "[::]", "localhost", "localhost.", "LOCALHOST", "127.0.0.1.", "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]", "ok@127.0.0.1", "example.org@127.0.0.1", "127.0.0.1\\@example.org", "127.0.0.1\t",
    "\uff11\uff12\uff17.0.0.1", "ⓛocalhost",
]  # fmt: skip


@pytest.mark.hostile(28)
@pytest.mark.parametrize("host", HOSTS)
async def test_no_name_of_this_machine_is_called(make: Make, host: str) -> None:
    async with Loopback(play("secret")).listening() as there:
        port = there.base.rpartition(":")[2]
        try:
            said = await refusal(make(f"http://{host}:{port}/", allow_private=False, timeout=2))
        except MisconfiguredError as error:
            said = str(error)
        assert said
        assert there.connections == 0


@pytest.mark.hostile(29)
async def test_a_name_that_turns_to_this_machine(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Judged when it is connected to: it does not matter what the name meant when it was looked at before."""
    answers: list[list[str]] = []

    def look_up(host: str, port: int, *_: object, **__: object) -> list[Any]:
        assert host == "public.test"
        return [
            (socket.AF_INET6 if ":" in each else socket.AF_INET, socket.SOCK_STREAM, 6, "",
             (each, port, 0, 0) if ":" in each else (each, port))
            for each in answers.pop(0)
        ]  # fmt: skip

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    async with Loopback(play("secret")).listening() as there:
        url = there.base.replace("127.0.0.1", "public.test")
        tool = make(url, allow_private=False, timeout=2)
        for addresses in (["127.0.0.1"], ["::1", "127.0.0.1"], ["::ffff:127.0.0.1"], ["169.254.169.254"],
                          ["127.0.0.1", "127.0.0.1", "127.0.0.1"]):  # fmt: skip
            answers.append(addresses)
            assert await refusal(tool) == "weather can't be reached."
        assert there.connections == 0
        # The very same name is called once its address is the internet's: here, by decree.
        monkeypatch.setattr(connector, "public", lambda address: address == "127.0.0.1")
        answers.append(["127.0.0.1"])
        assert await tool.call({}, ANA) == "secret"
        assert there.connections == 1


@pytest.mark.parametrize("family", ["127.0.0.1", "::1"])
async def test_an_address_in_figures_is_judged_as_any_other(
    make: Make, monkeypatch: pytest.MonkeyPatch, family: str
) -> None:
    """Of both families: here the loopback passes for the internet."""
    judged = []

    def public(address: str) -> bool:
        judged.append(address)
        return True

    monkeypatch.setattr(connector, "public", public)
    monkeypatch.setattr(template, "public", lambda _: True)
    server = await asyncio.start_server(lambda _, writer: writer.close(), family, 0)
    host = f"[{family}]" if ":" in family else family
    async with server:
        tool = make(f"http://{host}:{server.sockets[0].getsockname()[1]}/", allow_private=False)
        assert await refusal(tool) == "The answer of weather broke off."
    assert set(judged) == {family}


def test_an_address_at_home_needs_leave() -> None:
    with pytest.raises(MisconfiguredError, match="allow_private"):
        HttpTool(ToolSpec("weather", "W"), Endpoint("http://localhost:1/"))
    assert HttpTool(ToolSpec("weather", "W"), Endpoint("http://localhost:1/", allow_private=True))


@pytest.mark.parametrize(
    "headers",
    [
        {"": Plain("x")}, {"a b": Plain("x")}, {"a\r\nb": Plain("x")}, {"Host": Plain("x")},
        {"Content-Length": Plain("1")}, {"x": Plain("a\r\nb: c")}, {"x": Secret("ção-secreta")},
        {"x": Secret("secreta", "é")},
    ],
)  # fmt: skip
def test_headers_that_nobody_sends(headers: dict[str, Given]) -> None:
    with pytest.raises(MisconfiguredError) as caught:
        HttpTool(ToolSpec("weather", "W"), Endpoint("https://a.test/", headers=headers))
    assert "secreta" not in str(caught.value)


def test_the_schema_is_completed() -> None:
    url = "https://a.test/{city}?d={days}"
    tool = HttpTool(ToolSpec("weather", "W", {"properties": PROPERTIES, "required": ["tags"]}), Endpoint(url))
    assert tool.spec.parameters == {
        "type": "object", "properties": PROPERTIES, "required": ["tags", "city", "days"],
        "additionalProperties": False,
    }  # fmt: skip
    Toolbox([tool])
    with pytest.raises(InvalidArguments, match="city"):
        arguments_of(tool.spec, '{"tags": 1, "days": 1}')
    with pytest.raises(InvalidArguments, match="other"):
        arguments_of(tool.spec, '{"tags": 1, "days": 1, "city": "x", "other": 1}')
    assert HttpTool(ToolSpec("now", "N"), Endpoint("https://a.test/")).spec.parameters["properties"] == {}
    with pytest.raises(MisconfiguredError, match=r"has \{city\}"):
        HttpTool(ToolSpec("weather", "W"), Endpoint("https://a.test/{city}"))


async def test_it_opens_again_after_it_was_closed(make: Make) -> None:
    async with Loopback(play("ok")).listening() as there:
        tool = make(there.base)
        for _ in range(2):
            assert await tool.call({}, ANA) == "ok"
            await tool.close()
            await tool.close()
