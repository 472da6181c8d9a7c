"""The sweep of what is kept long enough: in small pieces, each in its owner's name."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence

from prosa.domain.principal import RESERVED, Principal
from prosa.domain.retention import KINDS, Kind, Old, Retention, Swept
from prosa.domain.time import DAY, Instant, now
from prosa.kit.log import log
from prosa.ports.retention import FIRST
from prosa.ports.store import Store
from prosa.services.files.files import Files

DUTY = "retention"
HELD = DAY // 24
"""One node sweeps in each hour."""
COUNTERS = 40 * DAY
"""How long after the end of a month its counters are kept."""

SWEEPER = Principal(RESERVED + "retention")
"""Who sweeps the audit log, as it says itself."""

Drop = Callable[[Principal, Sequence[Old], Instant], Awaitable[int]]


class Sweeper:
    """May be broken off anywhere: the next sweep finds the rest."""

    def __init__(self, store: Store, files: Files, policy: Retention, boot: str) -> None:
        self._store = store
        self._files = files
        self._policy = policy
        self._boot = boot
        self._wiped = self._audited = Instant(0)
        self._drops: dict[Kind, Drop] = {
            "messages": self._drop_conversations,
            "files": self._drop_files,
            "journal": self._drop_journal,
            "cache": self._drop_answers,
        }

    async def sweep(self, moment: Instant | None = None) -> Swept | None:
        """What went; None where another node sees to it. Raises StoreUnavailable, FilesUnavailable."""
        clock = now()
        if not await self._store.ages.take(DUTY, self._boot, clock, Instant(clock + HELD)):
            return None
        moment = clock if moment is None else moment
        await self._store.ages.settle(Instant(moment - COUNTERS), moment)
        gone: dict[str, int] = {}
        for kind in KINDS:
            if number := await self._sweep(kind, moment):
                gone[kind] = number
        if expired := await self._expired(moment):
            gone["cache"] = gone.get("cache", 0) + expired
        if links := await self._sweep_audit(moment):
            gone["audit"] = links
        if gone.get("messages") and moment > self._wiped + DAY:
            await self._store.wipe()
            self._wiped = moment
        if gone:
            log.info("retention_swept", gone=gone)
        return gone

    async def _sweep(self, kind: Kind, moment: Instant) -> int:
        latest = self._policy.latest(kind, moment)
        if latest is None:
            return 0
        after, gone = FIRST, 0
        while found := await self._store.ages.old(kind, latest, after):
            after = found[-1].id
            for (user_id, client_id), old in _by_owner(found).items():
                before = self._policy.limit(kind, client_id, moment)
                too_old = [] if before is None else [each for each in old if each.at < before]
                if before is not None and too_old:
                    gone += await self._drops[kind](Principal(user_id, client_id), too_old, before)
        return gone

    async def _expired(self, moment: Instant) -> int:
        """Answers that are given no more, of those who did not come again."""
        after, gone = FIRST, 0
        while found := await self._store.ages.expired(moment, after):
            after = found[-1].id
            for owner, old in _by_owner(found).items():
                gone += await self._drop_answers(Principal(*owner), old, moment)
        return gone

    async def _sweep_audit(self, moment: Instant) -> int:
        """Only where the whole log holds: what was tampered with stays as it is, to be looked at. A log that
        holds is walked along once a day."""
        before = self._policy.audited(moment)
        if before is None or before <= self._audited:
            return 0
        log_of_deeds = self._store.operator(SWEEPER).audit
        finding = await log_of_deeds.verify()
        if not finding.intact:
            log.error("audit_not_swept", broken_at=finding.broken_at)
            return 0
        await log_of_deeds.sweep(SWEEPER, before, moment)
        links = 0
        while gone := await log_of_deeds.drop():
            links += gone
        self._audited = before
        return links

    async def _drop_conversations(self, owner: Principal, old: Sequence[Old], before: Instant) -> int:
        records, gone = self._store.of(owner), 0
        for each in old:
            if not await records.remains.expire(each.id, before):
                continue  # something happened in it just now
            async with self._files.deleting(owner, each.id):
                while await records.remains.drop(each.id):
                    pass
            gone += 1
        return gone

    async def _drop_files(self, owner: Principal, old: Sequence[Old], before: Instant) -> int:
        del before
        ids = [each.id for each in old]
        await self._files.remove(ids)
        await self._store.of(owner).remains.drop_files(ids)
        return len(ids)

    async def _drop_journal(self, owner: Principal, old: Sequence[Old], before: Instant) -> int:
        del before
        return await self._store.of(owner).remains.drop_journal([each.id for each in old])

    async def _drop_answers(self, owner: Principal, old: Sequence[Old], before: Instant) -> int:
        del before
        await self._store.of(owner).remains.drop_answers([each.id for each in old])
        return len(old)


def _by_owner(found: Sequence[Old]) -> dict[tuple[str, str], list[Old]]:
    owners: dict[tuple[str, str], list[Old]] = defaultdict(list)
    for each in found:
        owners[each.user_id, each.client_id].append(each)
    return owners
