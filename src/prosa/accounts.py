"""The library's face of the ledger: what was used, and what a message would take."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from msgspec import Struct

from prosa.domain.calendar import Calendar
from prosa.domain.errors import InvalidRequest
from prosa.domain.limits import Remaining
from prosa.domain.models import Role, Turn
from prosa.domain.money import Picodollars, to_dollars
from prosa.domain.principal import LOCAL, Principal
from prosa.domain.time import Instant, from_iso
from prosa.domain.usage import Report, Sum
from prosa.services.chat import Chat
from prosa.services.runs.start import Send, system_turns_apart

When = datetime | date | str


class Left(Struct, frozen=True):
    """What the limits leave; None without one."""

    tokens: int | None
    cost: Decimal | None


class Amount(Struct, frozen=True):
    """So many requests, tokens and US dollars (exact)."""

    requests: int
    total_tokens: int
    cost: Decimal


class Used(Struct, frozen=True):
    """What was used in some time. `requests` are how often providers were asked, `cost` is in US dollars,
    exact; the tokens of `estimated` requests nobody reported, and `unpriced` ones are in no cost. `days` are
    by date (ISO 8601), `models` by "provider/model"."""

    requests: int
    total_tokens: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    reasoning_tokens: int
    cost: Decimal
    messages_count: int
    estimated: int
    unpriced: int
    remaining: Left
    days: Mapping[str, Amount]
    models: Mapping[str, Amount]


class Expected(Struct, frozen=True):
    """What a message would take: about so many tokens of input (`prompt_exact`: as the model counts), an
    answer of so many at most, and the most that both can cost, None without a known price. `allowed` says
    whether the limits have room, `code` why not."""

    provider: str
    model: str
    prompt_tokens: int
    prompt_exact: bool
    max_completion_tokens: int
    total_tokens: int
    cost: Decimal | None
    allowed: bool
    code: str | None
    remaining: Left


class Accounts:
    """What `Prosa` knows of tokens and money."""

    @property
    def services(self) -> Chat:
        raise NotImplementedError

    async def open(self) -> None:
        raise NotImplementedError

    async def usage(
        self,
        *,
        since: When | None = None,
        until: When | None = None,
        user_id: str = LOCAL.user_id,
    ) -> Used:
        """What a user has used: this month, or from `since` until before `until` (a datetime, a date, or
        text in ISO 8601; a date is its first moment in the settings' time zone). Raises InvalidRequest.

            used = await prosa.usage()
            print(used.total_tokens, used.cost, used.messages_count)
        """
        await self.open()
        reports = self.services.reports
        begins, ends = _instant(since, reports.calendar), _instant(until, reports.calendar)
        return _used(await reports.own(Principal(user_id), begins, ends))

    async def estimate(  # noqa: PLR0913 - each is a knob of the request that it is an estimate of
        self,
        content: str | Sequence[Mapping[str, str]],
        conversation_id: str | None = None,
        *,
        provider: str | None = None,
        model: str | None = None,
        system_prompt: str | None = None,
        max_tokens: int | None = None,
        user_id: str = LOCAL.user_id,
    ) -> Expected:
        """What sending `content` would take: the next message of a conversation (its id, or your own name for
        it; None: of a new one), or messages (`{"role", "content"}`, oldest first, the last the user's).
        Nothing is sent, stored or held. Raises what sending would, but for limits."""
        await self.open()
        principal, conversation = Principal(user_id), ""
        if conversation_id is not None:
            conversation = (await self.services.conversations.known(principal, conversation_id)).id
        system, history, text = _said(content)
        send = Send(
            conversation,
            text,
            history=history,
            provider=provider,
            model=model,
            system_prompt=system_prompt or system,
            max_tokens=max_tokens,
        )
        found = await self.services.estimates.of(principal, send)
        return Expected(
            provider=found.provider,
            model=found.model,
            prompt_tokens=found.prompt_tokens,
            prompt_exact=found.exact,
            max_completion_tokens=found.max_completion_tokens,
            total_tokens=found.prompt_tokens + found.max_completion_tokens,
            cost=None if found.cost is None else _dollars(found.cost),
            allowed=found.refused is None,
            code=found.refused,
            remaining=_left(found.remaining),
        )


def _used(report: Report) -> Used:
    total = report.total
    days = report.by(lambda share: (share.day,))
    models = report.by(lambda share: (share.provider, share.model))
    return Used(
        requests=total.requests,
        total_tokens=total.usage.total_tokens,
        prompt_tokens=total.usage.prompt_tokens,
        completion_tokens=total.usage.completion_tokens,
        cached_tokens=total.usage.cached_tokens,
        reasoning_tokens=total.usage.reasoning_tokens,
        cost=_dollars(total.cost),
        messages_count=report.messages or 0,
        estimated=total.estimated,
        unpriced=total.unpriced,
        remaining=_left(report.remaining),
        days={day: _amount(each) for (day,), each in days.items()},
        models={"/".join(name): _amount(each) for name, each in models.items()},
    )


def _amount(each: Sum) -> Amount:
    return Amount(each.requests, each.usage.total_tokens, _dollars(each.cost))


def _left(remaining: Remaining) -> Left:
    tokens = None if remaining.tokens is None else max(0, remaining.tokens)
    cost = None if remaining.cost is None else _dollars(Picodollars(max(0, remaining.cost)))
    return Left(tokens, cost)


def _dollars(amount: Picodollars) -> Decimal:
    return Decimal(to_dollars(amount))


def _said(
    content: str | Sequence[Mapping[str, str]],
) -> tuple[str | None, tuple[Turn, ...] | None, str]:
    """The instructions, the history and the last words. Raises InvalidRequest."""
    if isinstance(content, str):
        return None, None, content
    turns = []
    for given in content:
        match given:
            case {"role": "user" | "assistant" | "system" as role, "content": str(text)}:
                turns.append(Turn(Role(role), text))
            case _:
                raise InvalidRequest('each message must be {"role": …, "content": a text}.')
    if not turns or turns[-1].role is not Role.USER:
        raise InvalidRequest("the last of the messages must be the user's.")
    system, history = system_turns_apart(turns[:-1])
    return system, history, turns[-1].content


def _instant(given: When | None, calendar: Calendar) -> Instant | None:
    if given is None:
        return None
    text = given if isinstance(given, str) else given.isoformat()
    try:
        day = date.fromisoformat(text)
    except ValueError:
        found = from_iso(text)
    else:
        found = calendar.moment(day.year, day.month, day.day)
    if found is None:
        raise InvalidRequest("since and until must be dates, datetimes, or text as in 2026-11-21T09:30:00Z.")
    return found
