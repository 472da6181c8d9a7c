"""Alerts to whatever apprise reaches: mail, chats, telephones."""

import asyncio
from collections.abc import Sequence

from prosa.domain.alerts import Alert, NotDelivered
from prosa.domain.errors import MisconfiguredError

PATIENCE = 30.0
"""Seconds for all addresses together."""


class Apprise:
    """`urls` are apprise's (`mailto://…`, `slack://…`). The library is loaded with the first alert, and works
    in a thread."""

    name = "apprise"

    def __init__(self, urls: Sequence[str], language: str) -> None:
        self._urls = tuple(urls)
        self._language = language

    async def send(self, alert: Alert) -> None:
        title, text = f"Prosa: {alert.kind}", alert.sentence(self._language)
        try:
            async with asyncio.timeout(PATIENCE):
                reached = await asyncio.to_thread(_notify, self._urls, title, text)
        except TimeoutError:
            raise NotDelivered(f"no answer within {PATIENCE:g} seconds.") from None
        except ImportError:
            raise NotDelivered("apprise is not installed.") from None
        if not reached:
            raise NotDelivered("apprise did not reach all of its addresses.")

    async def close(self) -> None:
        """There is nothing to close."""


def _notify(urls: Sequence[str], title: str, text: str) -> bool:
    """Raises MisconfiguredError for an address that apprise does not know."""
    import apprise

    asset = apprise.AppriseAsset(app_id="Prosa", secure_logging=True)
    reached = apprise.Apprise(asset=asset)
    for place, url in enumerate(urls, 1):
        if not reached.add(url):
            raise MisconfiguredError(f"prosa.toml, [alerts]: apprise does not know address {place}.")
    return bool(reached.notify(title=title, body=text))
