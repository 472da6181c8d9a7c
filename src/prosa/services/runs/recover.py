"""Runs whose process is gone: each is ended with what the journal holds of its answer."""

from prosa.domain.assembly import Assembly
from prosa.domain.content import ToolResult, ToolStatus
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
from prosa.domain.models import MOST_TOKENS, ThinkingDelta, ToolCallDelta, ToolCallStart
from prosa.domain.opening import Remaining
from prosa.domain.runs import Run, RunStatus, Signal
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
        appends, ending = _ended(run, lines)
        await self._records.commit(self._boot, appends, [ending])
        del self._claimed[run.id]
        log.warning("run_recovered", run_id=run.id, status=str(ending.status), events=len(lines))


def _ended(run: Run, lines: list[tuple[int, bytes]]) -> tuple[list[Append], Ending]:
    """The end of an orphan. Its last events are numbered past all that the lost process may have sent, so
    that a reader who had seen more than the journal holds is told of the gap and not of the end alone."""
    told = _Told()
    for _, line in lines:
        told.add(decode(line))
    outcome = _outcome(run)
    attempts = Attempts(run)
    if told.asked > run.attempts:  # else a boundary has settled all that it took, and it only waited
        asked = run.usage.prompt_tokens if run.usage is not None else 0
        most = MOST_TOKENS  # what was written is billed, whatever the bound was
        attempts.current = Attempt(run.provider, run.model, asked, most, called=True)
        attempts.close("".join(told.latest))
    ending = end_of(run, outcome, told.answer.parts, attempts.spent, attempts.take(), "en")
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
    """The answer as the journal tells it; `latest` is the text since the model was asked for the last time,
    `asked` how often it was asked at least."""

    def __init__(self) -> None:
        self.answer = Assembly()
        self.latest: list[str] = []
        self.asked = 1
        self._returned = False

    def add(self, event: Event) -> None:
        if isinstance(event, Text | Thinking | ToolCalled) and self._returned:
            self._ask_again()
        match event:
            case Text(content):
                self.answer.write(content)
                self.latest.append(content)
            case Thinking(text):
                self.answer.add(ThinkingDelta(text))
            case ToolCalled(identity, name):
                self.answer.add(ToolCallStart(identity, name))
            case ToolArguments(identity, text):
                self.answer.add(ToolCallDelta(identity, text))
            case ToolReturned(identity, status, result):
                self.answer.returned(ToolResult(identity, result, status=ToolStatus(status)))
                self._returned = True
            case Reset():
                self.answer.forget()
                self._ask_again()

    def _ask_again(self) -> None:
        self.latest.clear()
        self.asked += 1
        self._returned = False
