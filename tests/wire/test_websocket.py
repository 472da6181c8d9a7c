"""What all doors for sockets share: who is let in, what is refused, and how a socket ends."""

import asyncio
import json
import socket as sockets
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from tests.counts import counts
from tests.wire.house import SECRET, House, furnished
from tests.wire.sockets import Line, line
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from prosa.domain.errors import ConversationNotFound
from prosa.transport import app as application
from prosa.transport import websocket
from prosa.transport.websocket import Socket, SocketDoor

PATH = "/api/websocket/echo/1"


class Echo(Struct):
    say: str = ""
    times: int = 1
    missing: bool = False
    broken: bool = False
    end: bool = False


async def echoing(socket: Socket) -> None:
    """Says who is calling, then repeats what is said."""
    await socket.send(json.dumps({"type": "hello", "user": socket.principal.user_id}).encode())
    ended = asyncio.Event()

    async def heed(asked: Echo) -> None:
        if asked.missing:
            raise ConversationNotFound
        if asked.broken:
            raise ZeroDivisionError
        if asked.end:
            ended.set()
        for _ in range(asked.times):
            await socket.send(json.dumps({"type": "echo", "said": asked.say}).encode())

    listening = socket.spawn(socket.listen(Echo, heed))
    await ended.wait()
    listening.cancel()


@pytest.fixture(autouse=True)
def _door(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "SOCKETS", [SocketDoor("/api/websocket/echo/{id}", echoing)])


@pytest.fixture
async def open_house(local: House) -> AsyncIterator[House]:
    async with local.listening():
        yield local


@pytest.fixture
async def guarded_house(guarded: House) -> AsyncIterator[House]:
    async with guarded.listening():
        yield guarded


async def hello(found: Line) -> str:
    return (await found.hear())["user"]


async def status(house: House, **options: Any) -> int:
    """That of the refusal before the upgrade."""
    with pytest.raises(InvalidStatus) as refused:
        async with line(house, options.pop("path", PATH), **options):
            pass
    body = json.loads(refused.value.response.body or b"null")
    assert body["success"] is False
    return refused.value.response.status_code


async def test_without_tokens_everybody_is_the_local_user(open_house: House) -> None:
    async with line(open_house, PATH, subprotocols=["prosa", "bearer.whatever"]) as one:
        assert await hello(one) == "local"
        assert one.connection.subprotocol == "prosa"
        await one.say(type="auth", token="whatever")
        await one.say(say="Olá")
        assert await one.hear() == {"type": "echo", "said": "Olá"}


async def test_a_token_in_each_place(guarded_house: House) -> None:
    token = guarded_house.token("ana")
    origin = guarded_house.base_url
    async with line(guarded_house, PATH, "ana") as one:
        assert await hello(one) == "ana"
        assert one.connection.subprotocol is None
    async with line(guarded_house, PATH, subprotocols=["prosa", f"bearer.{token}"]) as one:
        assert await hello(one) == "ana"
        assert one.connection.subprotocol == "prosa"
    cookie = {"Cookie": f"{guarded_house.identity.cookie}={token}"}
    async with line(guarded_house, PATH, headers=cookie, origin=origin) as one:
        assert await hello(one) == "ana"
    async with line(guarded_house, PATH) as one:
        await one.say(type="auth", token=token)
        assert await hello(one) == "ana"


@pytest.mark.hostile(69)
async def test_origins_are_checked_before_the_upgrade(guarded_house: House) -> None:
    cookie = {"Cookie": f"{guarded_house.identity.cookie}={guarded_house.token('ana')}"}
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
        assert await status(guarded_house, user="ana", origin=origin) == 403
        assert await status(guarded_house, headers=cookie, origin=origin) == 403
    assert await status(guarded_house, headers=cookie) == 403


@pytest.mark.hostile(69)
async def test_in_local_mode_any_page_on_localhost_may_and_no_other(open_house: House) -> None:
    async with line(open_house, PATH, origin="http://localhost:5173") as one:
        assert await hello(one) == "local"
    assert await status(open_house, origin="https://evil.example") == 403
    assert await status(open_house, host_said="rebound.example") == 403


@pytest.mark.hostile(8)
@pytest.mark.parametrize("token", ["' OR '1'='1", "x", "a" * 7_000, "Ω".encode().decode("latin-1"), ""])
async def test_bad_credentials_are_refused_at_once(guarded_house: House, token: str) -> None:
    named = {"Authorization": f"Bearer {token}"}
    cookie = {"Cookie": f"{guarded_house.identity.cookie}={token}"}
    offered = {"Sec-WebSocket-Protocol": f"prosa, bearer.{token}"} if token.isalnum() else named
    took = []
    for headers in (named, cookie, offered):
        began = time.process_time()
        assert await status(guarded_house, headers=headers, origin=guarded_house.base_url) == 401
        took.append(time.process_time() - began)
    assert min(took) < 0.25


