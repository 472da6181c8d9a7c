"""Alerts as signed JSON to an address of the operator's."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Callable

import aiohttp
import msgspec

from prosa.domain.alerts import Alert, NotDelivered
from prosa.domain.time import to_iso

PATIENCE = 10.0
"""Seconds for all of it."""
MOST = 1_024
"""Bytes of the answer that are read: only its status counts."""
ACCEPTED = range(200, 300)


class Webhook:
    """POSTs `{"id", "kind", "subject", "level", "at", "message", "details"}`. `X-Prosa-Signature` is `v1=`
    and the HMAC-SHA256 by `secret` over `X-Prosa-Timestamp` (seconds since 1970), a dot and the body. It may
    be anywhere, at home, too, and redirects are not followed. An alert may come twice: its `id` says so."""

    name = "webhook"

    def __init__(
        self, url: str, secret: str, language: str, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._url = url
        self._secret = secret.encode()
        self._language = language
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None

    async def send(self, alert: Alert) -> None:
        body = body_of(alert, self._language)
        moment = str(int(self._clock()))
        headers = {
            "content-type": "application/json",
            "user-agent": "prosa",
            "x-prosa-timestamp": moment,
            "x-prosa-signature": f"v1={signature(self._secret, moment, body)}",
        }
        try:
            async with (
                asyncio.timeout(PATIENCE),
                self._live().post(self._url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                await answer.content.read(MOST)
                status = answer.status
        except TimeoutError:
            raise NotDelivered(f"no answer within {PATIENCE:g} seconds.") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # What it says holds the address, and that may hold a secret.
            raise NotDelivered(f"{type(error).__name__}.") from None
        if status not in ACCEPTED:
            raise NotDelivered(f"status {status}.")

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _live(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                trust_env=False, auto_decompress=False, connector=aiohttp.TCPConnector(force_close=True)
            )
        return self._session


def body_of(alert: Alert, language: str) -> bytes:
    told = {
        "id": alert.id,
        "kind": str(alert.kind),
        "subject": alert.subject,
        "level": alert.level,
        "at": to_iso(alert.at),
        "message": alert.sentence(language),
        "details": alert.details,
    }
    return msgspec.json.encode(told)


def signature(secret: bytes, moment: str, body: bytes) -> str:
    """In hex."""
    return hmac.new(secret, moment.encode() + b"." + body, hashlib.sha256).hexdigest()
