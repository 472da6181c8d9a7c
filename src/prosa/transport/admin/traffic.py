"""`/api/admin/traffic`, `/errors`, `/runs`: what goes on, for operators; never what was said."""

from typing import Any, Literal

from msgspec import Struct

from prosa.domain import errors as e
from prosa.domain.calendar import Calendar
from prosa.domain.money import to_dollars
from prosa.domain.runs import END_STATES, RunStatus
from prosa.domain.time import Instant, to_iso
from prosa.domain.traffic import Bucket, Failures, Latency, Seen, SeenRun, Stride, Wanted
from prosa.services.traffic import ended
from prosa.transport.admin.course import CourseForm, course
from prosa.transport.native.forms import ListQuery, Name, Page
from prosa.transport.native.moments import Moment, span
from prosa.transport.operation import Call, Nothing, Operation, Reply

Step = Literal["minute", "hour", "day"]


class LatencyForm(Struct, frozen=True):
    """In milliseconds."""

    p50: float
    p95: float


class BucketForm(Struct, frozen=True, rename="camel"):
    """The step that begins `at`, in that `day` of `PROSA_TIMEZONE`. Runs count where they began; `running`
    are those that have not ended, `firstTokenMs` is of those that said something, `durationMs` of the
    completed. Tokens and cost count where the ledger entered them, and are also those of requests that are no
    runs. Latencies are null where there is nothing to measure."""

    at: str
    day: str
    runs: int
    completed: int
    incomplete: int
    failed: int
    cancelled: int
    expired: int
    running: int
    first_token_ms: LatencyForm | None
    duration_ms: LatencyForm | None
    prompt_tokens: int
    completion_tokens: int
    cost: str


class FailuresForm(Struct, frozen=True, rename="camel"):
    """Runs of a model that failed with this code."""

    code: str
    provider: str
    model: str
    count: int
    last_at: str


class SeenRunForm(Struct, frozen=True, rename="camel"):
    id: str
    conversation_id: str
    user_id: str
    client_id: str
    status: str
    reason: str | None
    error_code: str | None
    provider: str
    model: str
    route: str | None
    created_at: str
    ended_at: str | None
    first_token_ms: float | None
    duration_ms: float | None
    total_tokens: int
    cost: str | None


class SeenForm(SeenRunForm, frozen=True, rename="camel", kw_only=True):
    """A run and its course, in the order of time."""

    timeline: list[CourseForm]


class SpanQuery(Struct, frozen=True, rename="camel"):
    """Dates alone are whole days of `PROSA_TIMEZONE`. Of nothing said, the last 24 hours."""

    since: Moment | None = None
    until: Moment | None = None


class FlowQuery(SpanQuery, frozen=True, rename="camel"):
    step: Step = "hour"


class RunsQuery(ListQuery, frozen=True, rename="camel"):
    """Dates alone are whole days of `PROSA_TIMEZONE`."""

    status: RunStatus | None = None
    user_id: Name | None = None
    provider: Name | None = None
    model: Name | None = None
    since: Moment | None = None
    until: Moment | None = None


def _span(call: Call[Nothing, Any]) -> tuple[Instant | None, Instant | None]:
    return span(call.query.since, call.query.until, call.chat.traffic.calendar)


def _milliseconds(since: Instant, until: Instant | None) -> float | None:
    return None if until is None else round((until - since) / 1_000, 1)


def _latency(latency: Latency | None) -> LatencyForm | None:
    if latency is None:
        return None
    return LatencyForm(round(latency.p50 / 1_000, 1), round(latency.p95 / 1_000, 1))


def _bucket(bucket: Bucket, calendar: Calendar) -> BucketForm:
    runs = bucket.runs
    total = sum(runs.values())
    return BucketForm(
        at=to_iso(bucket.at),
        day=calendar.day(bucket.at),
        runs=total,
        **{str(status): runs.get(status, 0) for status in END_STATES},
        running=total - ended(bucket),
        first_token_ms=_latency(bucket.first_token),
        duration_ms=_latency(bucket.duration),
        prompt_tokens=bucket.prompt_tokens,
        completion_tokens=bucket.completion_tokens,
        cost=to_dollars(bucket.cost),
    )


def _failures(failures: Failures) -> FailuresForm:
    return FailuresForm(
        failures.code, failures.provider, failures.model, failures.count, to_iso(failures.last_at)
    )


def _fields(run: SeenRun) -> dict[str, object]:
    return {
        "id": run.id,
        "conversation_id": run.conversation_id,
        "user_id": run.user_id,
        "client_id": run.client_id,
        "status": str(run.status),
        "reason": run.reason,
        "error_code": run.error_code,
        "provider": run.provider,
        "model": run.model,
        "route": run.route,
        "created_at": to_iso(run.created_at),
        "ended_at": None if run.ended_at is None else to_iso(run.ended_at),
        "first_token_ms": _milliseconds(run.created_at, run.first_token_at),
        "duration_ms": _milliseconds(run.created_at, run.ended_at),
        "total_tokens": run.total_tokens,
        "cost": None if run.cost is None else to_dollars(run.cost),
    }


def _seen(seen: Seen) -> SeenForm:
    return SeenForm(**_fields(seen.run), timeline=course(seen))  # type: ignore[arg-type] # field by field, see above


async def list_traffic(call: Call[Nothing, FlowQuery]) -> Reply:
    """Oldest first, a bucket for each step, also where nothing happened; days, and hours, are those of
    `PROSA_TIMEZONE`. Runs of
    conversations that were deleted are not counted; the ledger's tokens and cost are."""
    traffic, stride = call.chat.traffic, Stride[call.query.step.upper()]
    flow = await traffic.flow(call.principal, *_span(call), stride)
    return Reply(200, Page([_bucket(each, traffic.calendar) for each in flow], None))


async def list_errors(call: Call[Nothing, SpanQuery]) -> Reply:
    """Why runs failed, the most frequent first. A failure that a retry or another target has mended is in the
    run's course and in the metrics."""
    failures = await call.chat.traffic.failures(call.principal, *_span(call))
    return Reply(200, Page([_failures(each) for each in failures], None))


async def list_runs(call: Call[Nothing, RunsQuery]) -> Reply:
    """Runs of all users, newest first."""
    query = call.query
    wanted = Wanted(query.status, query.user_id, query.provider, query.model, *_span(call))
    runs, cursor = await call.chat.traffic.runs(call.principal, wanted, query.limit, query.cursor)
    return Reply(200, Page([SeenRunForm(**_fields(each)) for each in runs], cursor))  # type: ignore[arg-type] # as above


async def get_run(call: Call[Nothing, Nothing]) -> Reply:
    """A run of anybody's and its course: waits, attempts, tools."""
    seen = await call.chat.traffic.run(call.principal, call.id("runId", e.RunNotFound))
    return Reply(200, _seen(seen))


_ADMIN = "/api/admin"

OPERATIONS = [
    Operation("GET", f"{_ADMIN}/traffic", "See the traffic over time", list_traffic, query=FlowQuery,
              gives={200: Page[BucketForm]}, operator=True),
    Operation("GET", f"{_ADMIN}/errors", "See why runs failed", list_errors, query=SpanQuery,
              gives={200: Page[FailuresForm]}, operator=True),
    Operation("GET", f"{_ADMIN}/runs", "List the runs of all users", list_runs, query=RunsQuery,
              gives={200: Page[SeenRunForm]}, operator=True),
    Operation("GET", f"{_ADMIN}/runs/{{runId}}", "See the course of a run", get_run, gives={200: SeenForm},
              errors=(e.RunNotFound,), operator=True),
]  # fmt: skip