@pytest.mark.hostile(8)
async def test_a_request_whose_headers_have_no_end_is_answered(guarded_house: House) -> None:
    port = int(guarded_house.base_url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [f"GET {PATH} HTTP/1.1", "Host: 127.0.0.1", "Upgrade: websocket", "Connection: Upgrade",
             "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
             "Authorization: Bearer " + "a" * 65_536, "", ""]  # fmt: skip
    writer.write("\r\n".join(lines).encode())
    async with asyncio.timeout(5):
        assert (await reader.read()).split()[1] == b"431"
    writer.close()


async def test_who_does_not_say_who_he_is(guarded_house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    for said in ({"type": "auth", "token": "x"}, {"type": "auth"}, {"say": "x"}, {"type": 7}):
        async with line(guarded_house, PATH) as one:
            await one.say(**said)
            heard, code = await one.end()
            assert (heard[-1]["code"], code) == ("not_authenticated", 4401)
    monkeypatch.setattr(websocket, "AUTH_SECONDS", 0.1)
    async with line(guarded_house, PATH) as one:
        heard, code = await one.end()
        assert (heard[-1]["code"], code) == ("not_authenticated", 4401)


@pytest.mark.hostile(9)
async def test_a_token_that_expires_ends_the_socket(guarded_house: House) -> None:
    until = time.time() + 3
    async with line(guarded_house, PATH, "ana", claims={"exp": until}) as one:
        heard, code = await one.end()
        assert (heard[-1]["type"], heard[-1]["code"], code) == ("error", "not_authenticated", 4401)
        assert heard[-1]["message"].startswith(one.connection.close_reason or "?")
        assert until <= time.time() < until + 5
    assert (
        await status(guarded_house, headers={"Authorization": f"Bearer {guarded_house.token('ana', exp=1)}"})
        == 401
    )


async def test_a_newer_token_takes_the_older_ones_place(
    guarded_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "BEAT", 0.05)
    async with line(guarded_house, PATH, "ana", claims={"exp": time.time() + 3}) as one:
        await hello(one)
        await one.say(type="auth", token="x")
        assert (await one.hear())["code"] == "not_authenticated"
        await one.say(type="auth", token=guarded_house.token("bia"))
        assert (await one.hear())["code"] == "forbidden"
        await one.say(type="auth", token=guarded_house.token("ana"))
        await asyncio.sleep(3.2)
        await one.say(say="still here")
        assert (await one.hear())["said"] == "still here"


async def test_an_address_where_nothing_is(open_house: House) -> None:
    assert await status(open_house, path="/api/websocket/nothing") == 404
    assert await status(open_house, path="/") == 404


BAD = ("", "null", "[]", "1", '"x"', "{", '{"say": 1}', '{"type": 7}', '{"say":"a","say":"b"}', "NaN",
       '{"say": NaN}', '{"times": 1e400}', "[" * 100_000, '{"say": "\\ud800"}x')  # fmt: skip


@pytest.mark.hostile(24)
@pytest.mark.parametrize("bad", BAD, ids=range(len(BAD)))
async def test_a_bad_message_is_told_and_the_socket_stays(open_house: House, bad: str) -> None:
    async with line(open_house, PATH) as one:
        await hello(one)
        for sent in (bad, bad.encode()):
            await one.connection.send(sent)
            heard = await one.hear()
            assert (heard["type"], heard["code"], heard["retryable"]) == ("error", "invalid_request", False)
            assert heard["message"]
        await one.say(say="x")
        assert (await one.hear())["said"] == "x"


async def test_nothing_but_bad_messages_ends_it(open_house: House) -> None:
    async with line(open_house, PATH) as one:
        await hello(one)
        for _ in range(10):
            await one.connection.send("{")
        heard, code = await one.end()
        assert ([each["code"] for each in heard], code) == (["invalid_request"] * 10, 4400)


async def test_what_a_door_refuses_is_told_in_the_callers_language(open_house: House) -> None:
    async with line(open_house, PATH, headers={"Accept-Language": "pt-BR"}) as one:
        await hello(one)
        await one.say(missing=True)
        error = ConversationNotFound()
        assert await one.hear() == {
            "type": "error", "code": error.code, "message": error.sentence("pt"), "retryable": False,
        }  # fmt: skip
        await one.say(type="ping")
        assert await one.hear() == {"type": "pong"}


async def test_a_fault_of_ours_ends_the_socket_and_says_so(open_house: House) -> None:
    async with line(open_house, PATH) as one:
        await hello(one)
        await one.say(broken=True)
        heard, code = await one.end()
        assert ([each["code"] for each in heard], code) == (["internal_error"], 4500)


async def test_a_door_with_nothing_more_to_say_closes(open_house: House) -> None:
    async with line(open_house, PATH) as one:
        await hello(one)
        await one.say(end=True, say="bye")
        assert await one.end() == ([{"type": "echo", "said": "bye"}], 1000)


async def test_a_quiet_socket_is_pinged(open_house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "BEAT", 0.02)
    monkeypatch.setattr(websocket, "SILENCE", 0.1)
    async with line(open_house, PATH) as one:
        await hello(one)
        assert await one.hear() == {"type": "ping"}


async def test_a_user_has_so_many_sockets(tmp_path: Path) -> None:
    async with furnished(tmp_path, jwt_secret=SECRET, max_sockets_per_user=2) as house, house.listening():
        async with line(house, PATH, "ana") as one, line(house, PATH, "ana") as two:
            assert await hello(one) == await hello(two) == "ana"
            async with line(house, PATH, "ana") as third:
                heard, code = await third.end()
                assert ([each["code"] for each in heard], code) == (["too_many_sockets"], 4429)
            async with line(house, PATH, "bia") as others:
                assert await hello(others) == "bia"
        async with line(house, PATH, "ana") as again:
            assert await hello(again) == "ana"


@pytest.mark.hostile(66)
async def test_far_too_many_sockets_of_one_user(guarded_house: House) -> None:
    """He has as many as he may, and who else calls comes in."""

    async def one() -> int:
        async with line(guarded_house, PATH, "ana", compression=None, open_timeout=60) as found:
            heard = await found.hear()
            if heard["type"] == "error":
                return (await found.end())[1]
            await everyone.wait()
            return 0

    many = counts(1_000, 300)
    everyone = asyncio.Event()
    tasks = [asyncio.create_task(one()) for _ in range(many)]
    while sum(task.done() for task in tasks) < many - 100:
        await asyncio.sleep(0.01)
        async with line(guarded_house, PATH, "bia", open_timeout=60) as others:
            assert await hello(others) == "bia"
    everyone.set()
    codes = await asyncio.gather(*tasks)
    assert (codes.count(0), codes.count(4429)) == (100, many - 100)


@pytest.mark.hostile(66)
async def test_those_that_have_not_said_who_they_are_have_so_many_places(guarded_house: House) -> None:
    crowd = guarded_house.app._crowd
    crowd._waiting = 256
    assert await status(guarded_house) == 429
    async with line(guarded_house, PATH, "ana") as one:
        assert await hello(one) == "ana"
    crowd._waiting = 255
    async with line(guarded_house, PATH) as one:
        await asyncio.sleep(0.05)
        assert crowd._waiting == 256
    async with asyncio.timeout(5):
        while crowd._waiting != 255:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.01)


async def test_messages_that_come_too_fast_wait_for_their_turn(tmp_path: Path) -> None:
    async with (
        furnished(tmp_path, socket_messages_per_second=50) as house,
        house.listening(),
        line(house, PATH) as one,
    ):
        await hello(one)
        began = time.perf_counter()
        for _ in range(80):
            await one.say(say="x")
        for _ in range(80):
            assert (await one.hear())["said"] == "x"
        assert 0.5 < time.perf_counter() - began < 5


@pytest.mark.parametrize(
    "extension",
    [
        None,
        ClientPerMessageDeflateFactory(),
        ClientPerMessageDeflateFactory(server_no_context_takeover=True, client_no_context_takeover=True),
        ClientPerMessageDeflateFactory(server_max_window_bits=9, client_max_window_bits=True),
    ],
    ids=["plain", "with context", "without context", "small window"],
)
async def test_compression(open_house: House, extension: ClientPerMessageDeflateFactory | None) -> None:
    said = "palavra " * 20_000
    extensions = [extension] if extension else None
    async with line(open_house, PATH, compression=None, extensions=extensions) as one:
        agreed = one.connection.protocol.extensions
        assert [each.name for each in agreed] == (["permessage-deflate"] if extension else [])
        await hello(one)
        for _ in range(3):
            await one.say(say=said)
            assert (await one.hear())["said"] == said


@pytest.mark.hostile(24)
@pytest.mark.parametrize("compression", [None, "deflate"])
async def test_a_message_of_50_mb(open_house: House, compression: str | None) -> None:
    async with line(open_house, PATH, compression=compression) as one:
        await hello(one)
        with suppress(ConnectionClosed):
            await one.connection.send("x" * 50_000_000)
        assert await one.end() == ([], 1009)
    async with line(open_house, PATH) as one:
        assert await hello(one) == "local"


async def test_messages_in_fragments(open_house: House) -> None:
    async with line(open_house, PATH) as one:
        await hello(one)
        await one.connection.send(iter(json.dumps({"say": "em pedaços 👍🏽"}, ensure_ascii=False)))
        assert (await one.hear())["said"] == "em pedaços 👍🏽"


@pytest.mark.hostile(58)
async def test_a_reader_that_stops_is_dropped(open_house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the server holds for him is bounded, and then he is gone."""
    monkeypatch.setattr(websocket, "PATIENCE", 0.3)
    async with line(open_house, PATH, compression=None, max_queue=1) as one:
        raw = one.connection.transport.get_extra_info("socket")
        raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        await one.say(say="x" * 10_000, times=100_000)
        began = time.perf_counter()
        while open_house.app._crowd._open:
            await asyncio.sleep(0.02)
            assert time.perf_counter() - began < 10


async def test_a_server_that_refuses_by_closing_alone(local: House) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "websocket", "path": "/api/websocket/nothing", "headers": [(b"host", b"localhost")],
        "query_string": b"", "subprotocols": [], "root_path": "",
    }  # fmt: skip
    await local.app(scope, None, send)  # type: ignore[arg-type]
    assert sent == [{"type": "websocket.close", "code": 4404}]
