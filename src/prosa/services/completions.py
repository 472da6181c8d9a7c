"""Answers that nothing is stored of: asked of any model, told as they come, billed for what they used."""

import asyncio
import contextlib
import sys
from bisect import bisect_left
from collections.abc import Awaitable, Callable
from contextlib import aclosing

import msgspec
from msgspec.structs import replace

from prosa.domain.errors import LimitReached, PriceUnknown, ProsaError, ShuttingDown
from prosa.domain.limits import Bound, Remaining
from prosa.domain.models import (
    Aside,
    Asked,
    ChatRequest,
    Finish,
    FinishReason,
    Flagged,
    ModelEvent,
    Origin,
    Queued,
    Recalled,
    RefusalDelta,
    Reset,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    Usage,
    UsageReport,
    Withheld,
)
from prosa.domain.principal import Principal
from prosa.domain.time import Instant, now
from prosa.ports.models import ChatModel
from prosa.services.context import window
from prosa.services.guard.admission import Admission
from prosa.services.guard.guarded import judging
from prosa.services.guard.judge import unpaid
from prosa.services.ledger import Hold, Ledger
from prosa.services.models import prices
from prosa.services.models.catalogue import Catalogue, Choice
from prosa.services.models.policy import refusal
from prosa.services.runs.rounds import DENSE_TOKEN, LONGEST_TOKEN, SLACK, weight
from prosa.services.runs.settle import Attempt
from prosa.services.runs.start import LEAST_ANSWER, Defaults
from prosa.services.tracing import tracing

_ON_THE_WAY = frozenset({Asked, Queued, Recalled, UsageReport, Withheld, Aside, Flagged})

Tell = Callable[[ModelEvent], Awaitable[None]]


class Generation:
    """One answer. `provider` and `model` are who gives it, `used` what it took once it has finished."""

    def __init__(
        self,
        model: ChatModel,
        request: ChatRequest,
        hold: Hold,
        choice: Choice,
        note: Callable[[Aside], None] = tracing.beside,
    ) -> None:
        self.id = hold.id
        self._note = note
        self.provider = choice.provider
        self.model = choice.model
        self.used = Usage()
        self.cached_at: Instant | None = None
        """When the answer was given, if it was kept."""
        self._model = model
        self._request = request
        self._hold = hold
        hold.said = self._text
        self._said: list[str] = []
        self._length = 0
        self._task: asyncio.Task[object] | None = None
        self._halted = False
        self._quiet = True
        self._begun = False

    async def run(self, tell: Tell) -> None:
        """Gives each event of the answer to `tell`, but for those of the way to it (`Asked`, `Queued`) and
        reports. Whoever cancels it stops the provider; what was used is billed in any case.

        Raises ProviderError, LimitReached and PriceUnknown (a target that is dearer than what was held, a
        judge whom nobody can pay) before anything was told, ShuttingDown, and what `tell` raises.
        """
        self._task = asyncio.current_task()
        try:
            if self._halted:
                raise ShuttingDown
            await self._consume(tell)
        except asyncio.CancelledError:
            if not self._halted or self._task is None:
                raise
            self._task.uncancel()
            raise ShuttingDown from None
        except (LimitReached, PriceUnknown) as error:
            if not self._begun:
                raise
            await self._cut(tell, error.code)
        except ProsaError as error:
            self._end_attempt(error.code)
            self.used = self._hold.used
            raise
        finally:
            self._task = None
            await self.close()

    async def text(self) -> str:
        """Runs to the end and answers the text alone. Raises what `run` raises."""
        said: list[str] = []

        async def tell(event: ModelEvent) -> None:
            if isinstance(event, TextDelta):
                said.append(event.text)
            elif isinstance(event, Reset):
                said.clear()

        await self.run(tell)
        return "".join(said)

    async def close(self) -> None:
        """Bills what was used, and lets go of what was held for it. Safe to repeat."""
        self._end_attempt()
        if timings := self._hold.take_timings():
            self._note(Aside(timings))
        await self._hold.release()

    def halt(self) -> None:
        """The server is going down."""
        self._halted = True
        if self._task is not None:
            self._task.cancel()

    async def _consume(self, tell: Tell) -> None:
        attempt = self._begin_attempt()
        most, longest = self._bounds()
        async with aclosing(self._model.stream(self._request)) as events:
            async for event in events:
                kind = type(event)
                if kind is TextDelta:
                    if self._quiet:
                        self._quiet = False
                        attempt.speak()
                    if len(self._said) >= most:  # it does not heed its bound: no piece is less than a token
                        await self._cut(tell)
                        return
                    self._say(event.text)  # type: ignore[union-attr]  # a TextDelta, see above
                elif kind in _ON_THE_WAY:
                    attempt = await self._on_the_way(attempt, event)
                    continue
                else:
                    attempt = self._seldom(attempt, event)
                self._begun = True
                await tell(event)
                if self._length + attempt.unsaid > longest and kind is not Finish:
                    await self._cut(tell)
                    return

    def _bounds(self) -> tuple[int, int]:
        """More pieces of text, and more characters of all that is told, an attempt can't have: as with runs,
        less is believed of a token where somebody has to pay."""
        most = self._request.max_tokens
        if self._hold.limited:
            return most, most * DENSE_TOKEN + SLACK
        return sys.maxsize, (most + 10_000) * LONGEST_TOKEN

    def _say(self, text: str) -> None:
        self._said.append(text)
        self._length += len(text)

    async def _cut(self, tell: Tell, code: str | None = None) -> None:
        """The answer is as long as it may be, whatever its provider says."""
        self._end_attempt(code)
        self.used = self._hold.used
        await tell(Finish(FinishReason.LENGTH))

    def _seldom(self, attempt: Attempt, event: ModelEvent) -> Attempt:
        """What the ledger has to know of an event that is told but is no text."""
        match event:
            case Reset(reason) if self._said or attempt.unsaid:  # no other was asked yet
                self._end_attempt(reason)
                return self._begin_attempt()
            case Reset():
                pass
            case Finish():
                attempt.called = attempt.finished = True
                self._end_attempt()
                self.used = self._hold.used
            case RefusalDelta(text):
                attempt.called = True
                self._say(text)
            case ThinkingDelta(text) | ToolCallDelta(_, text):
                attempt.called = True
                attempt.unsaid += len(text)
            case _:
                attempt.called = True
                self._length += weight(event)
        return attempt

    async def _on_the_way(self, attempt: Attempt, event: ModelEvent) -> Attempt:
        match event:
            case UsageReport(usage):
                attempt.called = True
                if usage.credible:
                    attempt.reported = usage
            case Asked(provider, model, key, after):
                if attempt.called:
                    self._end_attempt(after)
                    attempt = self._begin_attempt()
                self.provider, self.model = provider, model
                attempt.provider, attempt.model, attempt.key = provider, model, key
                taken = input_bound(self._request, model)
                await self._hold.widen(bound_of(provider, model, taken, self._request.max_tokens))
                attempt.called = True
                attempt.asked = now()
            case Recalled(provider, model, made_at):
                self.provider, self.model, self.cached_at = provider, model, made_at
                attempt.provider, attempt.model = provider, model
                attempt.called = attempt.recalled = True
            case Withheld(characters):
                attempt.unsaid += characters
            case Aside():
                self._note(event)
            case _:
                pass
        return attempt

    def _begin_attempt(self) -> Attempt:
        self._quiet = True
        request = self._request
        prompt = window.tokens(request.turns, request.system, request.tools)
        attempt = Attempt(self.provider, self.model, prompt, request.max_tokens, asked=now())
        return self._hold.begin(attempt)

    def _text(self) -> str:
        return "".join(self._said)

    def _end_attempt(self, code: str | None = None) -> None:
        self._hold.close(self._text(), code)
        self._said.clear()
        self._length = 0


