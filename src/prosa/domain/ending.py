"""How a run's events and its end are put down."""

from msgspec import Struct

from prosa.domain.content import Part
from prosa.domain.context import Counts
from prosa.domain.conversations import MessageStatus
from prosa.domain.models import Usage
from prosa.domain.money import Picodollars
from prosa.domain.runs import RunStatus
from prosa.domain.steps import Step
from prosa.domain.time import Instant
from prosa.domain.timing import Timing


class Append(Struct, frozen=True):
    """Events of one run for the journal: lines `first_seq` to `last_seq`, joined by line feeds."""

    run_id: str
    first_seq: int
    last_seq: int
    data: bytes


class Entry(Struct, frozen=True):
    """One attempt at a provider, for the ledger. `run_id` is the run, or what was held for an answer that
    belongs to no run and no conversation. `cost` is None where the price is not known; `estimated` says that
    the provider did not report the tokens. `route` and `key_id` say how it was reached, `price_version` by
    which prices the cost is."""

    id: str
    run_id: str
    user_id: str
    client_id: str
    conversation_id: str | None
    attempt: int
    provider: str
    model: str
    usage: Usage
    cost: Picodollars | None
    estimated: bool
    created_at: Instant
    route: str | None = None
    key_id: str | None = None
    price_version: str | None = None


class Pause(Struct, frozen=True):
    """The run waits for its caller, at most until `expires_at`; `checkpoint` says how to go on, `told` is the
    event that asks the caller: put down with the pause, or not at all."""

    checkpoint: bytes
    expires_at: Instant
    told: Append


class Boundary(Struct, frozen=True):
    """A run between two things that it does, where all so far is put down: the answer's `parts`, the `steps`
    that are new or have changed, the `entries` of the attempts that are over (`attempts` in all) and told no
    event past `settled`, who is asked next, and about how many tokens that prompt has. With a `pause` the run
    is left to whoever brings what it waits for. `timings` are all so far.
    """

    run_id: str
    message_id: str
    content: str
    parts: tuple[Part, ...]
    steps: tuple[Step, ...]
    entries: tuple[Entry, ...]
    attempts: int
    settled: int
    provider: str
    model: str
    prompt: int
    pause: Pause | None = None
    first_token_at: Instant | None = None
    timings: tuple[Timing, ...] = ()


class Ending(Struct, frozen=True):
    """The end of one run: its state, its message as it stays, who gave it, and what it cost. `entries` are
    of the attempts that no boundary has put down; `parts` are empty where the text is all there is, `steps`
    have ended since the last boundary; `tokens` is what the provider said of a text that it gave at once.
    `first_token_at` and `timings` are of the whole run; whoever does not know them leaves them out, and what
    the last boundary has put down stays."""

    run_id: str
    message_id: str
    status: RunStatus
    reason: str
    message_status: MessageStatus
    content: str
    usage: Usage
    cost: Picodollars | None
    ended_at: Instant
    entries: tuple[Entry, ...]
    provider: str
    model: str
    parts: tuple[Part, ...] = ()
    error_code: str | None = None
    error_message: str | None = None
    steps: tuple[Step, ...] = ()
    tokens: Counts | None = None
    cached_at: Instant | None = None
    first_token_at: Instant | None = None
    timings: tuple[Timing, ...] = ()
