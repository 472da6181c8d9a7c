"""A run between a model and its tools: what it asks next, what it may spend, what it has so far."""

import sys
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from prosa.domain.content import Part, ToolCall, text_of
from prosa.domain.ending import Append, Boundary, Pause
from prosa.domain.limits import Bound, Limits
from prosa.domain.models import (
    ChatRequest,
    FinishReason,
    ModelEvent,
    Origin,
    Recalled,
    RefusalDelta,
    Role,
    Thought,
    ToolCallStart,
)
from prosa.domain.runs import Run
from prosa.domain.steps import Step
from prosa.domain.time import SECOND, Instant, now
from prosa.domain.timing import Timing, waited
from prosa.domain.turns import exchanges
from prosa.ports.store import EngineRecords
from prosa.services.context import fitting, window
from prosa.services.models import prices
from prosa.services.runs.checkpoint import Checkpoint, pack
from prosa.services.runs.outcome import FINISHED, LIMIT, Outcome
from prosa.services.runs.settle import Attempt, Attempts
from prosa.services.runs.start import Defaults

LONGEST_TOKEN = 64
"""Characters: more than this no token has on average, whatever is said."""

DENSE_TOKEN = 16
"""Characters: more than this no token has on average in what people want to read."""

SLACK = 64
"""Characters that do not count, for the shortest of answers."""


def weight(event: ModelEvent) -> int:
    """The characters to count of an event of the rarer kinds: none of an endless answer is free. Those of
    thoughts and arguments are counted where they are billed."""
    match event:
        case RefusalDelta(text):
            return len(text)
        case ToolCallStart() | Thought():
            return LONGEST_TOKEN
    return 0


