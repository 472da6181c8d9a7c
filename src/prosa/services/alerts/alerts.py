"""What operators are told of by themselves: noted beside the runs, in batches, and put down once."""

import asyncio
import time
from collections.abc import Callable, Sequence

from prosa.domain.alerts import Alert, Kind, Rules, Subject, Trouble
from prosa.domain.audit import deed
from prosa.domain.calendar import Calendar
from prosa.domain.errors import InvalidRequest, LimitReached, StoreUnavailable, TokenLimitReached
from prosa.domain.ids import new_id, parse_id
from prosa.domain.limits import Cap, Limits, Scope
from prosa.domain.principal import Principal
from prosa.domain.runs import RunStatus
from prosa.domain.time import SECOND, Instant, now
from prosa.kit.log import log
from prosa.kit.pages import from_cursor, to_cursor
from prosa.ports.alerts import Messenger
from prosa.ports.store import Store
from prosa.services.alerts.levels import Reached, reached, subjects_of
from prosa.services.alerts.post import Post
from prosa.services.alerts.rates import Answer, Finding, Rates
from prosa.services.runs.engine import Ended

BATCH = 1.0
"""Seconds in which what happens is gathered."""

AGAIN = 5.0
"""Seconds until the store is tried again where it could not be used."""

MOST = 10_000
"""Of each kind of thing that waits to be looked at: what is more is not looked at."""

KNOWN = 100_000
"""Levels that this process remembers to have told: the store knows them all."""


