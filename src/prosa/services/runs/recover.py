"""Runs whose process is gone: each is ended with what the journal holds of its answer."""

from collections.abc import Sequence

from msgspec.structs import replace

from prosa.domain.assembly import Assembly
from prosa.domain.content import Part, ToolResult, ToolStatus, text_of
from prosa.domain.ending import Append, Ending
from prosa.domain.errors import StoreUnavailable
from prosa.domain.events import (
    Event,
    Gap,
    Reset,
    Start,
    Text,
    Thinking,
    ToolArguments,
    ToolCalled,
    ToolReturned,
    decode,
    encode,
)
from prosa.domain.limits import Remaining
from prosa.domain.models import MOST_TOKENS, ThinkingDelta, ToolCallDelta, ToolCallStart
from prosa.domain.runs import Run, RunStatus, Signal
from prosa.domain.steps import ENDS, Step
from prosa.domain.time import Instant, now
from prosa.kit.log import log
from prosa.ports.store import EngineRecords
from prosa.services.runs.outcome import STOPPED, Outcome, end_of, last_event
from prosa.services.runs.settle import Attempt, Attempts
from prosa.services.runs.start import LEASE

AHEAD = 1_000_000
"""How far past the journal's end the last events are numbered: more than any reader can have seen."""


_CRASHED = Outcome(Signal.CUT, "crash")
_EXPIRED = Outcome(Signal.EXPIRE, "expired")


class Recovery:
    """Remembers what it took over until that is ended: a claimed run is nobody else's orphan any more."""

    def __init__(self, records: EngineRecords, boot: str) -> None:
        self._records = records
        self._boot = boot
        self._claimed: dict[str, Run] = {}

    async def run(self) -> None:
        """Takes over what nobody executes any more and ends it. Raises StoreUnavailable; the next call goes
        on where this one broke off."""
        moment = now()
        orphans = await self._records.claim(self._boot, moment, Instant(moment + LEASE))
        self._claimed |= {run.id: run for run in orphans}
        for run in list(self._claimed.values()):
            try:
                await self._end(run)
            except StoreUnavailable:
                raise
            except Exception:  # noqa: BLE001 - one broken run must not keep the others, or the server, from going on
                log.exception("run_not_recovered", run_id=run.id)

    async def _end(self, run: Run) -> None:
        lines = await self._records.lines(run.id)
        steps = await self._records.steps(run.id) if run.settled else []
        appends, ending = _ended(run, lines, steps)
        await self._records.commit(self._boot, appends, [ending])
        del self._claimed[run.id]
        log.warning("run_recovered", run_id=run.id, status=str(ending.status), events=len(lines))


def _ended(run: Run, lines: list[tuple[int, bytes]], steps: list[Step]) -> tuple[list[Append], Ending]:
    """The end of an orphan. Its last events are numbered past all that the lost process may have sent, so
    that a reader who had seen more than the journal holds is told of the gap and not of the end alone."""
    told = _Told(run, steps)
    for seq, line in lines:
        told.add(seq, decode(line))
    outcome = _outcome(run)
    attempts = Attempts(run)
    if told.unsettled or not run.attempts:  # else all that it took is in the ledger, and it only waited
        asked = run.usage.prompt_tokens if run.usage is not None else 0
        most = MOST_TOKENS if run.context is None else run.context.most or MOST_TOKENS
        attempts.current = Attempt(run.provider, run.model, asked, most, called=True, unsaid=told.unsaid)
        attempts.close("".join(told.said))
    ending = replace(end_of(run, outcome, told.parts, attempts, "en"), timings=())
    seq = (lines[-1][0] if lines else 0) + AHEAD
    tail: list[Event] = [Gap(run.message_id), last_event(ending, attempts.spent, Remaining(), None)]
    data = b"\n".join(encode(event, seq + place) for place, event in enumerate(tail, 1))
    appends = [Append(run.id, seq + 1, seq + len(tail), data)]
    if not lines:  # not even the start was put down: whoever asks again still has to learn what this run is
        start = Start(run.id, run.conversation_id, run.user_message_id, run.message_id)
        appends.insert(0, Append(run.id, 1, 1, encode(start, 1)))
    return appends, ending


def _outcome(run: Run) -> Outcome:
    if run.status is RunStatus.CANCELLING:
        return STOPPED["stopped"]
    return _EXPIRED if run.status is RunStatus.REQUIRES_ACTION else _CRASHED


class _Told:
    """The answer as the journal tells it, with results as the steps have them: events show their beginnings.

    `unsettled` says whether anything was told that the ledger knows nothing of; `said` is its text, `unsaid`
    how many characters it has beside that.
    """

    def __init__(self, run: Run, steps: Sequence[Step]) -> None:
        self.unsettled = False
        self.said: list[str] = []
        self.unsaid = 0
        self._settled = run.settled
        self._steps = {step.call_id: step for step in steps}
        self._earlier: tuple[Part, ...] = ()
        self._round = Assembly()
        self._returned = False
        self._repeated = 0

    @property
    def parts(self) -> tuple[Part, ...]:
        return (*self._earlier, *self._round.parts)

    def add(self, seq: int, event: Event) -> None:
        match event:
            case Text() | Thinking() | ToolCalled() | ToolArguments():
                if self._returned:
                    self._end_round()
                self._add(event, new=seq > self._settled)
            case ToolReturned():
                self._round.returned(self._result(event))
                self._returned = True
            case Reset():
                self._round.forget()
                self.said.clear()
                self.unsaid = 0
                self._repeated = len(text_of(self._earlier))

    def _add(self, event: Text | Thinking | ToolCalled | ToolArguments, *, new: bool) -> None:
        """What the model tells; `new` is what no boundary has settled."""
        self.unsettled |= new
        match event:
            case Text(content):
                # After a reset, readers are told the text of earlier rounds once more.
                said = content[self._repeated :]
                self._repeated -= len(content) - len(said)
                if said:
                    self._round.write(said)
                    self.said += [said] * new
            case Thinking(text):
                self._round.add(ThinkingDelta(text))
                self.unsaid += len(text) * new
            case ToolCalled(identity, name):
                self._round.add(ToolCallStart(identity, name))
            case ToolArguments(identity, text):
                self._round.add(ToolCallDelta(identity, text))
                self.unsaid += len(text) * new

    def _result(self, event: ToolReturned) -> ToolResult:
        step = self._steps.get(event.id)
        if step is not None and step.status in ENDS:
            return step.returned
        name = "" if step is None else step.name
        return ToolResult(event.id, event.result, name, ToolStatus(event.status))

    def _end_round(self) -> None:
        self._earlier = self.parts
        self._round = Assembly()
        self._returned = False