class Rounds:
    """The rounds of one run. `parts` is the answer of those that are over, `told` the places of the steps
    whose results were published, `earlier` how many timings there were before this execution, `remaining`
    what the user's limits leave beside what is held."""

    def __init__(
        self,
        run: Run,
        begun: Checkpoint,
        records: EngineRecords,
        defaults: Defaults,
        limits: Callable[[], Limits],
    ) -> None:
        self._run = run
        self._begun = begun
        self._records = records
        self._defaults = defaults
        self.attempts = Attempts(run, begun.spent, begun.timings and waited(begun.timings, now()))
        self.earlier = len(begun.timings)
        self._limits = limits
        self.remaining = begun.remaining
        self.parts = begun.parts
        self.place = begun.place
        self.told = set(begun.told)
        self._rounds = begun.rounds
        self._settled = begun.spent.usage
        self._known = self.asks
        self._ids: dict[str, str] = {}
        self._origin = Origin(begun.principal, run.conversation_id, run.message_id, begun.prepared.fresh)
        self.cached_at: Instant | None = None
        """When the answer was given, if it was kept."""
        self._used = {part.id for part in begun.parts if isinstance(part, ToolCall)}

    @property
    def lower(self) -> bool:
        """Whether something cheaper answers than was asked."""
        return self._begun.prepared.stepped is not None

    @property
    def length(self) -> Outcome:
        """What an answer that has reached its bound has come to."""
        return LIMIT if self._begun.prepared.limited else FINISHED[FinishReason.LENGTH]

    def characters(self, attempt: Attempt) -> int:
        """More of them this attempt can't have: where somebody has to pay, less is believed of a token."""
        if self._limits().spending:
            return attempt.most * DENSE_TOKEN + SLACK
        return (attempt.most + 10_000) * LONGEST_TOKEN

    def pieces(self, attempt: Attempt) -> int:
        """More pieces than this it can't be told in, for none is less than a token."""
        return attempt.most if self._limits().spending else sys.maxsize

    @property
    def language(self) -> str:
        return self._begun.language

    @property
    def asks(self) -> tuple[str, str]:
        """The provider and the model of the attempt that goes on, or of the next one."""
        going, prepared = self.attempts.current, self._begun.prepared
        if going is None:
            return prepared.provider, prepared.request.model
        return going.provider, going.model

    @property
    def over(self) -> bool:
        """Whether the model may not call tools any more."""
        return self._rounds >= self._defaults.tool_rounds

    @property
    def request(self) -> ChatRequest:
        """What the model is asked in this round."""
        asked = replace(self._begun.prepared.request, origin=self._origin)
        if not self.parts:
            return asked
        choice = asked.tool_choice
        if choice is not None and choice.mode in ("required", "tool"):
            choice = None  # it has called what it had to
        said = exchanges(Role.ASSISTANT, self.parts)
        prepared = self._begun.prepared
        turns = fitting.again(asked, said, prepared.window, prepared.prompt)
        return replace(asked, turns=turns, tool_choice=choice)

    def begin_attempt(self) -> Attempt:
        """The attempt that goes on, or a new one where none does."""
        if self.attempts.current is None:
            prepared, request = self._begun.prepared, self.request
            prompt = prepared.prompt
            if self.parts:
                prompt = window.tokens(request.turns, request.system, request.tools)
            self.attempts.current = Attempt(prepared.provider, request.model, prompt, request.max_tokens)
        return self.attempts.current

    def recall(self, kept: Recalled) -> Attempt:
        """The answer was kept: nobody is asked, and nothing is spent."""
        attempt = self.begin_attempt()
        attempt.provider, attempt.model = kept.provider, kept.model
        attempt.called = attempt.recalled = True
        if not self.parts:  # else others were asked in this run, and paid
            self.cached_at = kept.made_at
        return attempt

    def begin_call(self, identity: str) -> str:
        """The id of a call that begins: the model's, unless an earlier round had the same one, for some
        servers count anew in each answer."""
        self._ids[identity] = f"{identity}_{self._rounds}" if identity in self._used else identity
        return self._ids[identity]

    def call_id(self, identity: str) -> str:
        """The id of a call that was begun."""
        return self._ids.get(identity, identity)

    def end_round(self, parts: tuple[Part, ...], said: str) -> None:
        """The model has spoken, and called tools."""
        self.attempts.close(said)
        self.parts += parts
        self._used |= {part.id for part in parts if isinstance(part, ToolCall)}
        self._rounds += 1
        self._ids = {}

    def returned(self, steps: Sequence[Step]) -> None:
        """All calls of the round have their results."""
        self.parts += tuple(step.returned for step in steps)
        self.place = steps[-1].place + 1

    def boundary(self, steps: Sequence[Step], last: int, asks: bytes | None = None) -> Boundary:
        """All so far, to be put down, after event `last`; with `asks`, the line that asks the caller for what
        the run waits for, also how to go on from here."""
        entries = self.attempts.take()
        spent = self.attempts.spent
        waiting = None
        if asks is not None:
            expires = Instant(now() + int(self._defaults.action_seconds * SECOND))
            told = Append(self._run.id, last + 1, last + 1, asks)
            self.attempts.timings += (Timing("wait", now()),)
            waiting = Pause(pack(self._checkpoint(steps)), expires, told)
        request = self.request
        provider, model = self.asks
        return Boundary(
            run_id=self._run.id,
            message_id=self._run.message_id,
            content=text_of(self.parts),
            parts=self.parts,
            steps=tuple(steps),
            entries=entries,
            attempts=spent.attempts,
            settled=last,
            provider=provider,
            model=model,
            prompt=window.tokens(request.turns, request.system, request.tools),
            pause=waiting,
            first_token_at=self.attempts.first_token_at,
            timings=self.attempts.timings,
        )

    def _checkpoint(self, steps: Sequence[Step]) -> Checkpoint:
        return replace(
            self._begun,
            remaining=self.remaining,
            parts=self.parts,
            place=steps[0].place,
            told=frozenset(self.told),
            rounds=self._rounds,
            spent=self.attempts.spent,
            timings=self.attempts.timings,
        )

    @property
    def must_hold(self) -> bool:
        """Whether an attempt that is about to begin has to be put down before: an earlier one has used some
        of what is held, or another model is asked than the store knows of. A crash would charge that, and
        what is held may be too little for it."""
        return self.attempts.spent.usage != self._settled or self.asks != self._known

    async def hold(self) -> None:
        """Holds what the next attempt may take, now that all before it is settled. Raises LimitReached,
        PriceUnknown."""
        self._settled, self._known = self.attempts.spent.usage, self.asks
        limits = self._limits()
        if not limits.spending:
            return
        bound, run = self._bound_of(self.begin_attempt()), self._run
        self.remaining = await self._records.hold(run.id, run.user_id, limits, bound, now())

    def _bound_of(self, attempt: Attempt) -> Bound:
        request = self.request
        taken = window.bound(request.turns, request.system, request.tools, attempt.model)
        cost = prices.most(attempt.provider, attempt.model, taken, request.max_tokens)
        return Bound(attempt.model, taken + request.max_tokens, cost)
