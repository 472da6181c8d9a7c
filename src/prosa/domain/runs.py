"""The run: its states, what moves it from one to the next, and the record that is stored."""

from enum import StrEnum

from msgspec import Struct

from prosa.domain.context import Sent
from prosa.domain.errors import ProsaError
from prosa.domain.models import Usage
from prosa.domain.money import Picodollars
from prosa.domain.time import Instant


class RunStatus(StrEnum):
    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    REQUIRES_ACTION = "requires_action"
    CANCELLING = "cancelling"
    COMPLETED = "completed"
    INCOMPLETE = "incomplete"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Signal(StrEnum):
    """What can happen to a run."""

    BEGIN = "begin"
    ASK = "ask"
    """The model called tools that the caller must run."""
    ANSWER = "answer"
    """The caller brought the tools' results."""
    COMPLETE = "complete"
    CUT = "cut"
    """The answer ended early: a crash, a drain, its length, a cap."""
    FAIL = "fail"
    STOP = "stop"
    STOPPED = "stopped"
    EXPIRE = "expire"


END_STATES = frozenset(
    {RunStatus.COMPLETED, RunStatus.INCOMPLETE, RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.EXPIRED}
)

_ENDS = {Signal.CUT: RunStatus.INCOMPLETE, Signal.FAIL: RunStatus.FAILED}

_TABLE: dict[RunStatus, dict[Signal, RunStatus]] = {
    RunStatus.QUEUED: {
        Signal.BEGIN: RunStatus.IN_PROGRESS,
        Signal.STOP: RunStatus.CANCELLING,
        Signal.STOPPED: RunStatus.CANCELLED,
        Signal.EXPIRE: RunStatus.EXPIRED,
        **_ENDS,
    },
    RunStatus.IN_PROGRESS: {
        Signal.ASK: RunStatus.REQUIRES_ACTION,
        Signal.COMPLETE: RunStatus.COMPLETED,
        Signal.STOP: RunStatus.CANCELLING,
        Signal.STOPPED: RunStatus.CANCELLED,
        Signal.EXPIRE: RunStatus.EXPIRED,
        **_ENDS,
    },
    RunStatus.REQUIRES_ACTION: {
        Signal.ANSWER: RunStatus.QUEUED,
        Signal.STOP: RunStatus.CANCELLING,
        Signal.STOPPED: RunStatus.CANCELLED,
        Signal.EXPIRE: RunStatus.EXPIRED,
        **_ENDS,
    },
    # A run that ended by itself before the stop reached it keeps its own end; a second stop changes nothing.
    RunStatus.CANCELLING: {
        Signal.COMPLETE: RunStatus.COMPLETED,
        Signal.STOP: RunStatus.CANCELLING,
        Signal.STOPPED: RunStatus.CANCELLED,
        **_ENDS,
    },
}


class IllegalTransition(ProsaError):
    """A run was told something that its state does not allow: a fault of ours, never of the caller."""

    code = "illegal_transition"
    en = "A run that is {status} can't take {signal}."
    pt = "Uma execução {status} não aceita {signal}."


def feed(status: RunStatus, signal: Signal) -> RunStatus:
    """The state after `signal`. Raises `IllegalTransition` where the table has no such arrow."""
    after = _TABLE.get(status, {}).get(signal)
    if after is None:
        raise IllegalTransition(status=status, signal=signal)
    return after


class Run(Struct, frozen=True):
    """One generation, as it is stored. `owner` is the boot that executes it; until its end, `usage` is an
    estimate of the input alone. `attempts` of it are in the ledger already, and nothing that its events up to
    `settled` tell is missing there; a run that waits for its caller does so until `expires_at`. `context` is
    None of a run that an earlier version began."""

    id: str
    user_id: str
    client_id: str
    conversation_id: str
    user_message_id: str | None
    message_id: str
    status: RunStatus
    provider: str
    model: str
    reason: str | None
    error_code: str | None
    error_message: str | None
    usage: Usage | None
    cost: Picodollars | None
    owner: str
    created_at: Instant
    ended_at: Instant | None
    route: str | None = None
    attempts: int = 0
    expires_at: Instant | None = None
    settled: int = 0
    context: Sent | None = None
