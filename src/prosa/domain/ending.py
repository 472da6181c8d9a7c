"""How a run's events and its end are put down."""

from msgspec import Struct

from prosa.domain.conversations import MessageStatus
from prosa.domain.models import Usage
from prosa.domain.money import Picodollars
from prosa.domain.runs import RunStatus
from prosa.domain.time import Instant


class Append(Struct, frozen=True):
    """Events of one run for the journal: lines `first_seq` to `last_seq`, joined by line feeds."""

    run_id: str
    first_seq: int
    last_seq: int
    data: bytes


class Entry(Struct, frozen=True):
    """One attempt at a provider, for the ledger. `cost` is None where the price is not known; `estimated`
    says that the provider did not report the tokens."""

    id: str
    run_id: str
    user_id: str
    client_id: str
    conversation_id: str
    attempt: int
    provider: str
    model: str
    usage: Usage
    cost: Picodollars | None
    estimated: bool
    created_at: Instant


class Ending(Struct, frozen=True):
    """The end of one run: its state, its message as it stays, and what it cost."""

    run_id: str
    message_id: str
    status: RunStatus
    reason: str
    message_status: MessageStatus
    content: str
    usage: Usage
    cost: Picodollars | None
    ended_at: Instant
    entry: Entry
    error_code: str | None = None
    error_message: str | None = None
