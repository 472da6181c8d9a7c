"""What happens while a boundary is being put down, and what a broken round leaves."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.stores import ANA, sqlite_store
from tests.unit.services.house import House, end_of, events_of, soon, text_of
from tests.unit.services.runs.weather import (
    CLIENT,
    LISBON,
    SPOKEN,
    Weather,
    calling,
    of,
    paused,
    rounds,
)

from prosa.domain.content import ToolResult, ToolStatus
from prosa.domain.errors import ProviderUnreachable
from prosa.domain.events import RequiresAction, Reset, ToolReturned, decode
from prosa.domain.limits import Limits
from prosa.domain.models import (
    Asked,
    RefusalDelta,
    ToolCallStart,
    Usage,
    UsageReport,
)
from prosa.domain.models import Reset as Anew
from prosa.domain.runs import RunStatus
from prosa.domain.steps import ENDS, StepStatus, Verdict
from prosa.ports.store import Store
from prosa.services.tools.registry import Toolbox

ASKS = calling(("c1", "ask_user", '{"q": "Which?"}'))
BLUE = Verdict("c1", "output", StepStatus.COMPLETED, "blue")


class Gated:
    """A store in which no boundary is put down before `gate` is open."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.gate = asyncio.Event()
        self.arrived = asyncio.Event()
        self.engine = GatedEngine(self)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


class GatedEngine:
    def __init__(self, gated: Gated) -> None:
        self._gated = gated

    def __getattr__(self, name: str) -> Any:
        return getattr(self._gated.store.engine, name)

    async def commit(self, boot: str, appends: Any, endings: Any, boundaries: Any = ()) -> Any:
        if boundaries:
            self._gated.arrived.set()
            await self._gated.gate.wait()
        return await self._gated.store.engine.commit(boot, appends, endings, boundaries)


@pytest.fixture
async def gated(tmp_path: Path) -> AsyncIterator[Gated]:
    store = Gated(sqlite_store(tmp_path))
    yield store
    store.gate.set()


@pytest.mark.parametrize("again", range(5))
async def test_whoever_is_asked_can_answer_at_once(tmp_path: Path, again: int) -> None:
    async with House(tmp_path, rounds(ASKS, SPOKEN)) as house:
        run, reader, _ = await paused(house, client_tools=CLIENT)
        assert (await house.engine.say(ANA, run.id, [BLUE])).status is RunStatus.IN_PROGRESS
        assert text_of(await soon(events_of(reader))) == "It is sunny."


async def test_nobody_is_asked_before_the_run_waits(tmp_path: Path, gated: Gated) -> None:
    async with House(tmp_path, rounds(ASKS, SPOKEN), store=gated) as house:
        run, reader = await house.send(await house.conversation(), client_tools=CLIENT)
        await soon(gated.arrived.wait())
        assert b"requires_action" not in b"".join(await reader.read())
        gated.gate.set()
        while b"requires_action" not in b"".join(await soon(reader.read())):
            pass
        assert (await house.run(run)).status is RunStatus.REQUIRES_ACTION


async def test_a_stop_while_the_pause_is_put_down(tmp_path: Path, gated: Gated) -> None:
    async with House(tmp_path, rounds(ASKS, SPOKEN), store=gated) as house:
        run, reader = await house.send(await house.conversation(), client_tools=CLIENT)
        await soon(gated.arrived.wait())
        stop = asyncio.create_task(house.engine.stop(ANA, run.id))
        while (await house.run(run)).status is not RunStatus.CANCELLING:  # noqa: ASYNC110
            await asyncio.sleep(0)
        gated.gate.set()
        assert (await soon(stop)).status is RunStatus.CANCELLED
        events = await soon(events_of(reader))
        assert end_of(events).status == "cancelled"
        assert not of(RequiresAction, events)
        assert [step.status for step in await house.store.of(ANA).steps.of(run.id)] == [StepStatus.CANCELLED]
        house.at_rest(1)


