"""Alerts on their way: signed, bounded in time and size, and with no secret in what goes wrong."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from msgspec.structs import replace
from tests.hooks import SECRET, Hook, signed
from tests.stores import sqlite_store

from prosa import config
from prosa.adapters.alerts import webhook
from prosa.adapters.alerts.apprise import Apprise
from prosa.adapters.alerts.webhook import Webhook
from prosa.commands import alerts as command
from prosa.domain.alerts import Alert, Kind, NotDelivered
from prosa.domain.errors import MisconfiguredError
from prosa.domain.ids import new_id
from prosa.domain.time import Instant, now, to_iso
from prosa.kit.backoff import Backoff
from prosa.messengers import messengers
from prosa.ports.store import Store
from prosa.services.alerts.post import Post
from prosa.services.alerts.tables import AlertsTable

# What apprise asks for as it is loaded.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

NOON = Instant(1_790_000_000_000_000)
ALERT = Alert(new_id(), Kind.TOKENS, "user:ana", "2026-09-21 10", 80,
              {"period": "2026-09-21", "spent": "8", "limit": "10"}, NOON)  # fmt: skip


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    async with Hook().listening() as hook:
        yield hook


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    made = sqlite_store(tmp_path)
    await made.open(lambda *_: None)
    yield made
    await made.close()


async def test_what_a_webhook_gets(hook: Hook) -> None:
    sender = Webhook(hook.url, SECRET, "pt", clock=lambda: 1_790_000_001.9)
    await sender.send(ALERT)
    await sender.close()
    ((headers, body),) = hook.calls
    assert headers["x-prosa-timestamp"] == "1790000001"
    assert signed(headers, body)
    assert not signed(headers | {"x-prosa-timestamp": "1790000002"}, body)
    assert not signed(headers, body.replace(b"ana", b"bia"))
    assert hook.told == [
        {"id": ALERT.id, "kind": "tokens", "subject": "user:ana", "level": 80, "at": to_iso(NOON),
         "message": "user:ana usou 80 % dos tokens de 2026-09-21: 8 de 10.", "details": ALERT.details}
    ]  # fmt: skip


@pytest.mark.parametrize("status", [302, 400, 410, 500])
async def test_who_does_not_take_it(status: int) -> None:
    async with Hook([status]).listening() as hook:
        sender = Webhook(hook.url, SECRET, "en")
        with pytest.raises(NotDelivered, match=f"status {status}"):
            await sender.send(ALERT)
        await sender.close()


async def test_nobody_is_there() -> None:
    sender = Webhook("http://canary:canary@127.0.0.1:9/canary", SECRET, "en")
    with pytest.raises(NotDelivered) as caught:
        await sender.send(ALERT)
    await sender.close()
    assert "canary" not in str(caught.value)


async def test_who_answers_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither his time nor his words are waited for."""
    monkeypatch.setattr(webhook, "PATIENCE", 0.2)
    left = asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        await left.wait()
        return web.Response()

    async def wordy(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while not left.is_set():
            await answer.write(b"x" * 65_536)
        return answer

    app = web.Application()
    app.router.add_post("/slow", slow)
    app.router.add_post("/wordy", wordy)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        sender = Webhook(f"{address}/slow", SECRET, "en")
        with pytest.raises(NotDelivered, match=r"0\.2 seconds"):
            await sender.send(ALERT)
        await sender.close()
        sender = Webhook(f"{address}/wordy", SECRET, "en")
        await sender.send(ALERT)
        await sender.close()
    finally:
        left.set()
        await runner.cleanup()


async def test_apprise_reaches_an_address(hook: Hook) -> None:
    address = hook.url.replace("http://", "json://")
    sender = Apprise(address, "en")
    await sender.send(ALERT)
    await sender.close()
    (told,) = hook.told
    assert (told["title"], told["message"]) == (
        "Prosa: tokens", "user:ana has used 80 % of the tokens of 2026-09-21: 8 of 10."
    )  # fmt: skip


async def test_apprise_does_not_reach_it() -> None:
    async with Hook([500]).listening() as hook:
        with pytest.raises(NotDelivered):
            await Apprise(hook.url.replace("http://", "json://"), "en").send(ALERT)
    with pytest.raises(MisconfiguredError, match="address 1"):
        await Apprise("nowhere:canary", "en").send(ALERT)


async def test_who_was_reached_hears_once_though_another_was_not(hook: Hook, store: Store) -> None:
    table = AlertsTable(apprise=("json://127.0.0.1:9/", hook.url.replace("http://", "json://")))
    post = Post(store, messengers(config.Settings(), table), waits=Backoff(base=0.0, longest=0.0))
    post.open()
    await store.alerts.put([replace(ALERT, at=now(), owed=post.names, next_at=NOON)])
    for _ in range(3):
        await post.idle()
    await post.close()
    assert len(hook.calls) == 1


async def test_an_address_that_hangs_keeps_nothing_else_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    let_go = threading.Event()
    monkeypatch.setattr("prosa.adapters.alerts.apprise._notify", lambda *_: let_go.wait(20))
    sender = Apprise("json://127.0.0.1:9/", "en")
    going = [asyncio.create_task(sender.send(ALERT)) for _ in range(40)]
    try:
        async with asyncio.timeout(5):
            assert await asyncio.to_thread(lambda: 1)
    finally:
        let_go.set()
        await asyncio.gather(*going)
        await sender.close()


async def test_the_command_sends_one(
    hook: Hook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MisconfiguredError, match="nobody to tell"):
        await command._send()
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    config.FILE.write_text(
        f'[alerts]\nwebhook = "{hook.url}"\nsecret = {{env = "HOOK_SECRET"}}\napprise = ["json://127.0.0.1:9/"]\n'
    )
    assert not await command._send()
    said = capsys.readouterr()
    assert said.out == "webhook: delivered.\n"
    assert said.err.startswith("apprise-1: The alert was not delivered")
    ((headers, body),) = hook.calls
    assert signed(headers, body)
    assert hook.told[0]["message"] == "This is a test: alerts of Prosa arrive here."
