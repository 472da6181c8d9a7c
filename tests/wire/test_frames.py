"""A conversation's socket and peers who write frames by hand: fragments, bad frames, close codes, compression."""

import asyncio
import json
import random
import zlib
from collections.abc import AsyncIterator

import pytest
from tests.frames import BINARY, CLOSE, CONT, PING, PONG, TEXT, Deflate, Peer, close, frame, peer
from tests.wire.house import House
from tests.wire.sockets import line

from prosa.domain.limits import Scope
from prosa.domain.principal import LOCAL
from prosa.server import MOST_IN_A_MESSAGE
from prosa.transport.frames import MOST_PIECES, Frames

PING_MESSAGE = b'{"type":"ping"}'
PONG_MESSAGE = b'{"type":"pong"}'
NOISE = random.Random(7).randbytes(400).hex()
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=12"
FORGETFUL = f"{DEFLATE}; client_no_context_takeover; server_no_context_takeover"


@pytest.fixture
async def path(listening: House) -> str:
    return f"/api/websocket/conversations/{await listening.conversation(title='👍🏽')}"


@pytest.fixture(autouse=True)
async def _neighbour(listening: House, path: str) -> AsyncIterator[None]:
    """Whatever one peer does, the socket of another goes on."""
    async with line(listening, path) as other:
        await other.until("conversation")
        yield
        await other.say(type="ping")
        await other.until("pong")


async def opened(one: Peer) -> Peer:
    assert one.status == 101
    assert json.loads(await one.said())["type"] == "conversation"
    return one


async def test_one_byte_in_each_frame_and_pings_between(listening: House, path: str) -> None:
    text = json.dumps({"type": "show", "headId": "👍🏽"}, ensure_ascii=False).encode()
    async with peer(listening.base_url, path) as one:
        await opened(one)
        frames = [frame(CONT, bytes([byte]), fin=False) for byte in text]
        frames[0] = frame(TEXT, text[:1], fin=False)
        for number, each in enumerate(frames):
            one.write(each, frame(PING, b"%d" % number), frame(CONT, fin=False))
        one.write(frame(CONT))
        pongs = [(await one.read()) for _ in frames]
        assert [(each.opcode, each.payload) for each in pongs] == [
            (PONG, b"%d" % number) for number in range(len(frames))
        ]
        assert json.loads(await one.said())["code"] == "invalid_request"
        assert one.write(frame(TEXT, PING_MESSAGE))
        assert await one.said() == PONG_MESSAGE


async def test_messages_that_come_in_one_packet_and_bytes_that_come_one_by_one(
    listening: House, path: str
) -> None:
    message = frame(TEXT, PING_MESSAGE) + frame(BINARY, PING_MESSAGE)
    async with peer(listening.base_url, path) as one:
        (await opened(one)).write(message * 20)
        assert {await one.said() for _ in range(40)} == {PONG_MESSAGE}
        for byte in message:
            one.write(bytes([byte]))
            await one.writer.drain()
            await asyncio.sleep(0)
        assert {await one.said() for _ in range(2)} == {PONG_MESSAGE}


