"""One run from the provider's first word to its end: events out, the end stored, the cost settled."""

import asyncio
import time
from contextlib import aclosing
from typing import TYPE_CHECKING

from msgspec import UNSET, Struct

from prosa.domain.conversations import MessageStatus
from prosa.domain.ending import Ending, Entry
from prosa.domain.errors import ProsaError
from prosa.domain.events import Done, Error, Event, Tokens, encode
from prosa.domain.ids import new_id
from prosa.domain.models import Finish, FinishReason, TextDelta, ThinkingDelta, Usage, UsageReport
from prosa.domain.money import Picodollars, to_dollars
from prosa.domain.opening import Begun, Remaining
from prosa.domain.runs import Run, RunStatus, Signal, feed
from prosa.domain.time import Instant, now
from prosa.kit.log import log
from prosa.kit.text import well_formed
from prosa.services import meters
from prosa.services.models import prices
from prosa.services.runs.journal import TAIL, Journal
from prosa.services.runs.live import LOST, Live
from prosa.services.runs.settle import Taken, settle

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from prosa.domain.models import ModelEvent
    from prosa.ports.models import ChatModel


class Outcome(Struct, frozen=True):
    """How a generation ended: what it does to the run, why, and the error that did it."""

    signal: Signal
    reason: str
    error: ProsaError | None = None


_FINISHED = {
    FinishReason.STOP: Outcome(Signal.COMPLETE, "stop"),
    FinishReason.LENGTH: Outcome(Signal.CUT, "length"),
    FinishReason.REFUSAL: Outcome(Signal.COMPLETE, "refusal"),
}
_STOPPED = {
    "stopped": Outcome(Signal.STOPPED, "stopped"),
    "shutdown": Outcome(Signal.CUT, "shutdown"),
    LOST: Outcome(Signal.CUT, "lost"),
}


class Execution:
    """Drives `model` for one run, publishes to `live`, and puts the end into `journal`."""

    def __init__(self, live: Live, model: "ChatModel", begun: Begun, journal: Journal, language: str) -> None:
        assert begun.prepared is not None
        self._live = live
        self._model = model
        self._prepared = begun.prepared
        self._remaining = begun.remaining
        self._journal = journal
        self._language = language
        self._taken = Taken()
        self._called = 0.0

    async def run(self) -> None:
        outcome = await self._generate()
        live = self._live
        if live.stopping == LOST:
            live.end(None)  # its readers go where it is now; what was spent here still has to be settled
        ending, last = self._ending(outcome)
        line = encode(last, len(live.lines) + 1)
        ours = await self._journal.end(live, ending, line)
        live.end(line if ours else None)
        count(ending)

    async def _generate(self) -> Outcome:
        live = self._live
        if live.stopping is not None:
            return _STOPPED[live.stopping]
        live.task = asyncio.current_task()
        self._called = time.monotonic()
        self._taken.called = True
        try:
            outcome = await self._consume(self._model.stream(self._prepared.request))
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if live.stopping is None or task is None:
                raise
            task.uncancel()
            outcome = _STOPPED[live.stopping]
        except ProsaError as error:
            outcome = Outcome(Signal.FAIL, "error", error)
        except Exception:  # noqa: BLE001 - a run's edge: whatever broke, the run must end
            log.exception("run_broke", run_id=live.run.id)
            outcome = Outcome(Signal.FAIL, "error", ProsaError())
        finally:
            live.task = None
        return outcome

    async def _consume(self, stream: "AsyncGenerator[ModelEvent, None]") -> Outcome:
        live, journal = self._live, self._journal
        outcome = _FINISHED[FinishReason.STOP]
        async with aclosing(stream) as events:
            async for event in events:
                if type(event) is TextDelta:
                    if not live.text:
                        self._first_word()
                    live.write(event.text)
                    journal.note(live)
                elif type(event) is ThinkingDelta:
                    self._taken.thought += len(event.text)
                    live.think(event.text)
                    journal.note(live)
                elif type(event) is UsageReport:
                    if event.usage.credible:
                        self._taken.reported = event.usage
                elif type(event) is Finish:
                    outcome = _FINISHED[event.reason]
                    self._taken.finished = True
                if len(live.lines) - live.committed >= TAIL:
                    await journal.room(live)
        return outcome

    def _first_word(self) -> None:
        meters.first_word(self._live.run.provider).observe(time.monotonic() - self._called)

    def _ending(self, outcome: Outcome) -> tuple[Ending, Event]:
        live, run = self._live, self._live.run
        content = "".join(live.text)
        usage, estimated = settle(self._taken, self._prepared, content)
        ending = end_of(run, outcome, content, usage, self._language, estimated=estimated)
        return ending, last_event(ending, self._remaining, outcome.error)


def count(ending: Ending) -> None:
    provider = ending.provider
    meters.runs(provider, ending.status).inc()
    meters.tokens(provider, "prompt").inc(ending.usage.prompt_tokens)
    meters.tokens(provider, "completion").inc(ending.usage.completion_tokens)


def end_of(
    run: Run, outcome: Outcome, content: str, usage: Usage, language: str, *, estimated: bool
) -> Ending:
    """The end of `run` with `content` as its answer, and its entry in the ledger."""
    status = feed(run.status, outcome.signal)
    cost = prices.cost(run.provider, run.model, usage)
    moment: Instant = now()
    entry = Entry(
        id=new_id(),
        run_id=run.id,
        user_id=run.user_id,
        client_id=run.client_id,
        conversation_id=run.conversation_id,
        attempt=1,
        provider=run.provider,
        model=run.model,
        usage=usage,
        cost=cost,
        estimated=estimated,
        created_at=moment,
    )
    whole = status is RunStatus.COMPLETED
    return Ending(
        run_id=run.id,
        message_id=run.message_id,
        status=status,
        reason=outcome.reason,
        message_status=MessageStatus.COMPLETED if whole else MessageStatus.INCOMPLETE,
        content=content,
        usage=usage,
        cost=cost,
        ended_at=moment,
        entries=(entry,),
        provider=run.provider,
        model=run.model,
        error_code=outcome.error.code if outcome.error else None,
        error_message=well_formed(outcome.error.sentence(language)) if outcome.error else None,
    )


def last_event(ending: Ending, remaining: Remaining, error: ProsaError | None) -> Event:
    """`done`, or `error` for a run that failed."""
    if error is not None:
        return Error(error.code, ending.error_message or "", retryable=error.retryable)
    usage = ending.usage
    return Done(
        message_id=ending.message_id,
        status=str(ending.status),
        reason=ending.reason,
        usage=Tokens(
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            total_tokens=usage.total_tokens,
            cached_tokens=usage.cached_tokens,
            reasoning_tokens=usage.reasoning_tokens,
            estimated=True if any(entry.estimated for entry in ending.entries) else UNSET,
        ),
        cost=None if ending.cost is None else to_dollars(ending.cost),
        remaining=_left(remaining, ending),
    )


def _left(remaining: Remaining, ending: Ending) -> dict[str, int | str] | None:
    left: dict[str, int | str] = {}
    if remaining.tokens is not None:
        left["tokens"] = max(0, remaining.tokens - ending.usage.total_tokens)
    if remaining.cost is not None:
        left["cost"] = to_dollars(Picodollars(max(0, remaining.cost - (ending.cost or 0))))
    return left or None
