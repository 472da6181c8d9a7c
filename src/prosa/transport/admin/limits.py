"""`/api/admin/limits`: what users, clients and all together may use, for the operator."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from prosa.domain.errors import InvalidRequest
from prosa.domain.limits import MOST, MOST_DOLLARS, Cap, LimitNotFound, Rule, Scope, Standing, payable
from prosa.domain.money import Picodollars, from_dollars, to_dollars
from prosa.domain.principal import Principal
from prosa.domain.time import now, to_iso
from prosa.transport.native.forms import Page
from prosa.transport.operation import Call, Nothing, Operation, Reply

ScopeName = Literal["user", "client", "everyone"]
Subject = Annotated[str, Meta(max_length=255, pattern=r"^[^\x00]*$")]
Count = Annotated[
    float, Meta(ge=0, le=MOST, multiple_of=1, extra_json_schema={"type": "integer"})
]  # as JSON has it, where 7.0 is a whole number
Dollars = Annotated[str, Meta(pattern=r"^\d{1,7}(\.\d{1,12})?$", description="US dollars.")]


class CapForm(Struct, frozen=True, rename="camel", kw_only=True):
    """Null means without limit."""

    tokens_per_day: int | None = None
    cost_per_month: str | None = None
    requests_per_minute: int | None = None
    runs_at_once: int | None = None
    sockets: int | None = None


class LimitBody(Struct, frozen=True, rename="camel", kw_only=True):
    """`subject` is a user or a client; "" stands for each of the scope that has no limit of its own."""

    scope: ScopeName
    subject: Subject = ""
    tokens_per_day: Count | None = None
    cost_per_month: Dollars | None = None
    requests_per_minute: Count | None = None
    runs_at_once: Count | None = None
    sockets: Count | None = None


class LimitForm(CapForm, frozen=True, rename="camel", kw_only=True):
    """What the settings say can't be changed here; the stricter of settings and table holds."""

    scope: ScopeName
    subject: str
    source: Literal["settings", "table"]
    updated_at: str | None = None
    updated_by: str | None = None


class LimitQuery(Struct, frozen=True):
    scope: ScopeName
    subject: Subject = ""


class StandingQuery(Struct, frozen=True, rename="camel"):
    user_id: Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[^\x00]*$")]
    client_id: Subject = ""


class ScopeForm(Struct, frozen=True, rename="camel", kw_only=True):
    """`left` is null without a limit; it may be below zero where a limit was lowered."""

    scope: ScopeName
    subject: str
    limits: CapForm
    spent_tokens: int
    held_tokens: int
    left_tokens: int | None
    spent_cost: str
    held_cost: str
    left_cost: str | None
    runs: int


class StandingForm(Struct, frozen=True, rename="camel"):
    """`limits` is what holds for the user himself, `scopes` are those where tokens, money or runs are."""

    user_id: str
    client_id: str
    limits: CapForm
    scopes: list[ScopeForm]
    tokens_reset_at: str
    costs_reset_at: str


def _whole(count: float | None) -> int | None:
    return None if count is None else int(count)


def _cap(cap: Cap) -> dict[str, Any]:
    cost = cap.cost_per_month
    return {
        "tokens_per_day": cap.tokens_per_day,
        "cost_per_month": None if cost is None else to_dollars(cost),
        "requests_per_minute": cap.requests_per_minute,
        "runs_at_once": cap.runs_at_once,
        "sockets": cap.sockets,
    }


def rule_form(rule: Rule) -> LimitForm:
    return LimitForm(
        scope=rule.scope.value,
        subject=rule.subject,
        source="table",
        updated_at=to_iso(rule.updated_at),
        updated_by=rule.updated_by,
        **_cap(rule.cap),
    )


def _scope_form(subject: str, of: Standing) -> ScopeForm:
    cap = of.cap
    tokens, cost = cap.tokens_per_day, cap.cost_per_month
    left = None if cost is None else to_dollars(Picodollars(cost - of.cost - of.held_cost))
    return ScopeForm(
        scope=of.scope.value,
        subject=subject,
        limits=CapForm(**_cap(cap)),
        spent_tokens=of.tokens,
        held_tokens=of.held_tokens,
        left_tokens=None if tokens is None else tokens - of.tokens - of.held_tokens,
        spent_cost=to_dollars(of.cost),
        held_cost=to_dollars(of.held_cost),
        left_cost=left,
        runs=of.runs,
    )


async def list_limits(call: Call[Nothing, Nothing]) -> Reply:
    """Those of the settings, then those of the table; that they were read is a row of the audit log."""
    allowances = call.chat.limits
    found = [
        LimitForm(scope=scope.value, subject=subject, source="settings", **_cap(cap))
        for scope, subject, cap in allowances.settings()
    ]
    found += [rule_form(rule) for rule in await allowances.rules(call.principal)]
    return Reply(200, Page(found, None))


async def put_limit(call: Call[LimitBody, Nothing]) -> Reply:
    """In place of the limits that there are for the same subject. They hold at once; runs that go on are held
    to them at their next step."""
    body = call.body
    scope = Scope(body.scope)
    if scope is Scope.EVERYONE and body.subject:
        raise InvalidRequest("the limits of everyone have no subject.")
    cost = None if body.cost_per_month is None else Decimal(body.cost_per_month)
    if cost is not None and not payable(cost):
        raise InvalidRequest(f"costPerMonth must be at most {MOST_DOLLARS}.")
    cap = Cap(
        _whole(body.tokens_per_day),
        None if cost is None else from_dollars(cost),
        _whole(body.requests_per_minute),
        _whole(body.runs_at_once),
        _whole(body.sockets),
    )
    return Reply(200, rule_form(await call.chat.limits.put(call.principal, scope, body.subject, cap)))


async def delete_limit(call: Call[Nothing, LimitQuery]) -> Reply:
    """Takes the limits of the table away; those of the settings stay."""
    await call.chat.limits.delete(call.principal, Scope(call.query.scope), call.query.subject)
    return Reply(204)


async def read_standing(call: Call[Nothing, StandingQuery]) -> Reply:
    """What is spent, held and left for one user, by each limit that counts for him. What a token of his says
    is not known here."""
    user = Principal(call.query.user_id, call.query.client_id)
    limits, found = await call.chat.limits.standing(call.principal, user)
    subjects = {Scope.USER: user.user_id, Scope.CLIENT: user.client_id, Scope.EVERYONE: ""}
    moment = now()
    form = StandingForm(
        user.user_id,
        user.client_id,
        CapForm(**_cap(limits)),
        [_scope_form(subjects[each.scope], each) for each in found],
        to_iso(limits.calendar.day_of(moment).until),
        to_iso(limits.calendar.month_of(moment).until),
    )
    return Reply(200, form)


_LIMITS = "/api/admin/limits"

OPERATIONS = [
    Operation("GET", _LIMITS, "List the limits", list_limits, gives={200: Page[LimitForm]}, operator=True),
    Operation("PUT", _LIMITS, "Set limits", put_limit, takes=LimitBody, gives={200: LimitForm},
              operator=True),
    Operation("DELETE", _LIMITS, "Take limits away", delete_limit, query=LimitQuery, gives={204: None},
              errors=(LimitNotFound,), operator=True),
    Operation("GET", f"{_LIMITS}/standing", "Say how the limits of a user stand", read_standing,
              query=StandingQuery, gives={200: StandingForm}, operator=True),
]  # fmt: skip
