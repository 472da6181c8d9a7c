"""`/api/usage`: what the caller has used, and what is left."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from prosa.domain import errors as e
from prosa.domain.limits import Remaining
from prosa.domain.models import Role, Turn
from prosa.domain.money import Picodollars, to_dollars
from prosa.domain.time import to_iso
from prosa.domain.usage import Report, Share, Sum
from prosa.services.runs.start import Send, system_turns_apart
from prosa.transport.errors import Headers
from prosa.transport.native.forms import Content, Id, MaxTokens, Name, Prompt
from prosa.transport.native.moments import Moment, span
from prosa.transport.native.plain import TurnForm
from prosa.transport.operation import Call, Nothing, Operation, Reply, Stream
from prosa.transport.pieces import write_pieces

Format = Literal["json", "csv"]


class UsageQuery(Struct, frozen=True):
    since: Moment | None = None
    until: Moment | None = None
    format: Format = "json"


class RemainingForm(Struct, frozen=True, rename="camel"):
    """What the limits leave, null where there is none; `scope` is whose limit
    that of the tokens is, without one that of the cost."""

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


class TotalsForm(SumForm, frozen=True, rename="camel", kw_only=True):
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
    estimated: int
    unpriced: int
    days: list[DayForm]
    models: list[ModelForm]
    providers: list[ProviderForm]


class UsageForm(TotalsForm, frozen=True, rename="camel", kw_only=True):
    """`messagesCount` are the questions and answers of that time in one's conversations."""

    messages_count: int
    remaining: RemainingForm


async def read_usage(call: Call[Nothing, UsageQuery]) -> Reply | Stream:
    """Of this month, unless `since` and `until` say otherwise: moments, or days of the server's time zone
    (`until` is the last one). As CSV it is the ledger itself, a line for each entry."""
    since, until = span(call.query.since, call.query.until, call.chat.reports.calendar)
    if call.query.format == "csv":
        pieces = call.chat.reports.sheet(call.principal, since, until)

        return Stream(lambda receive, send: write_pieces(CSV, pieces, receive, send))
    return Reply(200, usage_form(await call.chat.reports.own(call.principal, since, until)))


class EstimateBody(Struct, frozen=True, rename="camel"):
    """Either `content`, the next message of a conversation (without `conversationId`: of a new one), or
    `messages`, the last of which is the user's."""

    content: Content | UnsetType = UNSET
    messages: Annotated[list[TurnForm], Meta(min_length=1, max_length=1_000)] | UnsetType = UNSET
    conversation_id: Id | None = None
    provider: Name | None = None
    model: Name | None = None
    system_prompt: Prompt | None = None
    max_tokens: MaxTokens | None = None


class EstimateForm(Struct, frozen=True, rename="camel"):
    """`promptTokens` is what the model would count where `promptExact`, else an estimate; `totalTokens` is
    that and the longest answer, and `cost` the most that this can cost, null where the price is not known.
    `allowed` says whether the limits have room for it, else `code` why not."""

    provider: str
    model: str
    prompt_tokens: int
    prompt_exact: bool
    max_completion_tokens: int
    total_tokens: int
    cost: float | None
    cost_exact: str | None
    allowed: bool
    code: str | None
    remaining: RemainingForm


async def estimate_usage(call: Call[EstimateBody, Nothing]) -> Reply:
    """Nothing is stored, held or asked of a provider."""
    found = await call.chat.estimates.of(call.principal, _send(call.body))
    exact = None if found.cost is None else to_dollars(found.cost)
    form = EstimateForm(
        provider=found.provider,
        model=found.model,
        prompt_tokens=found.prompt_tokens,
        prompt_exact=found.exact,
        max_completion_tokens=found.max_completion_tokens,
        total_tokens=found.prompt_tokens + found.max_completion_tokens,
        cost=None if exact is None else float(exact),
        cost_exact=exact,
        allowed=found.refused is None,
        code=found.refused,
        remaining=remaining_form(found.remaining),
    )
    return Reply(200, form)


def _send(body: EstimateBody) -> Send:
    """Raises InvalidRequest."""
    if (body.content is UNSET) == (body.messages is UNSET):
        raise e.InvalidRequest("either content or messages is needed.")
    system, history, content = None, None, body.content
    if body.messages is not UNSET:
        *before, last = body.messages
        if last.role != "user":
            raise e.InvalidRequest("the last of messages must be the user's.")
        content = last.content
        system, history = system_turns_apart([Turn(Role(each.role), each.content) for each in before])
    return Send(
        conversation_id=(body.conversation_id or "").lower(),
        content=None if content is UNSET else content,
        history=history,
        provider=body.provider,
        model=body.model,
        system_prompt=body.system_prompt or system,
        max_tokens=None if body.max_tokens is None else int(body.max_tokens),
    )


def usage_form(report: Report) -> UsageForm:
    remaining = remaining_form(report.remaining)
    return UsageForm(**totals(report), messages_count=report.messages or 0, remaining=remaining)


def totals(report: Report) -> dict[str, Any]:
    """The fields of a `TotalsForm`."""
    total = report.total
    return {
        **sums(total),
        "since": to_iso(report.since),
        "until": to_iso(report.until),
        "timezone": report.zone,
        "prompt_tokens": total.usage.prompt_tokens,
        "completion_tokens": total.usage.completion_tokens,
        "cached_tokens": total.usage.cached_tokens,
        "reasoning_tokens": total.usage.reasoning_tokens,
        "estimated": total.estimated,
        "unpriced": total.unpriced,
        "days": [
            DayForm(day=day, **sums(each)) for (day,), each in report.by(lambda share: (share.day,)).items()
        ],
        "models": [
            ModelForm(provider=provider, model=model, **sums(each))
            for (provider, model), each in dearest(report, lambda share: (share.provider, share.model))
        ],
        "providers": [
            ProviderForm(provider=provider, **sums(each))
            for (provider,), each in dearest(report, lambda share: (share.provider,))
        ],
    }


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
    scope = left.tokens_scope or left.cost_scope
    return RemainingForm(
        tokens=None if left.tokens is None else max(0, left.tokens),
        cost=None if left.cost is None else to_dollars(Picodollars(max(0, left.cost))),
        tokens_reset_at=None if left.tokens is None else to_iso(left.tokens_reset_at),
        cost_resets_at=None if left.cost is None else to_iso(left.cost_resets_at),
        scope=None if scope is None else scope.value,
    )


CSV: Headers = [
    (b"content-type", b"text/csv; charset=utf-8; header=present"),
    (b"content-disposition", b'attachment; filename="prosa-usage.csv"'),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]

_EITHER = [
    {"required": ["content"], "properties": {"messages": False}},
    {"required": ["messages"], "properties": {"content": False}},
]

OPERATIONS = [
    Operation("GET", "/api/usage", "Say what you have used, and what is left", read_usage, query=UsageQuery,
              gives={200: UsageForm}, stream="text/csv"),
    Operation("POST", "/api/usage/estimate", "Say what a message would take", estimate_usage,
              takes=Annotated[EstimateBody, Meta(extra_json_schema={"oneOf": _EITHER})],
              gives={200: EstimateForm},
              errors=(e.ConversationNotFound, e.NoSuchProvider, e.ProviderNotConfigured, e.QueueFull,
                      e.ContextTooLong)),
]  # fmt: skip
