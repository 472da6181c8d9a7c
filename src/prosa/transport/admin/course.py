"""A run's course as a line of time: its wait for a turn, attempts, first word, tools, waits, end."""

from typing import Literal

from msgspec import Struct

from prosa.domain.steps import StepStatus
from prosa.domain.time import Instant, to_iso
from prosa.domain.timing import Timing
from prosa.domain.traffic import Seen, SeenStep

Kind = Literal["queued", "attempt", "recalled", "first_token", "step", "wait", "flag", "end"]


class CourseForm(Struct, frozen=True, rename="camel"):
    """`key` is the end of the provider's key, `name` that of a tool, `code` what ended an attempt early, or
    why the run ended. A flag has the `name` of the check, its side as `status`, what it found as `code`."""

    kind: Kind
    at: str
    end_at: str | None = None
    provider: str | None = None
    model: str | None = None
    key: str | None = None
    tokens: int | None = None
    status: str | None = None
    name: str | None = None
    code: str | None = None


def course(seen: Seen) -> list[CourseForm]:
    """In the order of time; of things of one moment, in that of their kinds above."""
    run = seen.run
    marks = [_mark("queued", run.created_at, _asked(seen))]
    for timing in seen.timings:
        marks += _timed(seen, timing)
    if run.first_token_at is not None:
        marks.append(_mark("first_token", run.first_token_at, None))
    marks += [_stepped(step) for step in seen.steps]
    if run.ended_at is not None:
        code = run.error_code or run.reason
        marks.append(_mark("end", run.ended_at, None, status=str(run.status), code=code,
                           tokens=run.total_tokens))  # fmt: skip
    return [form for _, form in sorted(marks, key=lambda mark: mark[0])]


_Mark = tuple[tuple[Instant, int], CourseForm]
_ORDER: tuple[Kind, ...] = ("queued", "wait", "attempt", "recalled", "first_token", "step", "flag", "end")


def _mark(kind: Kind, at: Instant, end: Instant | None, **fields: str | int | None) -> _Mark:
    until = None if end is None else to_iso(end)
    return (at, _ORDER.index(kind)), CourseForm(kind, to_iso(at), until, **fields)  # type: ignore[arg-type] # as named


def _asked(seen: Seen) -> Instant | None:
    """When the first provider was asked; until then the run waited for its turn."""
    first = _first(seen)
    return seen.run.ended_at if first is None else first.at


def _first(seen: Seen) -> Timing | None:
    """The first attempt, or the answer that was kept."""
    return next((each for each in seen.timings if each.kind in ("attempt", "recalled")), None)


def _timed(seen: Seen, timing: Timing) -> list[_Mark]:
    end = seen.run.ended_at if timing.end is None else timing.end  # of what broke off with its process
    if timing.kind == "wait":
        return [_mark("wait", timing.at, end)]
    if timing.kind == "flag":
        check, side, *found = timing.flag
        return [_mark("flag", timing.at, None, name=check, status=side, code=", ".join(found) or None)]
    attempt = _mark(
        timing.kind,
        timing.at,
        end,
        provider=timing.provider,
        model=timing.model,
        key=None if timing.key is None else seen.hints.get(timing.key),
        tokens=timing.tokens,
        status=_status(seen, timing),
        code=timing.code,
    )
    if timing.queued is None or timing is _first(seen):
        return [attempt]
    return [_mark("queued", timing.queued, timing.at), attempt]


def _status(seen: Seen, timing: Timing) -> str:
    if timing.end is None:
        return "in_progress" if seen.run.ended_at is None else "incomplete"
    return {None: "completed", "stopped": "cancelled", "shutdown": "incomplete", "length": "incomplete"}.get(
        timing.code, "failed"
    )


def _stepped(step: SeenStep) -> _Mark:
    """A call of a tool; one that the caller answers is none of ours until then."""
    waits = step.status in (StepStatus.WAITING, StepStatus.ALLOWED)
    return _mark("step", step.at, None if waits else step.end, status=str(step.status), name=step.name)
