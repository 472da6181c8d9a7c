"""How a generation ended, and what that makes of its run: the end that is stored, the event that tells."""

from msgspec import UNSET, Struct

from prosa.domain.content import Part, plain, text_of
from prosa.domain.context import Counts
from prosa.domain.conversations import MessageStatus
from prosa.domain.ending import Ending
from prosa.domain.errors import ProsaError
from prosa.domain.events import Done, Error, Event, Tokens
from prosa.domain.limits import Remaining
from prosa.domain.models import FinishReason
from prosa.domain.money import Picodollars, to_dollars
from prosa.domain.runs import Run, RunStatus, Signal, feed
from prosa.domain.time import SECOND, now, to_iso
from prosa.kit.text import well_formed
from prosa.services import meters
from prosa.services.context import window
from prosa.services.context.counts import REPORTED
from prosa.services.runs.live import LOST
from prosa.services.runs.settle import Attempts, Spent


class Outcome(Struct, frozen=True):
    """What a generation's end does to the run, why, and the error that did it."""

    signal: Signal
    reason: str
    error: ProsaError | None = None


FINISHED = {
    FinishReason.STOP: Outcome(Signal.COMPLETE, "stop"),
    FinishReason.TOOL_CALLS: Outcome(Signal.COMPLETE, "stop"),
    FinishReason.LENGTH: Outcome(Signal.CUT, "length"),
    FinishReason.REFUSAL: Outcome(Signal.COMPLETE, "refusal"),
}
STOPPED = {
    "stopped": Outcome(Signal.STOPPED, "stopped"),
    "shutdown": Outcome(Signal.CUT, "shutdown"),
    LOST: Outcome(Signal.CUT, "lost"),
}
ROUNDS = Outcome(Signal.CUT, "tool_rounds")
"""The model called tools once more than it may."""
LIMIT = Outcome(Signal.CUT, "limit")
"""What the user may spend does not allow to go on."""

BROKE = Outcome(Signal.FAIL, "error", ProsaError())
"""Something broke that nobody has thought of."""


def end_of(
    run: Run,
    outcome: Outcome,
    parts: tuple[Part, ...],
    attempts: Attempts,
    language: str,
) -> Ending:
    """The end of `run` with `parts` as its answer, which took `attempts`, all of them over."""
    spent, entries = attempts.spent, attempts.take()
    status = feed(run.status, outcome.signal)
    whole = status is RunStatus.COMPLETED
    last = entries[-1] if entries else None
    return Ending(
        run_id=run.id,
        message_id=run.message_id,
        status=status,
        reason=outcome.reason,
        message_status=MessageStatus.COMPLETED if whole else MessageStatus.INCOMPLETE,
        content=text_of(parts),
        usage=spent.usage,
        cost=spent.cost,
        ended_at=now(),
        entries=entries,
        provider=last.provider if last else run.provider,
        model=last.model if last else run.model,
        parts=() if plain(parts) else parts,
        error_code=outcome.error.code if outcome.error else None,
        error_message=well_formed(outcome.error.sentence(language)) if outcome.error else None,
        tokens=_reported(parts, spent),
        first_token_at=attempts.first_token_at,
        timings=attempts.timings,
    )


def _reported(parts: tuple[Part, ...], spent: Spent) -> Counts | None:
    """The answer's tokens as its provider counted them, where they are those of its text and of nothing
    else."""
    told = spent.usage.completion_tokens - spent.usage.reasoning_tokens
    if spent.estimated or spent.attempts != 1 or not plain(parts) or told <= 0:
        return None
    return Counts(window.size(text_of(parts)), {REPORTED: told})


def last_event(
    ending: Ending, spent: Spent, remaining: Remaining, error: ProsaError | None, *, lower: bool = False
) -> Event:
    """`done`, or `error` for a run that failed. `lower`: something cheaper answered than was asked."""
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
            estimated=True if spent.estimated else UNSET,
        ),
        cost=None if ending.cost is None else to_dollars(ending.cost),
        remaining=_left(remaining, ending),
        cached=UNSET if ending.cached_at is None else True,
        cached_at=UNSET if ending.cached_at is None else to_iso(ending.cached_at),
        provider=ending.provider if lower else UNSET,
        model=ending.model if lower else UNSET,
    )


def _left(remaining: Remaining, ending: Ending) -> dict[str, int | str] | None:
    left: dict[str, int | str] = {}
    if remaining.tokens is not None:
        left["tokens"] = max(0, remaining.tokens - ending.usage.total_tokens)
    if remaining.cost is not None:
        left["cost"] = to_dollars(Picodollars(max(0, remaining.cost - (ending.cost or 0))))
    return left or None


def count(run: Run, ending: Ending) -> None:
    """Tells the meters of an end."""
    seconds = (ending.ended_at - run.created_at) / SECOND
    meters.ended(ending.provider, ending.model, ending.status.value, seconds)
