"""WebSocket as uvicorn speaks it, with care for peers who do not read, or send oddly."""

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request

from prosa.transport.deflate import SparingFactory

CUT = "prosa.cut"
"""The extension of the scope that cuts the connection: what waits to be sent is thrown away."""

LINGER = 5.0
"""Seconds that a dead peer's connection gets to be closed as it should."""

MOST_PIECES = 20_000
"""Frames of one message: more is refused with 1009, as a message that is too large."""

_UNREADABLE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
)


class Frames(WebSocketsSansIOProtocol):
    _pieces = 0

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        if self.conn.available_extensions:
            self.conn.available_extensions = [SparingFactory()]

    def data_received(self, data: bytes) -> None:
        """A request that can't be read, most often for its endless headers, gets an answer, and an end."""
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self.transport.write(_UNREADABLE)
            self.transport.close()

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if hasattr(self, "scope"):
            extensions: dict[str, Any] = self.scope["extensions"]
            extensions[CUT] = self.transport.abort

    async def send(self, message: Any) -> None:
        """An answer in place of the upgrade ends the handshake: else each refusal is logged as a fault."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True

    def handle_text(self, event: Frame) -> None:
        self._pieces = 0
        super().handle_text(event)

    def handle_bytes(self, event: Frame) -> None:
        self._pieces = 0
        super().handle_bytes(event)

    def handle_cont(self, event: Frame) -> None:
        """Pieces are joined as they come: a million of one byte must not weigh more than a megabyte. Nor may
        there be any number of empty ones: no limit of size counts them."""
        if self.close_sent:
            return
        self._pieces += 1
        if self._pieces > MOST_PIECES:
            self.conn.fail(1009, "too many pieces")
            self.handle_parser_exception()
            return
        whole: Any = self.frames[0]
        if not isinstance(whole, bytearray):
            whole = bytearray(whole)
        whole += event.data
        self.frames = [bytes(whole) if event.fin else whole]
        if event.fin:
            self.send_receive_event_to_app()

    def handle_ping(self) -> None:
        """Who does not read gets no pongs: they would pile up."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()

    def keepalive_timeout(self) -> None:
        """A dead peer never takes what still waits for it."""
        super().keepalive_timeout()
        self.loop.call_later(LINGER, self.transport.abort)
