"""One run from the provider's first word to its end: events out, tools called, the end stored and settled."""

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from msgspec.structs import replace

from prosa.domain.content import ToolCall, text_of
from prosa.domain.errors import LimitReached, PriceUnknown, ProsaError
from prosa.domain.events import Queued as QueuedEvent
from prosa.domain.events import RequiresAction, Wanted, encode
from prosa.domain.events import Reset as ResetEvent
from prosa.domain.models import (
    Aside,
    Asked,
    Finish,
    FinishReason,
    Flagged,
    Queued,
    Recalled,
    RefusalDelta,
    Reset,
    TextDelta,
    ThinkingDelta,
    Thought,
    ToolCallDelta,
    ToolCallStart,
    UsageReport,
    Withheld,
)
from prosa.domain.moderation import AnswerBlocked
from prosa.domain.runs import Signal
from prosa.domain.steps import ENDS, Step, StepStatus
from prosa.domain.time import now
from prosa.domain.timing import Progress, Timing
from prosa.kit.cancellation import cancelled
from prosa.kit.log import log
from prosa.services.runs.calls import Calls
from prosa.services.runs.journal import TAIL, Journal
from prosa.services.runs.live import LONGEST, LOST, Live
from prosa.services.runs.outcome import (
    BROKE,
    FINISHED,
    LIMIT,
    ROUNDS,
    STOPPED,
    Outcome,
    count,
    end_of,
    last_event,
)
from prosa.services.runs.rounds import Rounds, weight

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from prosa.domain.ending import Boundary, Ending
    from prosa.domain.models import ModelEvent
    from prosa.ports.models import ChatModel
    from prosa.services.runs.settle import Attempt


class _Halted(Exception):
    """The run was broken off, for the reason in `Live.stopping`, while nothing was waited for."""


class _TooLong(Exception):
    """The answer is longer than the tokens that were asked for could be: its provider knows no end."""


