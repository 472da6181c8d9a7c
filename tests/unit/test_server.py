"""The server process, before it listens."""

import gc
import socket
from typing import Any

import pytest

from prosa import server


async def test_what_stays_is_kept_away_from_the_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    """To look through it stops the loop for a tenth of a second."""
    frozen: list[int] = []

    class Services:
        async def open(self) -> None:
            pass

        async def close(self) -> None:
            pass

    async def serving(self: object, sockets: object) -> None:
        frozen.append(gc.get_freeze_count())

    async def app(*_: Any) -> None:
        pass

    monkeypatch.setattr(server.Server, "serve", serving)
    before = gc.get_freeze_count()
    with socket.socket() as listener:
        try:
            await server.serve(lambda: app, Services(), listener, 1)  # type: ignore[arg-type]
        finally:
            gc.unfreeze()
    assert frozen[0] > before + 10_000
