"""The audit log's retention on both databases: the oldest rows go, and that nothing else went can be shown."""

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.contract.conftest import Place
from tests.contract.test_store_operators import tamper
from tests.contract.test_store_retention import Home
from tests.stores import NOON, Ears

from prosa.adapters.store.repositories.audit import PIECE, AuditLog
from prosa.domain.audit import Deed, Finding, Head, Wanted, deed
from prosa.domain.errors import InvalidRequest
from prosa.domain.principal import Principal
from prosa.domain.retention import Retention
from prosa.domain.time import DAY, SECOND, Instant
from prosa.ports.store import Store

ROOT = Principal("root")
KEPT = Retention(audit=30)


async def put(store: Store, number: int, at: Instant) -> Head:
    """So many deeds of then; the head behind them."""
    log = store.operator(ROOT).audit
    for _ in range(number):
        link = await log.add(deed(ROOT, "done", "run:1", {}), at)
    return Head(link.id, link.hash)


async def ids(log: AuditLog) -> list[int]:
    return [link.id for link in reversed(await log.page(Wanted(), 1_000, None))]


@pytest.fixture
def home(store: Store, tmp_path: Path) -> Home:
    return Home(store, tmp_path)


async def test_the_oldest_rows_go_and_the_rest_is_shown_to_be_whole(home: Home) -> None:
    log = home.store.operator(ROOT).audit
    old = await put(home.store, PIECE + 5, Instant(NOON - 40 * DAY))
    young = await put(home.store, 3, NOON)
    assert await home.sweeper(KEPT).sweep(NOON) == {"audit": PIECE + 5}
    assert await ids(log) == list(range(PIECE + 6, PIECE + 10))
    [told] = await log.page(Wanted(action="audit.sweep"), 9, None)
    assert told.deed == Deed("prosa:retention", "", "audit.sweep", "", {"rows": old.rows, "hash": old.hash})
    found = await log.verify()
    assert (found.intact, found.rows, found.swept) == (True, PIECE + 9, PIECE + 5)
    for known in (old, young):
        assert (await log.verify(known)).intact
    for strange in (Head(old.rows, "0" * 64), Head(young.rows, old.hash)):
        assert not (await log.verify(strange)).intact
    with pytest.raises(InvalidRequest, match="were swept"):
        await log.verify(Head(old.rows - 1, "0" * 64))


async def test_a_day_is_swept_once(home: Home) -> None:
    log = home.store.operator(ROOT).audit
    for day in range(4):
        await put(home.store, 2, Instant(NOON + day * DAY))
    assert await home.sweeper(KEPT).sweep(Instant(NOON + 31 * DAY)) == {"audit": 2}
    assert await home.sweeper(KEPT).sweep(Instant(NOON + 31 * DAY + DAY // 24)) == {}
    assert await home.sweeper(KEPT).sweep(Instant(NOON + 33 * DAY)) == {"audit": 4}
    assert (await log.verify()).swept == 6
    assert await home.sweeper(KEPT).sweep(Instant(NOON + 400 * DAY)) == {"audit": 4}  # and who swept before
    assert (await log.verify()).intact
    assert await ids(log) == [11]


async def test_no_row_goes_before_its_day_where_clocks_differ(home: Home) -> None:
    """Several servers write one log, and their clocks are never quite the same."""
    before = KEPT.audited(NOON)
    assert before is not None
    for seconds in (-1, 2, 1):
        await put(home.store, 1, Instant(before + seconds * SECOND))
    assert await home.sweeper(KEPT).sweep(NOON) == {"audit": 1}
    assert await ids(home.store.operator(ROOT).audit) == [2, 3, 4]


async def test_the_whole_log_is_walked_once_a_day(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    walks = 0

    class Counted(AuditLog):
        async def verify(self, known: Head | None = None) -> Finding:
            nonlocal walks
            walks += 1
            return await super().verify(known)

    monkeypatch.setattr("prosa.adapters.store.operator.AuditLog", Counted)
    await put(home.store, 2, Instant(NOON - 40 * DAY))
    sweeper, counts = home.sweeper(KEPT), []
    for hours in (0, 1, 23, 24, 25):
        await sweeper.sweep(Instant(NOON - NOON % DAY + hours * DAY // 24))
        counts.append(walks)
    assert counts == [1, 1, 1, 2, 2]


async def test_what_is_said_of_nothing_goes_nowhere(home: Home) -> None:
    await put(home.store, 2, Instant(NOON - 400 * DAY))
    for policy in (Retention(messages=1), Retention(audit="forever"), Retention(audit=401)):
        assert await home.sweeper(policy).sweep(NOON) == {}
    assert await ids(home.store.operator(ROOT).audit) == [1, 2]


async def test_a_sweep_that_was_killed_is_gone_on_with(home: Home) -> None:
    log = home.store.operator(ROOT).audit
    await put(home.store, 3, Instant(NOON - 40 * DAY))
    assert await log.sweep(ROOT, NOON, NOON)
    assert (await log.verify()).intact
    assert not await log.sweep(ROOT, NOON, NOON)
    assert await home.sweeper(KEPT).sweep(NOON) == {"audit": 3}
    assert (await log.verify()).intact


async def test_a_walk_during_a_sweep(home: Home) -> None:
    log = home.store.operator(ROOT).audit
    await put(home.store, PIECE * 2, Instant(NOON - 40 * DAY))
    walks = [asyncio.create_task(log.verify()) for _ in range(3)]
    await asyncio.gather(log.sweep(ROOT, NOON, NOON), log.drop(), log.drop(), *walks)
    assert all(walk.result().intact for walk in walks)
    assert (await log.verify()).intact


@pytest.mark.parametrize(
    "sql",
    [
        # Taken out from the beginning, and said to be swept by nobody but who did it.
        """UPDATE audit_head SET swept = 3, swept_hash = (SELECT hash FROM audit_log WHERE id = 3);
        DELETE FROM audit_log WHERE id <= 3""",
        "UPDATE audit_head SET swept = 3; DELETE FROM audit_log WHERE id <= 3",
        "UPDATE audit_head SET swept = 0, swept_hash = ''",
        "UPDATE audit_head SET swept_hash = 'x'",
        "DELETE FROM audit_log WHERE id = 3",
    ],
    ids=["truncated", "badly truncated", "never swept", "another hash", "taken out"],
)
async def test_only_what_the_chain_says_was_swept_may_be_missing(
    place: Place, sql: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    store = place()
    await store.open(Ears())
    try:
        log, home = store.operator(ROOT).audit, Home(store, tmp_path)
        await put(store, 2, Instant(NOON - 40 * DAY))
        await put(store, 4, NOON)
        assert await home.sweeper(KEPT).sweep(NOON) == {"audit": 2}
        before = await log.verify()
        await tamper(request, tmp_path, sql)
        found = await log.verify()
        assert (before.intact, found.intact) == (True, False)
        left = await ids(log)
        with capture_logs() as logs:  # and what was tampered with is not swept away
            assert await home.sweeper(KEPT).sweep(Instant(NOON + 400 * DAY)) == {}
        assert "audit_not_swept" in [line["event"] for line in logs]
        assert await ids(log) == left
    finally:
        await store.close()
