"""The journal writer: all runs in one commit, soon, and nothing lost where the store fails."""

import asyncio
from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs
from tests.stores import ending
from tests.unit.services.runs.test_live import run

from prosa.domain.ending import Append, Ending
from prosa.domain.errors import StoreUnavailable
from prosa.services.runs import journal as module
from prosa.services.runs.journal import DELAY, TAIL, Journal
from prosa.services.runs.live import Live


class Records:
    """Takes commits as the store would, in memory; fails as often as it is told to."""

    def __init__(self) -> None:
        self.commits: list[tuple[float, list[Append], list[Ending]]] = []
        self.failures: list[Exception] = []
        self.fenced: set[str] = set()
        self.poisoned: set[str] = set()
        self.gate = asyncio.Event()
        self.gate.set()
        self.began = asyncio.Event()

    async def commit(
        self, boot: str, appends: Sequence[Append], endings: Sequence[Ending], _boundaries: object = ()
    ) -> set[str]:
        self.began.set()
        await self.gate.wait()
        if self.failures:
            raise self.failures.pop()
        if self.poisoned & {each.run_id for each in (*appends, *endings)}:
            raise ValueError("the store can't take this")
        self.commits.append((asyncio.get_running_loop().time(), list(appends), list(endings)))
        return {each.run_id for each in endings} - self.fenced

    def lines(self, live: Live) -> list[bytes]:
        """What was put down of a run, proved to be without a gap or a repeat."""
        found: list[bytes] = []
        for _, appends, _ in self.commits:
            for each in appends:
                if each.run_id == live.run.id:
                    assert each.first_seq == len(found) + 1
                    found += each.data.split(b"\n")
                    assert each.last_seq == len(found)
        return found


@pytest.fixture
def records() -> Records:
    return Records()


@pytest.fixture
def journal(records: Records) -> Journal:
    return Journal(records, "boot")  # type: ignore[arg-type]


async def failing(journal: Journal) -> None:
    """Until the journal has noticed that the store does not take its commits."""
    async with asyncio.timeout(5):
        while not journal.failing:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0)


async def test_many_runs_share_a_commit(records: Records, journal: Journal) -> None:
    lives = [Live(run()) for _ in range(50)]
    for _ in range(5):
        for live in lives:
            live.write("w ")
            journal.note(live)
        await asyncio.sleep(0)
    await journal.flush()
    assert len(records.commits) == 1
    assert all(records.lines(live) == live.lines for live in lives)
    assert all(len(appends) == 50 for _, appends, _ in records.commits)


async def test_nothing_waits_longer_than_the_delay(records: Records, journal: Journal) -> None:
    live = Live(run())
    loop = asyncio.get_running_loop()
    written: list[float] = []
    for place in range(20):
        live.write(f"w{place} ")
        written.append(loop.time())
        journal.note(live)
        await asyncio.sleep(0.02)
    await journal.flush()
    seqs = [
        (moment, each.first_seq, each.last_seq) for moment, appends, _ in records.commits for each in appends
    ]
    assert 3 <= len(seqs) <= 8
    for moment, first, last in seqs:
        assert all(moment - written[seq - 1] < DELAY + 0.1 for seq in range(first, last + 1))


@pytest.mark.timeout(20)
async def test_a_flush_that_comes_as_a_commit_ends_gives_way_to_its_end(
    records: Records, journal: Journal
) -> None:
    live = Live(run())
    live.write("w ")
    journal.note(live)
    journal._begin()
    await asyncio.create_task(journal.flush())  # begins once the commit is over, and before it is known to be
    assert records.lines(live) == live.lines


async def test_an_end_is_put_down_at_once_and_with_the_rest(records: Records, journal: Journal) -> None:
    lives = [Live(run()) for _ in range(10)]
    for live in lives:
        live.write("w ")
        journal.note(live)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    ours = await asyncio.gather(*(journal.end(live, ending(live.run), b'{"last"}') for live in lives))
    assert ours == [True] * 10
    assert loop.time() - begun < DELAY / 2
    assert len(records.commits) == 1
    assert all(records.lines(live) == [*live.lines, b'{"last"}'] for live in lives)