async def test_a_stop_from_elsewhere_while_the_pause_is_put_down(tmp_path: Path, gated: Gated) -> None:
    """The run is asked to stop in the store alone: who executes it has not heard of it yet."""
    async with House(tmp_path, rounds(ASKS, SPOKEN), store=gated) as house:
        run, reader = await house.send(await house.conversation(), client_tools=CLIENT)
        await soon(gated.arrived.wait())
        house.engine.heard = lambda *_: None  # type: ignore[method-assign]
        await gated.store.of(ANA).runs.cancel(run.id)
        gated.gate.set()
        assert end_of(await soon(events_of(reader), 2)).status == "cancelled"
        house.at_rest(1)


async def test_a_shutdown_while_the_pause_is_put_down(tmp_path: Path, gated: Gated) -> None:
    limits = Limits(tokens_per_day=100_000)
    script = rounds(ASKS, SPOKEN)
    async with House(tmp_path, script, store=gated, limits=limits) as house:
        run, _ = await house.send(await house.conversation(), client_tools=CLIENT)
        await soon(gated.arrived.wait())
        await house.engine.drain(0)
        gated.gate.set()
        await house.engine.settle()
        stored = await house.run(run)
        assert stored.status is RunStatus.REQUIRES_ACTION, "it waits, whoever is there"
        assert house.count("reservations") == 1, "what it may still spend is still held"
        assert [step.status for step in await house.store.of(ANA).steps.of(run.id)] == [StepStatus.WAITING]
    async with House(tmp_path, script, limits=limits) as house:
        reader = await house.follow(run)
        await house.engine.say(ANA, run.id, [BLUE])
        assert end_of(await soon(events_of(reader))).status == "completed"
        assert house.count("reservations") == 0


async def test_a_shutdown_before_the_tools_are_called(tmp_path: Path, gated: Gated) -> None:
    tool = Weather()
    async with House(tmp_path, rounds(calling(LISBON), SPOKEN), store=gated, tools=Toolbox([tool])) as house:
        run, _ = await house.send(await house.conversation())
        await soon(gated.arrived.wait())
        await house.engine.drain(0)
        gated.gate.set()
        await house.engine.settle()
        assert tool.calls == []
        assert (await house.run(run)).status is RunStatus.INCOMPLETE
        assert {step.status for step in await house.store.of(ANA).steps.of(run.id)} <= ENDS
        assert [part.id for part in (await house.answer(run)).parts] == ["c1"]
        house.at_rest(1)


@pytest.mark.hostile(55)
async def test_what_a_broken_round_has_done_is_known(tmp_path: Path) -> None:
    """One of two calls has ended when the run is stopped: the step, the message and the next turn know it."""
    done, hangs = Weather(), Weather("slow", acts=asyncio.Event())
    hangs.timeout = 10
    script = rounds(calling(LISBON, ("c2", "slow", '{"city": "Oslo"}')), SPOKEN)
    async with House(tmp_path, script, tools=Toolbox([done, hangs])) as house:
        talk = await house.conversation()
        run, reader = await house.send(talk)
        while not of(ToolReturned, map(decode, await soon(reader.read()))):
            pass
        await soon(house.engine.stop(ANA, run.id), 3)
        steps = await house.store.of(ANA).steps.of(run.id)
        assert [step.status for step in steps] == [StepStatus.COMPLETED, StepStatus.CANCELLED]
        assert steps[0].result == "sunny in Lisboa"
        parts = (await house.answer(run)).parts
        assert parts[-1] == ToolResult("c1", "sunny in Lisboa", "weather")
        _, reader = await house.send(talk, "And now?")
        await soon(events_of(reader))
        told = house.model.calls[-1].request.turns[2].parts
        assert [each.status for each in told] == [ToolStatus.COMPLETED, ToolStatus.FAILED]
        assert "not made" not in told[1].result, "it was begun: nobody knows how far it came"


