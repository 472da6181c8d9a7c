"""How a run begins: what its first transaction is asked, works out inside, and answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import UNSET, Struct, UnsetType

from prosa.domain.context import Sent, Shown
from prosa.domain.conversations import Conversation
from prosa.domain.errors import CostLimitReached, PriceUnknown, TokenLimitReached
from prosa.domain.models import ChatRequest
from prosa.domain.money import Picodollars, to_dollars
from prosa.domain.runs import Run
from prosa.domain.time import Instant, to_iso


class Limits(Struct, frozen=True):
    """What a user may spend; None means without limit."""

    tokens_per_day: int | None = None
    cost_per_month: Picodollars | None = None

    def __bool__(self) -> bool:
        return self.tokens_per_day is not None or self.cost_per_month is not None


class Bound(Struct, frozen=True):
    """The most that asking `model` may take: tokens of input and output together, and their cost, None
    where the model's price is not known."""

    model: str
    tokens: int
    cost: Picodollars | None

    def times(self, number: int) -> Bound:
        cost = None if self.cost is None else Picodollars(self.cost * number)
        return Bound(self.model, self.tokens * number, cost)


class Remaining(Struct, frozen=True):
    """What is left of a user's limits, reservations taken off; None means without limit."""

    tokens: int | None = None
    cost: Picodollars | None = None
    tokens_reset_at: Instant = Instant(0)
    cost_resets_at: Instant = Instant(0)

    def shared(self, number: int) -> Remaining:
        """An equal share for each of `number`."""
        return Remaining(
            None if self.tokens is None else self.tokens // number,
            None if self.cost is None else Picodollars(self.cost // number),
            self.tokens_reset_at,
            self.cost_resets_at,
        )

    def hold(self, bound: Bound) -> None:
        """Raises TokenLimitReached, CostLimitReached or PriceUnknown where `bound` is more."""
        if self.tokens is not None and bound.tokens > self.tokens:
            raise TokenLimitReached(remaining=max(0, self.tokens), resetsAt=to_iso(self.tokens_reset_at))
        if self.cost is None:
            return
        if bound.cost is None:
            raise PriceUnknown(model=bound.model)
        if bound.cost > self.cost:
            left = to_dollars(Picodollars(max(0, self.cost)))
            raise CostLimitReached(remaining=left, resetsAt=to_iso(self.cost_resets_at))


class Opening(Struct, frozen=True):
    """A request for a run. Exactly one of `content`, `regenerate` and `answering` is set.

    `content` is a new message of the user under `parent_id` (UNSET: the head; None: a first message);
    `attachments` are ids of files that go with it.
    `regenerate` names an assistant's message that gets a sibling. `answering` names a user's message that is
    stored already. `key` and `body_hash` make the request idempotent. The run's lease lasts from
    `now` to `lease_until`; a store that many nodes share lets it last as long by its own clock, from the
    moment when it puts the run down.
    """

    user_id: str
    client_id: str
    conversation_id: str
    run_id: str
    message_id: str
    user_message_id: str
    boot: str
    now: Instant
    lease_until: Instant
    content: str | None = None
    regenerate: str | None = None
    answering: str | None = None
    attachments: tuple[str, ...] = ()
    parent_id: str | UnsetType | None = UNSET
    limits: Limits = Limits()
    key: str | None = None
    body_hash: str = ""


class Prepared(Struct, frozen=True):
    """What to ask of which provider, and the upper bound of what it may take: tokens of input and output
    together, and their cost (None where the model's price is not known). `prompt` is an estimate of the
    input's tokens, for a run that ends without a report. `route` is the name of the route that was asked
    for, if any. `window` is what the model can take, in tokens (0: nobody knows), `sent` what of the branch
    it gets; `untitled` says that nobody has named the conversation."""

    provider: str
    request: ChatRequest
    tokens: int
    cost: Picodollars | None
    prompt: int = 0
    route: str | None = None
    window: int = 0
    sent: Sent | None = None
    untitled: bool = False

    @property
    def bound(self) -> Bound:
        return Bound(self.request.model, self.tokens, self.cost)


Prepare = Callable[[Conversation, Sequence[Shown], Remaining], Prepared]
"""Chooses model and window for a branch (oldest message first, the new one last) within what remains. Pure
and quick: it runs inside the transaction. Raises a ProsaError to refuse the request; whatever it raises,
nothing has happened."""


Measure = Callable[[Remaining], Bound]
"""The most that an answer may take, within what remains. Pure and quick, as `Prepare`."""


class Begun(Struct, frozen=True):
    """`prepared` is None where the same key had begun this run before: it must not be executed again."""

    run: Run
    prepared: Prepared | None
    remaining: Remaining = Remaining()
