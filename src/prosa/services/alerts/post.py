"""Delivers alerts until they have arrived, from their rows: on any node, and after a restart, too."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from prosa.domain.alerts import Alert
from prosa.domain.errors import ProsaError, StoreUnavailable
from prosa.domain.time import SECOND, Instant, now
from prosa.kit.backoff import Backoff
from prosa.kit.log import log
from prosa.ports.alerts import Messenger
from prosa.ports.store import Store

LEASE = 90.0
"""Seconds that a node has to deliver what it took on; after that another tries."""

LOOK = 15.0
"""Seconds between two looks for what others have left."""

PIECE = 20
"""Alerts that are taken on at once."""

PATIENCE = 86_400.0
"""Seconds after which nobody is tried any more."""

WAITS = Backoff(base=5.0, longest=3_600.0)


class Post:
    def __init__(
        self,
        store: Store,
        messengers: Sequence[Messenger],
        *,
        waits: Backoff = WAITS,
        look: float = LOOK,
    ) -> None:
        self._store = store
        self._messengers: Mapping[str, Messenger] = {each.name: each for each in messengers}
        self._waits = waits
        self._look = look
        self._more = asyncio.Event()
        self._rested = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Who is to be told."""
        return tuple(self._messengers)

    def open(self) -> None:
        if self._messengers:
            self._task = asyncio.get_running_loop().create_task(self._deliver(), name="prosa-alerts")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for messenger in self._messengers.values():
            await messenger.close()

    async def idle(self) -> None:
        """Waits for the end of the round that goes on, and of one more."""
        for _ in range(2):
            self._more.set()
            self._rested.clear()
            await self._rested.wait()

    def wake(self) -> None:
        """There is something to deliver."""
        self._more.set()

    async def _deliver(self) -> None:
        while True:
            wait = self._look
            try:
                wait = await self._round()
            except StoreUnavailable:
                log.warning("alerts_waiting")
            except Exception:  # noqa: BLE001 - a task's edge: the next round tries again
                log.exception("alerts_failing")
            self._rested.set()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._more.wait()
            self._more.clear()

    async def _round(self) -> float:
        """Delivers what is due; how long to wait for the next round."""
        moment = now()
        taken = await self._store.alerts.due(moment, _after(moment, LEASE), PIECE)
        settled = await asyncio.gather(*map(self._settle, taken))
        if len(taken) == PIECE:
            return 0.0
        nexts = [alert.next_at - now() for alert in settled if alert.next_at is not None]
        return max(0.0, min([self._look, *(each / SECOND for each in nexts)]))

    async def _settle(self, alert: Alert) -> Alert:
        known = [name for name in alert.owed if name in self._messengers]
        arrived = await asyncio.gather(*(self._send(name, alert) for name in known))
        failed = [name for name, there in zip(known, arrived, strict=True) if not there]
        moment = now()
        if not failed:
            settled = replace(alert, owed=(), next_at=None, delivered_at=moment if known else None)
        elif moment - alert.at > PATIENCE * SECOND:
            log.error("alert_given_up", alert=alert.id, kind=str(alert.kind), attempts=alert.attempts)
            settled = replace(alert, owed=tuple(failed), next_at=None)
        else:
            wait = self._waits.before(alert.attempts)
            settled = replace(alert, owed=tuple(failed), next_at=_after(moment, wait))
        await self._store.alerts.settle(settled)
        return settled

    async def _send(self, name: str, alert: Alert) -> bool:
        try:
            await self._messengers[name].send(alert)
        except ProsaError as error:
            log.warning("alert_not_delivered", alert=alert.id, to=name, reason=str(error))
            return False
        except Exception:  # noqa: BLE001 - a library's edge: whatever it is, the alert is tried again
            log.exception("alert_broke", alert=alert.id, to=name)
            return False
        return True


def _after(moment: Instant, seconds: float) -> Instant:
    return Instant(moment + round(seconds * SECOND))