class Execution:
    """Drives `model` for one run, publishes to `live`, calls tools between its rounds, and puts the end, or
    the pause in which the run waits for its caller, into `journal`."""

    def __init__(
        self,
        live: Live,
        model: "Callable[[], ChatModel]",
        rounds: Rounds,
        calls: Calls,
        journal: Journal,
        steps: "Sequence[Step]" = (),
    ) -> None:
        self._live = live
        self._model = model
        self._rounds = rounds
        self._calls = calls
        self._journal = journal
        self._steps = list(steps)
        self._round: dict[int, Step] = {}
        self._billed = 0
        self.ending: Ending | None = None
        """The end, once it is stored, if it was ours to store."""

    @property
    def timings(self) -> tuple[Timing, ...]:
        """What took its time since this execution began."""
        return self._rounds.attempts.timings[self._rounds.earlier :]

    @property
    def progress(self) -> Progress:
        """What the run has done so far, from its beginning on."""
        return self._rounds.attempts.progress(self._said)

    async def run(self) -> None:
        outcome = await self._generate()
        live, rounds = self._live, self._rounds
        if outcome is None:
            live.end(None)  # it waits for its caller: the journal tells of it from here on
            return
        if live.stopping == LOST:
            live.end(None)  # its readers go where it is now; what was spent here still has to be settled
        if not rounds.attempts.spent.attempts:
            rounds.begin_attempt()  # each run is in the ledger, also one that was stopped before it asked
        rounds.attempts.close(self._said, outcome.error.code if outcome.error else outcome.reason)
        ended = tuple(step for step in self._round.values() if step.status in ENDS)
        parts = (*rounds.parts, *(step.returned for step in ended), *live.answer.parts)
        spent = rounds.attempts.spent
        ending = end_of(live.run, outcome, parts, rounds.attempts, rounds.language)
        ending = replace(ending, steps=ended, cached_at=rounds.cached_at)
        line = encode(
            last_event(ending, spent, rounds.remaining, outcome.error, lower=rounds.lower), live.last + 1
        )
        ours = await self._journal.end(live, ending, line)
        self.ending = ending if ours else None
        live.end(line if ours else None)
        count(live.run, ending)

    async def _generate(self) -> Outcome | None:
        """None where the run waits for its caller."""
        live = self._live
        if live.stopping is not None:
            return STOPPED[live.stopping]
        live.task = asyncio.current_task()
        try:
            outcome = await self._go_on()
        except _Halted:
            outcome = self._broken_off()
        except asyncio.CancelledError:
            if cancelled() and self._live.stopping is None:
                raise
            outcome = self._broken_off()
        except (LimitReached, PriceUnknown):
            outcome = LIMIT
        except _TooLong:
            outcome = self._rounds.length
        except AnswerBlocked as error:
            outcome = Outcome(Signal.CUT, error.code, error)
        except ProsaError as error:
            outcome = Outcome(Signal.FAIL, "error", error)
        except Exception:  # noqa: BLE001 - a run's edge: whatever broke, the run must end
            log.exception("run_broke", run_id=live.run.id)
            outcome = BROKE
        finally:
            live.task = None
        return outcome

    def _broken_off(self) -> Outcome:
        """What becomes of a run that was stopped, or whose model was cancelled by itself: a fault."""
        task, why = asyncio.current_task(), self._live.stopping
        if why is None:
            log.exception("run_broke", run_id=self._live.run.id)
            return BROKE
        if task is not None:
            task.uncancel()
        return STOPPED[why]

    async def _go_on(self) -> Outcome | None:
        """Round after round, until the model calls no tool any more, or calls one of the caller's."""
        if self._steps and await self._call(self._steps):
            return None
        model = self._model()
        while True:
            finish = await self._consume(model.stream(self._rounds.request))
            calls = [part for part in self._live.answer.parts if isinstance(part, ToolCall)]
            if finish.reason is not FinishReason.TOOL_CALLS or not calls:
                return (
                    self._rounds.length if finish.reason is FinishReason.LENGTH else FINISHED[finish.reason]
                )
            if self._rounds.over:
                return ROUNDS
            steps = self._calls.plan(calls, self._rounds.place)
            self._end_round()
            if await self._call(steps):
                return None

    @property
    def _said(self) -> str:
        """The text of the attempt that goes on."""
        return text_of(self._live.answer.parts)[self._billed :]

    def _end_round(self) -> None:
        self._rounds.end_round(self._live.answer.parts, self._said)
        self._live.answer.forget()
        self._billed = 0

    async def _call(self, steps: list[Step]) -> bool:
        """Makes the calls of a round; True where some of them are the caller's to answer or to allow."""
        ready = [step for step in steps if step.status in (StepStatus.IN_PROGRESS, StepStatus.ALLOWED)]
        if ready:
            steps = [
                replace(step, status=StepStatus.IN_PROGRESS) if step in ready else step for step in steps
            ]
            await self._put_down(steps)  # before it acts, so that no crash can make it act twice
        self._round = {step.place: step for step in steps}
        for step in steps:
            self._tell(step)
        going = [step for step in steps if step.status is StepStatus.IN_PROGRESS]
        await asyncio.gather(*(self._make(step) for step in going))
        steps = list(self._round.values())
        if any(step.status is StepStatus.WAITING for step in steps):
            await self._pause(steps)
            return True
        self._round = {}
        self._rounds.returned(steps)
        await self._put_down(steps)
        await self._rounds.hold()
        return False

    async def _make(self, step: Step) -> None:
        ended = await self._calls.make(step)
        self._round[ended.place] = ended
        self._tell(ended)

    def _tell(self, step: Step) -> None:
        """Publishes what a step gave, once it has ended and nobody was told before."""
        if step.status in ENDS and step.place not in self._rounds.told:
            self._rounds.told.add(step.place)
            self._live.returned(step.returned)
            self._journal.note(self._live)

    async def _pause(self, steps: list[Step]) -> None:
        """Nobody is asked for anything before the run is known to wait for it."""
        live = self._live
        wanted = tuple(_wanted(step) for step in steps if step.status is StepStatus.WAITING)
        line = encode(RequiresAction(wanted), live.last + 1)
        if not await self._stored(self._rounds.boundary(steps, live.last, line)):
            live.stopping = live.stopping or "stopped"  # or it is not ours any more: then its end is not, too
            raise _Halted
        live.tell(line)

    async def _put_down(self, steps: list[Step]) -> None:
        live = self._live
        if not await self._stored(self._rounds.boundary(steps, live.last)):
            live.stopping = LOST
        if live.stopping is not None:
            raise _Halted

    async def _stored(self, boundary: "Boundary") -> bool:
        """A stop waits for it: the run's end must not overtake what is being put down."""
        live = self._live
        live.task = None
        try:
            return await self._journal.boundary(live, boundary)
        finally:
            live.task = asyncio.current_task()

    async def _consume(self, stream: "AsyncGenerator[ModelEvent, None]") -> Finish:
        live, journal = self._live, self._journal
        attempt = self._rounds.begin_attempt()
        attempt.asked = now()
        finish = Finish(FinishReason.STOP)
        quiet = True
        told, most = 0, self._rounds.characters(attempt)
        end = len(live.lines) + self._rounds.pieces(attempt)
        async with aclosing(stream) as events:
            async for event in events:
                if type(event) is TextDelta:
                    if quiet:
                        quiet = False
                        attempt.speak()
                    live.write(event.text)
                    journal.note(live)
                    told += len(event.text)
                elif type(event) is UsageReport:
                    attempt.called = True
                    if event.usage.credible:
                        attempt.reported = event.usage
                elif type(event) is Finish:
                    finish = event
                    attempt.called = attempt.finished = True
                else:
                    told += weight(event)
                    attempt = await self._take(event)
                    if type(event) is Asked or type(event) is Reset:
                        quiet, told = quiet or type(event) is Asked, 0
                        end = len(live.lines) + self._rounds.pieces(attempt)
                lines = len(live.lines)
                if lines > end or told + attempt.unsaid > most:
                    raise _TooLong
                if lines - live.committed >= TAIL:
                    await journal.room(live)
        return finish

    async def _take(self, event: "ModelEvent") -> "Attempt":
        """An event of the rarer kinds. Answers the attempt that goes on after it."""
        live, rounds = self._live, self._rounds
        attempt = rounds.begin_attempt()
        match event:
            case Asked():
                return await self._ask_again(event)
            case Queued(place):
                attempt.queued = attempt.queued or now()
                live.publish(QueuedEvent(place))
            case Reset(reason):
                self._begin_anew(reason)
            case ThinkingDelta(text):
                attempt.first = attempt.first or now()
                attempt.unsaid += len(text)
                live.think(text)
            case Thought(part):
                live.answer.add(Thought(replace(part, provider=attempt.provider)))
            case RefusalDelta(text):
                live.refuse(text)
            case Recalled() | Withheld() | Aside() | Flagged():
                return self._noted(attempt, event)
            case ToolCallStart(identity, name):
                attempt.first = attempt.first or now()
                live.call(rounds.begin_call(identity), name)
            case ToolCallDelta(identity, text):
                attempt.unsaid += len(text)
                live.pass_arguments(rounds.call_id(identity), text)
            case _:
                return attempt
        attempt.called = attempt.called or not isinstance(event, Queued | Reset)
        self._journal.note(live)
        return attempt

    def _noted(self, attempt: "Attempt", event: "Recalled | Withheld | Aside | Flagged") -> "Attempt":
        """What a policy tells of an answer that goes on."""
        match event:
            case Recalled():
                return self._rounds.recall(event)
            case Withheld(characters):
                attempt.unsaid += characters
            case Aside(timings):
                self._rounds.attempts.timings += timings
            case Flagged(check, side, categories):
                self._rounds.attempts.timings += (Timing("flag", now(), flag=(check, side, *categories)),)
                log.warning(
                    "flagged", run_id=self._live.run.id, check=check, side=side, categories=categories
                )
        return attempt

    async def _ask_again(self, event: Asked) -> "Attempt":
        """A policy asks a provider, for the first time in this round or once more."""
        rounds = self._rounds
        attempt = rounds.begin_attempt()
        if attempt.called:
            rounds.attempts.close(self._said, event.after or "failed")
            self._billed += len(self._said)
            attempt = rounds.begin_attempt()
        attempt.provider, attempt.model, attempt.key = event.provider, event.model, event.key
        if rounds.must_hold:
            await self._put_down([])
            await rounds.hold()
        attempt.called = True
        attempt.asked = now()
        return attempt

    def _begin_anew(self, reason: str) -> None:
        """The round's answer so far is void; what earlier rounds said still stands, and is said again."""
        live, rounds = self._live, self._rounds
        if self._said or rounds.begin_attempt().unsaid:  # the attempt that broke off: no other was asked yet
            rounds.attempts.close(self._said, reason)
        live.answer.forget()
        self._billed = 0
        live.publish(ResetEvent(reason))
        if earlier := text_of(rounds.parts):
            live.write(earlier)
            live.answer.forget()


def _wanted(step: Step) -> Wanted:
    """What the caller is told of a step that waits; arguments that do not fit into an event are left out."""
    short = len(step.arguments) * 6 <= LONGEST // 2
    return Wanted(step.call_id, step.name, step.needs or "output", step.arguments if short else None)
