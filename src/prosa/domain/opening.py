"""How a run begins: what its first transaction is asked, works out inside, and answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import UNSET, Struct, UnsetType

from prosa.domain.context import Sent, Shown
from prosa.domain.conversations import Conversation
from prosa.domain.limits import NONE, Bound, Limits, Remaining
from prosa.domain.models import ChatRequest
from prosa.domain.money import Picodollars
from prosa.domain.runs import Run
from prosa.domain.time import Instant


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
    limits: Limits = NONE
    key: str | None = None
    body_hash: str = ""


class Prepared(Struct, frozen=True):
    """What to ask of which provider, and the upper bound of what it may take: tokens of input and output
    together, and their cost (None where the model's price is not known). `prompt` is an estimate of the
    input's tokens, for a run that ends without a report. `route` is the name of the route that was asked
    for, if any. `window` is what the model can take, in tokens (0: nobody knows), `sent` what of the branch
    it gets; `untitled` says that nobody has named the conversation, `fresh` that no kept answer will do,
    `stepped` what the route has stepped down to, `limited` that a limit makes the answer shorter than it
    would be; `judging` is the most that judging a piece of the answer takes, where others judge it."""

    provider: str
    request: ChatRequest
    tokens: int
    cost: Picodollars | None
    prompt: int = 0
    route: str | None = None
    window: int = 0
    sent: Sent | None = None
    untitled: bool = False
    fresh: bool = False
    stepped: str | None = None
    limited: bool = False
    judging: Bound | None = None

    @property
    def bound(self) -> Bound:
        return Bound(self.request.model, self.tokens, self.cost)

    @property
    def needed(self) -> Bound:
        """What there must be room for, or the run does not begin: an answer that nobody may judge is never
        shown."""
        return self.bound if self.judging is None else self.bound.plus(self.judging)


Prepare = Callable[[Conversation, Sequence[Shown], Remaining], Prepared]
"""Chooses model and window for a branch (oldest message first, the new one last) within what remains. Pure
and quick: it runs inside the transaction. Raises a ProsaError to refuse the request; whatever it raises,
nothing has happened."""


Measure = Callable[[Remaining], Bound]
"""The most that an answer may take, within what remains. Pure and quick, as `Prepare`."""


class Holding(Struct, frozen=True):
    """What asks for money without a run: an answer for each of `ids`, to a user of `client_id`, kept by the
    process `boot`. One `beside` others, for which nobody waits, is none of those of which there may be so
    many at once."""

    ids: tuple[str, ...]
    client_id: str = ""
    boot: str | None = None
    beside: bool = False


class Begun(Struct, frozen=True):
    """`prepared` is None where the same key had begun this run before: it must not be executed again."""

    run: Run
    prepared: Prepared | None
    remaining: Remaining = Remaining()