class Alerts:
    """`after` is told of each run that has ended, `used` of what else was entered into the ledger, `refused`
    of what limits did not allow, `troubled` of keys and models that fail. `limits` says those of a caller."""

    def __init__(
        self,
        store: Store,
        rules: Rules,
        messengers: Sequence[Messenger],
        limits: Callable[[Principal], Limits],
        calendar: Calendar,
    ) -> None:
        self._store = store
        self._rules = rules
        self._limits = limits
        self._calendar = calendar
        self._rates = Rates(rules)
        self._post = Post(store, messengers)
        self._answers: list[Answer] = []
        self._troubles: list[Trouble] = []
        self._left: list[Finding] = []
        self._caps: dict[Subject, Cap] = {}
        self._full: set[tuple[Kind, Subject]] = set()
        self._known: set[tuple[str, ...]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def open(self) -> None:
        self._post.open()

    async def close(self) -> None:
        """What was noted in the last second is looked at first."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._begin()
        task = self._task
        if task is not None:
            await asyncio.wait([task], timeout=BATCH)
            task.cancel()
        await self._post.close()

    def after(self, ended: Ended) -> None:
        """Notes how a run ended."""
        ending = ended.ending
        if self._rates.on and ending.cached_at is None and len(self._answers) < MOST:
            failed = ending.error_code if ending.status is RunStatus.FAILED else None
            first = ending.first_token_at
            waited = None if first is None else (first - ended.run.created_at) / SECOND
            self._answers.append(
                Answer(f"{ending.provider}/{ending.model}", time.monotonic(), failed, waited)
            )
            self._soon()
        self.used(ended.principal)
        if ending.reason == "limit":
            for kind in (Kind.TOKENS, Kind.COST):
                self._full |= {(kind, subject) for subject in self._subjects(ended.principal)}

    def used(self, principal: Principal) -> None:
        """Notes that his ledger has something new."""
        found = self._subjects(principal)
        if found and self._rules.levels and len(self._caps) < MOST:
            self._caps |= found
            self._soon()

    def refused(self, principal: Principal, error: LimitReached) -> None:
        """Notes that he may not go on."""
        self.used(principal)
        kind = Kind.TOKENS if isinstance(error, TokenLimitReached) else Kind.COST
        scope = error.details.get("scope", Scope.USER)
        self._full |= {(kind, subject) for subject in self._subjects(principal) if subject[0] == scope}

    def troubled(self, trouble: Trouble) -> None:
        """Notes that a key was set aside, or that a model is left alone."""
        if len(self._troubles) < MOST:
            self._troubles.append(trouble)
        self._soon()

    async def page(self, by: Principal, limit: int, cursor: str | None) -> tuple[list[Alert], str | None]:
        """At most `limit`, newest first, and the next page's cursor; that they were read is put down. Raises
        InvalidRequest."""
        before = _place(cursor)
        if before is None:
            await self._store.operator(by).audit.add(deed(by, "admin.alerts.read", "", {}), now())
        found = await self._store.alerts.page(limit + 1, before)
        return found[:limit], to_cursor(found[limit - 1].id) if len(found) > limit else None

    def _subjects(self, principal: Principal) -> dict[Subject, Cap]:
        limits = self._limits(principal)
        return subjects_of(principal.user_id, limits) if limits else {}

    def _soon(self) -> None:
        if self._timer is None and self._task is None and not self._closed:
            self._timer = asyncio.get_running_loop().call_later(BATCH, self._begin)

    def _begin(self) -> None:
        self._timer = None
        self._task = asyncio.get_running_loop().create_task(self._look(), name="prosa-alerts")
        self._task.add_done_callback(self._done)

    def _done(self, _: asyncio.Task[None]) -> None:
        self._task = None
        if self._answers or self._troubles or self._caps or self._left:
            self._soon()

    async def _look(self) -> None:
        answers, self._answers = self._answers, []
        troubles, self._troubles = self._troubles, []
        caps, self._caps = self._caps, {}
        full, self._full = self._full, set()
        findings = [*self._left, *self._rates.seen(answers), *map(_of_trouble, troubles)]
        self._left = []
        try:
            put = await self._put(findings)
            findings = []
            put += await self._put_levels(caps, full)
        except StoreUnavailable:
            log.warning("alerts_waiting")
            self._left = findings[:MOST]
            self._caps = caps | self._caps
            self._full |= full
            await asyncio.sleep(AGAIN)
        except Exception:  # noqa: BLE001 - a task's edge: the next batch is looked at all the same
            log.exception("alerts_broke")
        else:
            if put:
                self._post.wake()

    async def _put(self, findings: Sequence[Finding]) -> list[Alert]:
        """Those of rates, keys and models: not again before they have cooled down, on whichever node."""
        if not findings:
            return []
        moment, cooldown = now(), round(self._rules.cooldown * SECOND)
        period = str(moment // max(cooldown, 1))
        alerts = [
            self._alert(each.kind, each.model, period, each.level, each.details, moment) for each in findings
        ]
        return await self._store.alerts.put(alerts, Instant(moment - cooldown))

    async def _put_levels(self, caps: dict[Subject, Cap], full: set[tuple[Kind, Subject]]) -> list[Alert]:
        if not caps:
            return []
        moment = now()
        spent = await self._store.alerts.spent(list(caps), self._calendar, moment)
        found = reached(caps, spent, full, self._rules.levels, self._calendar, moment)
        fresh = [each for each in found if _key(each) not in self._known]
        if not fresh:
            return []
        alerts = [
            self._alert(each.kind, each.subject, each.period, each.level, each.details, moment)
            for each in fresh
        ]
        put = await self._store.alerts.put(alerts)
        if len(self._known) > KNOWN:
            self._known.clear()
        self._known |= set(map(_key, fresh))
        return put

    def _alert(
        self, kind: Kind, subject: str, period: str, level: int, details: dict[str, str], at: Instant
    ) -> Alert:
        owed = self._post.names
        return Alert(new_id(), kind, subject, period, level, details, at, owed, next_at=at if owed else None)


def _key(each: Reached) -> tuple[str, ...]:
    return (each.kind, each.subject, each.period, str(each.level))


def _of_trouble(trouble: Trouble) -> Finding:
    if trouble.model is not None:
        return Finding(Kind.MODEL, f"{trouble.provider}/{trouble.model}", 0, {"code": trouble.code})
    told = {"code": trouble.code, "key": trouble.key or "-"}
    return Finding(Kind.KEY, f"{trouble.provider}:{trouble.key or ''}", 0, told)


def _place(cursor: str | None) -> str | None:
    if cursor is None:
        return None
    match from_cursor(cursor):
        case [str(identity)] if parse_id(identity) == identity:
            return identity
    raise InvalidRequest("cursor must be the nextCursor of an earlier answer.")
