"""`/api/usage`: what the caller has used, and what is left."""

from collections.abc import Callable
from typing import Any, Literal

from msgspec import Struct

from prosa.domain.calendar import Calendar
from prosa.domain.money import Picodollars, to_dollars
from prosa.domain.opening import Remaining
from prosa.domain.time import Instant, to_iso
from prosa.domain.usage import Report, Share, Sum
from prosa.transport.errors import Headers
from prosa.transport.native.moments import Moment, day_or_moment
from prosa.transport.operation import Call, Nothing, Operation, Reply, Stream
from prosa.transport.pieces import write_pieces

Format = Literal["json", "csv"]


class UsageQuery(Struct, frozen=True):
    since: Moment | None = None
    until: Moment | None = None
    format: Format = "json"


class RemainingForm(Struct, frozen=True, rename="camel"):
    """What the limits leave, null where there is none; `scope` is whose limit is the nearest."""

    tokens: int | None
    cost: str | None
    tokens_reset_at: str | None
    cost_resets_at: str | None
    scope: Literal["user", "client", "everyone"] | None


class SumForm(Struct, frozen=True, rename="camel"):
    """`cost` is a number for plots, `costExact` the same in US dollars, exact."""

    requests: int
    total_tokens: int
    cost: float
    cost_exact: str


class DayForm(SumForm, frozen=True, rename="camel", kw_only=True):
    day: str


class ProviderForm(SumForm, frozen=True, rename="camel", kw_only=True):
    provider: str


class ModelForm(ProviderForm, frozen=True, rename="camel", kw_only=True):
    model: str


class UsageForm(SumForm, frozen=True, rename="camel", kw_only=True):
    """`until` is not of it any more. `requests` are the entries of the ledger, one for each time that a
    provider was asked; the tokens of `estimated` of them nobody reported, and `unpriced` have no known price
    and are in no cost."""

    since: str
    until: str
    timezone: str
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    reasoning_tokens: int
    messages_count: int
    estimated: int
    unpriced: int
    remaining: RemainingForm
    days: list[DayForm]
    models: list[ModelForm]
    providers: list[ProviderForm]


async def read_usage(call: Call[Nothing, UsageQuery]) -> Reply | Stream:
    """Of this month, unless `since` and `until` say otherwise: moments, or days of the server's time zone
    (`until` is the last one). As CSV it is the ledger itself, a line for each entry."""
    since, until = span(call.query.since, call.query.until, call.chat.reports.calendar)
    if call.query.format == "csv":
        pieces = call.chat.reports.sheet(call.principal, since, until)

        return Stream(lambda receive, send: write_pieces(CSV, pieces, receive, send))
    return Reply(200, usage_form(await call.chat.reports.own(call.principal, since, until)))


def span(since: str | None, until: str | None, calendar: Calendar) -> tuple[Instant | None, Instant | None]:
    """The moments that `since` and `until` name. Raises InvalidRequest."""
    begins = None if since is None else day_or_moment(since, "since", calendar)
    ends = None if until is None else day_or_moment(until, "until", calendar, last=True)
    return begins, ends


def usage_form(report: Report) -> UsageForm:
    total = report.total
    return UsageForm(
        **sums(total),
        since=to_iso(report.since),
        until=to_iso(report.until),
        timezone=report.zone,
        prompt_tokens=total.usage.prompt_tokens,
        completion_tokens=total.usage.completion_tokens,
        cached_tokens=total.usage.cached_tokens,
        reasoning_tokens=total.usage.reasoning_tokens,
        messages_count=report.messages,
        estimated=total.estimated,
        unpriced=total.unpriced,
        remaining=remaining_form(report.remaining),
        days=[
            DayForm(day=day, **sums(each)) for (day,), each in report.by(lambda share: (share.day,)).items()
        ],
        models=[
            ModelForm(provider=provider, model=model, **sums(each))
            for (provider, model), each in dearest(report, lambda share: (share.provider, share.model))
        ],
        providers=[
            ProviderForm(provider=provider, **sums(each))
            for (provider,), each in dearest(report, lambda share: (share.provider,))
        ],
    )


def sums(each: Sum) -> dict[str, Any]:
    exact = to_dollars(each.cost)
    return {
        "requests": each.requests,
        "total_tokens": each.usage.total_tokens,
        "cost": float(exact),
        "cost_exact": exact,
    }


def dearest(report: Report, key: Callable[[Share], tuple[str, ...]]) -> list[tuple[tuple[str, ...], Sum]]:
    """What `Report.by` answers, the greatest cost first."""
    found = report.by(key).items()
    return sorted(found, key=lambda each: (-each[1].cost, -each[1].usage.total_tokens, each[0]))


def remaining_form(left: Remaining) -> RemainingForm:
    limited = left.tokens is not None or left.cost is not None
    return RemainingForm(
        tokens=None if left.tokens is None else max(0, left.tokens),
        cost=None if left.cost is None else to_dollars(Picodollars(max(0, left.cost))),
        tokens_reset_at=None if left.tokens is None else to_iso(left.tokens_reset_at),
        cost_resets_at=None if left.cost is None else to_iso(left.cost_resets_at),
        scope="user" if limited else None,
    )


CSV: Headers = [
    (b"content-type", b"text/csv; charset=utf-8; header=present"),
    (b"content-disposition", b'attachment; filename="prosa-usage.csv"'),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]

OPERATIONS = [
    Operation("GET", "/api/usage", "Say what you have used, and what is left", read_usage, query=UsageQuery,
              gives={200: UsageForm}, stream="text/csv"),
]  # fmt: skip