class Completions:
    """Begins generations, and ends those that still go on when the server goes down."""

    def __init__(
        self,
        ledger: Ledger,
        catalogue: Catalogue,
        defaults: Defaults,
        admission: Admission,
    ) -> None:
        self.draining = False
        self._admission = admission
        self._ledger = ledger
        self._catalogue = catalogue
        self._defaults = defaults
        self._running: set[Generation] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    async def begin(
        self,
        principal: Principal,
        asked: ChatRequest,
        *,
        most: int | None = None,
        number: int = 1,
        conversation_id: str | None = None,
        beside: bool = False,
    ) -> "Begun":
        """Holds the money for `number` answers to `asked`; none is asked for yet. `asked.model` is a name as
        callers know it (a route, an alias, "provider/model", ""), `most` their own bound of the answer; the
        ledger says that it was for `conversation_id`. What a route has kept will do only where `asked` has an
        origin. Where others judge the answer, one judgement must fit beside it.

        Raises ShuttingDown, NoSuchProvider, ProviderNotConfigured, QueueFull, LimitReached, PriceUnknown,
        StoreUnavailable.
        """
        if self.draining:
            raise ShuttingDown
        if not beside:
            await self._ledger.limits.requests.take(principal)
        choice = self._catalogue.choose((None, asked.model or None))
        model = self._open(choice, principal)
        await self._admission.of(principal, choice.route, asked)
        taken = 0
        wished = choice, model

        def measure(remaining: Remaining) -> Bound:  # once more, where the transaction is tried again
            nonlocal choice, model, taken
            choice, model = self._catalogue.stepped(wished[0], remaining.used), wished[1]
            if choice.stepped is not None:
                model = self._open(choice, principal)
            taken = input_bound(asked, choice.model)
            wanted = most or room(asked, self._catalogue.window(choice), self._defaults.max_output_tokens)
            beside = judging(model)
            left = remaining if beside is None else remaining.less(beside)
            kept = wanted if most else affordable(left, choice, taken, wanted)
            bound = bound_of(choice.provider, choice.model, taken, kept)
            if beside is not None:
                remaining.hold(bound.plus(beside))
            return bound

        bound, holds = await self._ledger.hold(
            principal,
            measure,
            number=number,
            route=choice.route,
            conversation_id=conversation_id,
            beside=beside,
        )
        request = replace(
            asked,
            model=choice.model,
            max_tokens=bound.tokens - taken,
            user=principal.user_id,
            origin=_origin(asked, principal, conversation_id, number),
        )
        return Begun(self, [Generation(model, request, hold, choice) for hold in holds])

    async def beside(
        self,
        origin: Origin | None,
        model: ChatModel,
        asked: ChatRequest,
        note: Callable[[Aside], None],
    ) -> str:
        """The text of an answer that another one waits for: `model` judges what it says. It is paid by
        itself, also while the server goes down. `note` hears of its attempts. Raises what `Generation.run`
        raises, LimitReached, PriceUnknown, StoreUnavailable."""
        if origin is None:
            return await unpaid(origin, model, asked, note)
        taken = input_bound(asked, asked.model)
        choice = Choice(model.provider, asked.model)
        bound = bound_of(choice.provider, choice.model, taken, asked.max_tokens)
        _, (hold,) = await self._ledger.hold(
            origin.principal, lambda _: bound, conversation_id=origin.conversation_id, beside=True
        )
        generation = Generation(model, asked, hold, choice, note)
        return await generation.text()

    def _open(self, choice: Choice, principal: Principal) -> ChatModel:
        """Who answers. Raises ProviderNotConfigured, QueueFull."""
        model = self._catalogue.resolve(choice)
        if (full := refusal(model, principal.user_id)) is not None:
            raise full
        return model

    def began(self, generations: "list[Generation]") -> None:
        self._running.update(generations)
        self._idle.clear()

    def ended(self, generations: "list[Generation]") -> None:
        self._running.difference_update(generations)
        if not self._running:
            self._idle.set()

    async def drain(self, seconds: float) -> None:
        """Begins no more, lets those that go on end by themselves for `seconds`, then ends them."""
        self.draining = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        for generation in list(self._running):
            generation.halt()

    async def settle(self) -> None:
        """Waits until all are billed, for a second at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await self._idle.wait()


class Begun:
    """Answers that money is held for: `async with begun as generations`, or `close`, so that it is let go
    of."""

    def __init__(self, completions: Completions, generations: list[Generation]) -> None:
        self._completions = completions
        self._generations = generations

    async def __aenter__(self) -> list[Generation]:
        self._completions.began(self._generations)
        return self._generations

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Bills all of them and lets go of what was held, also where the caller is cancelled meanwhile."""
        closing = asyncio.gather(*(generation.close() for generation in self._generations))
        try:
            await asyncio.shield(closing)
        finally:
            self._completions.ended(self._generations)


