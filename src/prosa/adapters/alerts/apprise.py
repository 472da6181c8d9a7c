"""Alerts to whatever apprise reaches: mail, chats, telephones."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from prosa.domain.alerts import Alert, NotDelivered
from prosa.domain.errors import MisconfiguredError

PATIENCE = 30.0
"""Seconds for one alert, those before it among them."""


class Apprise:
    """`url` is one of apprise's (`mailto://…`, `slack://…`), the one at `place` in the settings: each is told
    by itself, so that none hears again of what another did not take. The library is loaded with the first
    alert, and works in a thread of its own: one that hangs keeps nothing else waiting."""

    def __init__(self, url: str, language: str, place: int = 1) -> None:
        self.name = f"apprise-{place}"
        self._url = url
        self._language = language
        self._place = place
        self._thread = ThreadPoolExecutor(1, self.name)

    async def send(self, alert: Alert) -> None:
        title, text = f"Prosa: {alert.kind}", alert.sentence(self._language)
        work = asyncio.get_running_loop().run_in_executor(
            self._thread, _notify, self._url, self._place, title, text
        )
        try:
            async with asyncio.timeout(PATIENCE):
                reached = await work
        except TimeoutError:
            raise NotDelivered(f"no answer within {PATIENCE:g} seconds.") from None
        except ImportError:
            raise NotDelivered("apprise is not installed.") from None
        if not reached:
            raise NotDelivered("apprise did not reach the address.")

    async def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)


def _notify(url: str, place: int, title: str, text: str) -> bool:
    """Raises MisconfiguredError for an address that apprise does not know."""
    import apprise

    asset = apprise.AppriseAsset(app_id="Prosa", secure_logging=True)
    reached = apprise.Apprise(asset=asset)
    if not reached.add(url):
        raise MisconfiguredError(f"prosa.toml, [alerts]: apprise does not know address {place}.")
    return bool(reached.notify(title=title, body=text))
