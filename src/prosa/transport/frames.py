"""WebSocket as uvicorn speaks it, with care for peers who do not read, or send oddly."""

from typing import Any

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request

CUT = "prosa.cut"
"""The extension of the scope that cuts the connection: what waits to be sent is thrown away."""

LINGER = 5.0
"""Seconds that a dead peer's connection gets to be closed as it should."""

_UNREADABLE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
)


class Frames(WebSocketsSansIOProtocol):
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

    async def send(self, message: ASGISendEvent) -> None:
        """An answer in place of the upgrade ends the handshake: else each refusal is logged as a fault."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True

    def handle_cont(self, event: Frame) -> None:
        """Fragments of nothing must not pile up: no limit of size counts them."""
        if event.data or event.fin:
            super().handle_cont(event)

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
