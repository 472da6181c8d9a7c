"""The hashes of API keys' secrets: light, and a few at once."""

import asyncio
import threading

import pytest

from prosa.services.access import secrets
from prosa.services.access.secrets import Secrets


async def test_what_fits_and_what_does_not() -> None:
    kept = Secrets()
    hashed = await kept.hash("one")
    assert hashed.startswith("$argon2id$")
    assert await kept.hash("one") != hashed
    assert await kept.fits(hashed, "one")
    for wrong in ("two", "", "one\0"):
        assert not await kept.fits(hashed, wrong)
    assert not await kept.fits("no hash", "one")


async def test_a_few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, at_once, most = threading.Event(), 0, 0
    lock = threading.Lock()

    def slow(_: str, secret: str) -> bool:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        gate.wait(10)
        with lock:
            at_once -= 1
        return secret == "right"

    monkeypatch.setattr(secrets, "_fits", slow)
    kept = Secrets()
    waiting = [asyncio.create_task(kept.fits("h", "right")) for _ in range(20)]
    await asyncio.sleep(0)
    gate.set()
    assert all(await asyncio.gather(*waiting))
    assert 0 < most <= secrets.AT_ONCE
