"""What an operator sees of the runs of all users: how many, how fast, what failed; never what was said."""

from enum import IntEnum
from itertools import pairwise

from msgspec import Struct

from prosa.domain.calendar import Calendar, Period
from prosa.domain.money import Picodollars
from prosa.domain.runs import RunStatus
from prosa.domain.steps import StepStatus
from prosa.domain.time import DAY, SECOND, Instant
from prosa.domain.timing import Timing

MOST_BUCKETS = 1_500
"""In one answer: a day by minutes, two months by hours, four years by days."""


class Stride(IntEnum):
    """How long a bucket is, in microseconds; a day when the clocks are changed has an hour more or less."""

    MINUTE = 60 * SECOND
    HOUR = 3_600 * SECOND
    DAY = DAY

    def steps(self, period: Period, calendar: Calendar) -> list[Period]:
        """The whole days, hours or minutes of the calendar that the period touches."""
        starts = [calendar.start_of_day(period.since) if self is Stride.DAY
                  else calendar.start_of(self, period.since)]  # fmt: skip
        while starts[-1] < period.until:
            last = starts[-1]
            ahead = calendar.start_of_day(last, ahead=1) if self is Stride.DAY else Instant(last + self)
            starts.append(ahead)
        return [Period(*ends) for ends in pairwise(starts)]


class Latency(Struct, frozen=True):
    """In microseconds, by nearest rank: a value that was there."""

    p50: int
    p95: int

    @classmethod
    def of(cls, took: list[int]) -> "Latency | None":
        """None of nothing."""
        if not took:
            return None
        took = sorted(took)
        p50, p95 = (took[(len(took) * percent + 99) // 100 - 1] for percent in (50, 95))
        return cls(p50, p95)


class Bucket(Struct):
    """What happened from `at` on. Runs stand where they began, those that go on under their state; tokens and
    money stand where the ledger entered them, and are also those of what belongs to no run."""

    at: Instant
    runs: dict[RunStatus, int]
    first_token: Latency | None = None
    duration: Latency | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: Picodollars = Picodollars(0)


class Failures(Struct, frozen=True):
    """How many runs of a model failed with an error's code, and when the last of them ended."""

    code: str
    provider: str
    model: str
    count: int
    last_at: Instant


class Wanted(Struct, frozen=True):
    """Which runs a list shows; what is None does not matter."""

    status: RunStatus | None = None
    user_id: str | None = None
    provider: str | None = None
    model: str | None = None
    since: Instant | None = None
    until: Instant | None = None


class SeenRun(Struct, frozen=True):
    """A run of anybody's, without a word of it."""

    id: str
    conversation_id: str
    user_id: str
    client_id: str
    status: RunStatus
    reason: str | None
    error_code: str | None
    provider: str
    model: str
    route: str | None
    created_at: Instant
    ended_at: Instant | None
    first_token_at: Instant | None
    total_tokens: int
    cost: Picodollars | None


class SeenStep(Struct, frozen=True):
    name: str
    status: StepStatus
    needs: str | None
    at: Instant
    end: Instant | None


class Seen(Struct, frozen=True):
    """A run with all that it did; `hints` are those of the keys that were used, by their ids."""

    run: SeenRun
    timings: tuple[Timing, ...]
    steps: tuple[SeenStep, ...]
    hints: dict[str, str]
