"""permessage-deflate that leaves short messages as they are: a token costs more to compress than to send."""

from collections.abc import Sequence

from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.frames import Frame
from websockets.typing import ExtensionParameter

WORTH = 256
"""Bytes from which on a message is compressed."""

WINDOW = 12
"""Bits of the window: 4 KB for what one side remembers."""


class Sparing(PerMessageDeflate):
    def encode(self, frame: Frame) -> Frame:
        return frame if len(frame.data) < WORTH else super().encode(frame)


class SparingFactory(ServerPerMessageDeflateFactory):
    """Agrees on what its parent agrees on."""

    def __init__(self) -> None:
        super().__init__(
            server_max_window_bits=WINDOW, client_max_window_bits=WINDOW, compress_settings={"memLevel": 5}
        )

    def process_request_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[object]
    ) -> tuple[list[ExtensionParameter], PerMessageDeflate]:
        agreed, made = super().process_request_params(params, accepted_extensions)  # type: ignore[arg-type]
        sparing = Sparing(
            made.remote_no_context_takeover,
            made.local_no_context_takeover,
            made.remote_max_window_bits,
            made.local_max_window_bits,
            self.compress_settings,
        )
        return agreed, sparing