def _origin(asked: ChatRequest, principal: Principal, conversation_id: str | None, number: int) -> Origin:
    """On whose behalf it is asked; several answers are to differ."""
    if asked.origin is not None and number == 1:
        return asked.origin
    return Origin(principal, conversation_id, shared=False)


def input_bound(asked: ChatRequest, model: str) -> int:
    """More tokens than this the input can't be for `model`."""
    wanted = asked.response_format
    schema = 0 if wanted is None or wanted.schema is None else len(msgspec.json.encode(wanted))
    return window.bound(asked.turns, asked.system, asked.tools, model) + schema


def room(asked: ChatRequest, context: int, usual: int) -> int:
    """The bound of an answer that has none: the usual one, or what a window of `context` leaves."""
    left = context - window.tokens(asked.turns, asked.system, asked.tools)
    return min(usual, max(context // 2, left))


def bound_of(provider: str, model: str, taken: int, wanted: int) -> Bound:
    """The most that `taken` tokens of input and `wanted` of output can cost."""
    return Bound(model, taken + wanted, prices.most(provider, model, taken, wanted))


def affordable(remaining: Remaining, choice: Choice, taken: int, wanted: int) -> int:
    """`wanted` output tokens, or as many as the limits leave where that is less but still an answer."""

    def too_many(tokens: int) -> bool:
        bound = bound_of(choice.provider, choice.model, taken, tokens)
        over = remaining.tokens is not None and bound.tokens > remaining.tokens
        return over or (remaining.cost is not None and (bound.cost or 0) > remaining.cost)

    if not too_many(wanted) or too_many(LEAST_ANSWER):
        return wanted
    sizes = range(LEAST_ANSWER, wanted)
    return sizes[bisect_left(sizes, True, key=too_many) - 1]  # noqa: FBT003 - the first size that is too many
