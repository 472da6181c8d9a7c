"""The calls of a run's tools, one step each: what was asked, what it waits for, and what it gave."""

from enum import StrEnum
from typing import Literal

from msgspec import Struct

from prosa.domain.content import ToolResult, ToolStatus
from prosa.domain.runs import Run
from prosa.domain.time import Instant


class StepStatus(StrEnum):
    WAITING = "waiting"
    """For an output of the caller's, or for leave."""
    ALLOWED = "allowed"
    """Leave was given, and the call is not made yet."""
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    DENIED = "denied"
    CANCELLED = "cancelled"
    """The run ended before the call did."""


ENDS = frozenset({StepStatus.COMPLETED, StepStatus.FAILED, StepStatus.DENIED, StepStatus.CANCELLED})

Kind = Literal["function", "http", "client"]
Needs = Literal["output", "approval"]


_TOLD = {StepStatus.COMPLETED: ToolStatus.COMPLETED, StepStatus.DENIED: ToolStatus.DENIED}


class Step(Struct, frozen=True):
    """One call. `place` counts from 0 within the run, `call_id` is the model's id of it. `needs` says what
    it waits, or waited, for: the output of a tool of the caller's, or leave to call one of ours."""

    id: str
    user_id: str
    run_id: str
    place: int
    call_id: str
    name: str
    kind: Kind
    needs: Needs | None
    arguments: str
    status: StepStatus
    result: str | None
    created_at: Instant
    ended_at: Instant | None = None

    @property
    def returned(self) -> ToolResult:
        """What the model is told of an ended step."""
        status = _TOLD.get(self.status, ToolStatus.FAILED)
        return ToolResult(self.call_id, self.result or "", self.name, status)


class Verdict(Struct, frozen=True):
    """What a caller says to a waiting step: its output, or whether the call may be made."""

    call_id: str
    needs: Needs
    status: StepStatus
    result: str | None = None


class Resumed(Struct, frozen=True):
    """What a verdict made of a run. `checkpoint` is set where nothing is missing any more: then the run is
    in progress and the caller's to execute. `last_seq` is the number of its last event in the journal."""

    run: Run
    steps: tuple[Step, ...]
    checkpoint: bytes | None = None
    last_seq: int = 0