async def test_who_was_fenced_is_told(records: Records, journal: Journal) -> None:
    live = Live(run())
    records.fenced.add(live.run.id)
    assert await journal.end(live, ending(live.run), b"{}") is False


@pytest.mark.hostile(59)
@pytest.mark.parametrize("failure", [StoreUnavailable, lambda: ValueError("a fault of ours")])
async def test_a_failing_store_is_tried_again_and_nothing_is_lost(
    records: Records, journal: Journal, monkeypatch: pytest.MonkeyPatch, failure: type[Exception]
) -> None:
    monkeypatch.setattr(module, "AGAIN", 0.001)
    records.failures = [failure() for _ in range(5)]
    one, two = Live(run()), Live(run())
    with capture_logs() as logs:
        one.write("a")
        journal.note(one)
        end = asyncio.ensure_future(journal.end(one, ending(one.run), b'{"last"}'))
        await failing(journal)
        two.write("b")
        journal.note(two)
        assert await end is True
        two.write("c")
        journal.note(two)
        await journal.flush()
    assert records.lines(one) == [*one.lines, b'{"last"}']
    assert records.lines(two) == two.lines
    assert sum(len(ends) for _, _, ends in records.commits) == 1
    assert not journal.failing
    assert [log["event"] for log in logs] == ["journal_failing", "journal_recovered"]


async def test_what_comes_during_a_commit_is_in_the_next(records: Records, journal: Journal) -> None:
    live = Live(run())
    records.gate.clear()
    live.write("a")
    journal.note(live)
    await asyncio.wait_for(records.began.wait(), 5)
    live.write("b")
    journal.note(live)
    end = asyncio.ensure_future(journal.end(live, ending(live.run), b"{}"))
    await asyncio.sleep(0)
    records.gate.set()
    assert await end
    assert records.lines(live) == [*live.lines, b"{}"]
    assert len(records.commits) == 2


async def test_a_run_waits_for_room(records: Records, journal: Journal) -> None:
    live = Live(run())
    records.gate.clear()
    for _ in range(TAIL):
        live.write("w ")
    journal.note(live)
    room = asyncio.ensure_future(journal.room(live))
    await asyncio.wait_for(records.began.wait(), 5)
    await asyncio.sleep(0)
    assert not room.done()
    records.gate.set()
    await asyncio.wait_for(room, 5)
    assert live.committed == TAIL


async def test_a_closed_journal_gives_up(records: Records, journal: Journal) -> None:
    records.failures = [StoreUnavailable() for _ in range(100)]
    live = Live(run())
    live.write("a")
    journal.note(live)
    end = asyncio.ensure_future(journal.end(live, ending(live.run), b"{}"))
    await failing(journal)
    end.cancel()
    journal.close()
    for _ in range(3):
        await asyncio.sleep(0)
    assert journal._task is journal._timer is None
    assert records.commits == []


async def test_a_run_that_can_not_be_stored_holds_up_no_other(
    journal: Journal, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AGAIN", 0.01)
    bad, *good = [Live(run()) for _ in range(5)]
    records.poisoned = {bad.run.id}
    for live in (bad, *good):
        live.write("text")
        journal.note(live)
    with capture_logs() as logs:
        ends = [journal.end(live, ending(live.run), b'{"type":"done"}') for live in (bad, *good)]
        stored = await asyncio.wait_for(asyncio.gather(*ends), 5)
    assert stored == [False, True, True, True, True]
    assert all(len(records.lines(live)) == 2 for live in good)
    assert bad.stopping == "lost"
    assert not journal.failing
    assert [log["event"] for log in logs] == ["journal_failing", "run_not_storable", "journal_recovered"]