BROKEN = {
    "unmasked": frame(TEXT, PING_MESSAGE, masked=False),
    "RSV1 without compression": frame(TEXT, PING_MESSAGE, reserved=4),
    "RSV2": frame(TEXT, PING_MESSAGE, reserved=2),
    "RSV3": frame(TEXT, PING_MESSAGE, reserved=1),
    **{f"opcode {number}": frame(number, b"x") for number in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    "a continuation of nothing": frame(CONT, b"x"),
    "a message within a message": frame(TEXT, b"{", fin=False) + frame(TEXT, b"}"),
    "a ping in pieces": frame(PING, b"x", fin=False),
    "a close in pieces": frame(CLOSE, b"\x03\xe8", fin=False),
    "a ping of 126 bytes": frame(PING, b"x" * 126),
    "a close of 126 bytes": close(1000, b"x" * 124),
    "a ping with RSV1": frame(PING, b"x", reserved=4),
    "a close with half a code": frame(CLOSE, b"\x03"),
    "http": b"GET / HTTP/1.1\r\nhost: x\r\n\r\n",
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
async def test_what_breaks_the_protocol_is_1002(listening: House, path: str, broken: bytes) -> None:
    async with peer(listening.base_url, path) as one:
        assert await (await opened(one)).write(broken).end() == 1002


@pytest.mark.parametrize("text", [b'{"type":"\xff"}', b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b'"\xc3'])
@pytest.mark.parametrize("pieces", [1, 2])
async def test_text_that_is_no_utf_8_is_1007(listening: House, path: str, text: bytes, pieces: int) -> None:
    async with peer(listening.base_url, path) as one:
        await opened(one)
        if pieces == 1:
            one.write(frame(TEXT, text))
        else:
            one.write(frame(TEXT, text[:1], fin=False), frame(CONT, text[1:]))
        assert await one.end() == 1007


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1011, 3000, 4000, 4999, None])
async def test_a_close_is_answered_with_its_code(listening: House, path: str, code: int | None) -> None:
    async with peer(listening.base_url, path) as one:
        await opened(one)
        assert await one.write(close(code)).end() == code
    async with peer(listening.base_url, path) as one:
        await opened(one)
        one.write(close(code), frame(TEXT, PING_MESSAGE))  # after it nothing counts
        assert await one.end() == code


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 2000, 2999, 5000, 65535])
async def test_codes_that_nobody_may_send(listening: House, path: str, code: int) -> None:
    async with peer(listening.base_url, path) as one:
        assert await (await opened(one)).write(close(code)).end() == 1002


async def test_a_reason_that_is_no_utf_8(listening: House, path: str) -> None:
    async with peer(listening.base_url, path) as one:
        assert await (await opened(one)).write(close(1000, b"\xff")).end() == 1007


@pytest.mark.hostile(24)
@pytest.mark.parametrize("length", [MOST_IN_A_MESSAGE + 1, 50_000_000, 2**62])
async def test_a_length_that_is_too_large_is_refused_before_the_message_comes(
    listening: House, path: str, length: int
) -> None:
    async with peer(listening.base_url, path) as one:
        assert await (await opened(one)).write(frame(TEXT, b"x", length=length)).end() == 1009


@pytest.mark.parametrize("piece", [b"", b"x"])
async def test_a_message_in_more_pieces_than_anybody_needs(listening: House, path: str, piece: bytes) -> None:
    text = b'{"type":"send","content":"%b"}' % (b"x" * (MOST_PIECES - 40))
    async with peer(listening.base_url, path) as one:
        await opened(one)
        one.write(frame(TEXT, text[:1], fin=False), *(frame(CONT, text[place:place + 1], fin=False)
                  for place in range(1, len(text))), frame(CONT))  # fmt: skip
        assert json.loads(await one.said())["type"] == "run"
        one.write(frame(TEXT, b"{", fin=False), frame(CONT, piece, fin=False) * (MOST_PIECES + 1))
        assert await one.end() == 1009