async def test_a_refusal_or_calls_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prosa.services.runs.rounds.LONGEST_TOKEN", 1)

    def endless(_: object) -> Any:
        while True:
            yield RefusalDelta("No, " * 100)

    async with House(tmp_path, endless) as house:
        _, events = await soon(house.turn())
        assert end_of(events).reason == "length"

    def calls(_: object) -> Any:
        n = 0
        while True:
            n += 1
            yield ToolCallStart(f"c{n}", "weather")

    async with House(tmp_path, calls) as house:
        _, events = await soon(house.turn(), 30)
        assert end_of(events).reason == "length"


@pytest.mark.hostile(57)
async def test_a_broken_answer_that_nobody_takes_up_stays(tmp_path: Path) -> None:
    """The next target is asked and says nothing: what the first one told is the answer, and is paid once."""
    script = [
        Asked("fake", "a"), "Half an answer", UsageReport(Usage(3, 1)),
        Asked("fake", "b"), Asked("fake", "c"), ProviderUnreachable("fake"),
    ]  # fmt: skip
    async with House(tmp_path, script) as house:
        run, events = await house.turn()
        assert (text_of(events), of(Reset, events)) == ("Half an answer", [])
        assert (await house.answer(run)).content == "Half an answer"
        assert house.rows("SELECT model, completion_tokens FROM ai_usage ORDER BY attempt") == [
            ("a", 12), ("b", 0), ("c", 0),
        ]  # fmt: skip


async def test_an_answer_begins_anew_once_it_is_asked_for(tmp_path: Path) -> None:
    script = [
        Asked("fake", "a"), "Half an answer", Asked("fake", "b"), UsageReport(Usage(3, 0)),
        Anew("broken_stream"), "Whole.", UsageReport(Usage(3, 2)),
    ]  # fmt: skip
    async with House(tmp_path, script) as house:
        run, _ = await house.turn()
        assert (await house.answer(run)).content == "Whole."
        assert house.rows("SELECT model, completion_tokens, estimated FROM ai_usage ORDER BY attempt") == [
            ("a", 12, 1), ("b", 2, 0),
        ]  # fmt: skip


async def test_a_renewal_that_is_late_halts_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It saw the run while it waited; by the time its answer comes, the run goes on."""
    said = asyncio.Event()
    async with House(tmp_path, rounds(ASKS, [said, *SPOKEN])) as house:
        run, reader = await house.send(await house.conversation(), client_tools=CLIENT)
        late, let_go = asyncio.Event(), asyncio.Event()

        async def renew(*_: object) -> dict[str, RunStatus]:
            late.set()
            await let_go.wait()
            return {}

        monkeypatch.setattr(house.store.engine, "renew", renew)
        renewal = asyncio.create_task(house.engine._renew())
        await soon(late.wait())
        while b"requires_action" not in b"".join(await soon(reader.read())):
            pass
        await house.engine.say(ANA, run.id, [BLUE])
        let_go.set()
        await renewal
        said.set()
        assert end_of(await soon(events_of(reader))).status == "completed"


async def test_a_tool_that_is_cancelled_by_itself_has_failed(tmp_path: Path) -> None:
    """It waited for a task of its own that somebody cancelled: that is no stop of the run."""

    class Torn(Weather):
        async def call(self, arguments: dict[str, Any], caller: Any) -> str:
            raise asyncio.CancelledError

    async with House(tmp_path, rounds(calling(LISBON), SPOKEN), tools=Toolbox([Torn()])) as house:
        _, events = await soon(house.turn(), 3)
        [returned] = of(ToolReturned, events)
        assert (returned.status, returned.result) == ("failed", "The tool failed.")
        assert end_of(events).status == "completed"


async def test_a_model_that_is_cancelled_by_itself_has_failed(tmp_path: Path) -> None:
    def torn(_: object) -> Any:
        yield "So far"
        raise asyncio.CancelledError

    async with House(tmp_path, torn) as house:
        run, events = await soon(house.turn(), 3)
        assert (events[-1].code, run.status) == ("internal_error", RunStatus.FAILED)
        house.at_rest(1)
