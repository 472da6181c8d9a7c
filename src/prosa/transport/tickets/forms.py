"""What the door of tickets takes and gives, as JSON."""

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from prosa.domain.errors import NotFound
from prosa.domain.tickets import LONGEST_ID, Case, TicketNotFound, TicketStatus
from prosa.domain.time import to_iso
from prosa.kit.text import well_formed
from prosa.transport.native.forms import Content, Id, Key, MessageForm, Name, PageLimit

Status = Literal["answering", "answered", "failed", "unanswered"]


class TicketForm(Struct, frozen=True, rename="camel"):
    """`id` is the desk's own. `answer` is the one that stands, be it of a run before `runId`."""

    id: str
    conversation_id: str
    status: Status
    answer: str | None
    run_id: str | None
    provider: str | None
    model: str | None
    created_at: str
    updated_at: str
    answered_at: str | None


class TicketInFull(TicketForm, frozen=True, rename="camel", kw_only=True):
    body: str


class TicketsQuery(Struct, frozen=True):
    limit: PageLimit = 50
    cursor: str | None = None
    status: Status | None = None


class Message(Struct, frozen=True, rename="camel"):
    """What a socket of a ticket says: one of `ticketBody`, `message`, `history`, `resume` and `stop`."""

    ticket_body: Content | UnsetType = UNSET
    refresh: bool = False
    message: Content | UnsetType = UNSET
    history: bool = False
    resume: Id | UnsetType = UNSET
    after: int = 0
    stop: bool = False
    provider: Name | None = None
    model: Name | None = None
    client_message_id: Key | None = None
    limit: PageLimit = 50
    cursor: str | None = None


class Cached(Struct, frozen=True, tag="cached"):
    response: str
    message: str = "Resposta em cache - ticket já foi processado anteriormente"


class History(Struct, frozen=True, tag="history", rename="camel"):
    messages: list[MessageForm]
    next_cursor: str | None


def ticket_form(case: Case) -> TicketForm:
    return TicketForm(**_fields(case))


def ticket_in_full(case: Case) -> TicketInFull:
    return TicketInFull(**_fields(case), body=case.ticket.body)


def _fields(case: Case) -> dict[str, Any]:
    """Those of a `TicketForm`."""
    ticket, run, answer = case.ticket, case.run, case.answer
    written = run if answer is None else answer.run
    ended = None if answer is None else answer.run.ended_at
    return {
        "id": ticket.ticket_id,
        "conversation_id": ticket.conversation_id,
        "status": case.status.value,
        "answer": None if answer is None else answer.text,
        "run_id": None if run is None else run.id,
        "provider": None if written is None else written.provider,
        "model": None if written is None else written.model,
        "created_at": to_iso(ticket.created_at),
        "updated_at": to_iso(ticket.updated_at),
        "answered_at": None if ended is None else to_iso(ended),
    }


def status_of(named: Status | None) -> TicketStatus | None:
    return None if named is None else TicketStatus(named)


def ticket_id_of(text: str, missing: type[NotFound] = TicketNotFound) -> str:
    """`text`, if a ticket can be called so. Raises `missing`."""
    if not text or len(text) > LONGEST_ID or well_formed(text) != text:
        raise missing
    return text