async def test_many_pieces_that_are_too_large_together(listening: House, path: str) -> None:
    half = b"x" * (MOST_IN_A_MESSAGE // 2 + 1)
    async with peer(listening.base_url, path) as one:
        await opened(one)
        one.write(frame(TEXT, half, fin=False), frame(CONT, half, fin=False))
        assert await one.end() == 1009


@pytest.mark.parametrize("header", [DEFLATE, FORGETFUL], ids=["with context", "without context"])
async def test_compression(listening: House, path: str, header: str) -> None:
    """What is short is sent as it is, whatever was agreed on."""
    deflate = Deflate(takeover=header is DEFLATE)
    conversation = path.rpartition("/")[2]
    await listening.chat.conversations.update(LOCAL, conversation, {"system_prompt": NOISE})
    async with peer(listening.base_url, path, header) as one:
        assert "permessage-deflate" in one.head
        assert ("client_no_context_takeover" in one.head) is (header is FORGETFUL)
        sizes = []
        for number in range(3):
            told = await one.read()
            assert (told.bits & 4, told.opcode) == (4, TEXT)
            sizes.append(len(told.payload))
            assert json.loads(deflate.unpack(told.payload))["conversation"]["systemPrompt"] == NOISE
            packed = deflate.pack(PING_MESSAGE)
            half = len(packed) // 2
            one.write(
                frame(TEXT, packed[:half], fin=False, reserved=4), frame(PING), frame(CONT, packed[half:])
            )
            assert (await one.read()).opcode == PONG
            pong = await one.read()
            assert (pong.bits & 4, pong.payload) == (0, PONG_MESSAGE)
            await listening.chat.conversations.update(LOCAL, conversation, {"title": f"{number}"})
        assert (sizes[1] < sizes[0] / 2) is (header is DEFLATE)  # who remembers has less to say
        one.write(frame(TEXT, PING_MESSAGE))  # not compressed, as one may
        while (told := await one.until(TEXT)).bits & 4:
            pass
        assert told.payload == PONG_MESSAGE


@pytest.mark.hostile(24)
@pytest.mark.parametrize("pieces", [1, 50])
async def test_a_message_that_swells(listening: House, path: str, pieces: int) -> None:
    packed = Deflate().pack(b" " * 50_000_000)
    assert len(packed) < 100_000
    step = len(packed) // pieces
    parts = [packed[place : place + step] for place in range(0, len(packed), step)]
    frames = [frame(CONT, part, fin=False) for part in parts]
    frames[0] = frame(TEXT, parts[0], fin=False, reserved=4)
    async with peer(listening.base_url, path, DEFLATE) as one:
        await one.read()
        assert await one.write(*frames, frame(CONT)).end() == 1009


@pytest.mark.parametrize(
    "broken",
    [
        frame(TEXT, b"\xff\xff\xff\xff", reserved=4),
        frame(TEXT, zlib.compress(b"{}"), reserved=4),
        frame(TEXT, b"{", fin=False) + frame(CONT, b"}", reserved=4),
        frame(PING, b"x", reserved=4),
        frame(TEXT, b"{}", reserved=2),
    ],
    ids=["noise", "zlib", "RSV1 in the middle", "a ping", "RSV2"],
)
async def test_compression_that_is_none(listening: House, path: str, broken: bytes) -> None:
    async with peer(listening.base_url, path, DEFLATE) as one:
        await one.read()
        assert await one.write(broken).end() in (1002, 1007)


@pytest.mark.parametrize(
    "offer",
    [
        "permessage-deflate; server_max_window_bits=7",
        "permessage-deflate; what_is_this=1",
        "permessage-deflate; client_no_context_takeover=1",
        "x-webkit-deflate-frame",
    ],
)
async def test_offers_that_are_not_taken(listening: House, path: str, offer: str) -> None:
    async with peer(listening.base_url, path, f"Sec-WebSocket-Extensions: {offer}") as one:
        assert "permessage-deflate" not in one.head
        await opened(one)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (("Sec-WebSocket-Version: 12",), 400),
        (("Sec-WebSocket-Key: AAAA",), 400),
        (("Sec-WebSocket-Extensions: ;;;",), 400),
        (("Origin: https://evil.example",), 403),
    ],
)
async def test_requests_that_are_wrong(
    listening: House, path: str, headers: tuple[str, ...], status: int
) -> None:
    async with peer(listening.base_url, path, *headers) as one:
        assert one.status == status


async def test_a_peer_that_is_silent_in_the_middle_of_a_frame(
    listening: House, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers no ping, so it is gone before long."""
    start = Frames.start_keepalive

    def hasty(self: Frames) -> None:
        self.ping_interval, self.ping_timeout = 0.1, 0.1
        start(self)

    monkeypatch.setattr(Frames, "start_keepalive", hasty)
    async with peer(listening.base_url, path) as one:
        await opened(one)
        one.write(frame(TEXT, PING_MESSAGE)[:-4])
        assert (await one.until(PING)).opcode == PING
        assert await one.end() == 1011
        await asyncio.sleep(0)


async def test_who_hangs_up_in_the_middle_of_everything(listening: House, path: str) -> None:
    """At each byte of a handshake and a message: nothing stays behind."""
    message = frame(TEXT, PING_MESSAGE)
    for cut in range(len(message)):
        async with peer(listening.base_url, path, first=message[:cut]) as one:
            assert one.status == 101
    async with asyncio.timeout(5):
        while listening.app._crowd._open[Scope.EVERYONE, ""] > 1:  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(0.01)
    assert len(next(iter(listening.chat.feed._watchers.values()))) == 1
