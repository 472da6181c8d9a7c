"""The ticket: a support case with its one conversation and the answer that was given to it."""

from enum import StrEnum

from msgspec import Struct

from prosa.domain.errors import NotFound, ProsaError
from prosa.domain.runs import END_STATES, Run, RunStatus
from prosa.domain.time import Instant

LONGEST_ID = 255


class TicketNotFound(NotFound):
    code = "ticket_not_found"
    en = "There is no ticket with this id."
    pt = "Não há um ticket com este id."


class AnswerCutShort(ProsaError):
    """An answer that ended before it was whole: its text stands, and it is not kept as the ticket's."""

    code = "answer_incomplete"
    retryable = True
    en = "The answer was cut short. Send the ticket again for a new one."
    pt = "A resposta foi interrompida. Envie o ticket de novo para obter outra."


class TicketStatus(StrEnum):
    ANSWERING = "answering"
    ANSWERED = "answered"
    FAILED = "failed"
    UNANSWERED = "unanswered"


class Ticket(Struct, frozen=True):
    """`user_id` is whose it is, a desk's most often; `ticket_id` what the desk calls it. The answer itself
    is a message: the one that the run `run_id` wrote, if it was completed and said anything, else the one of
    `kept_run_id`."""

    id: str
    user_id: str
    client_id: str
    ticket_id: str
    conversation_id: str
    body: str
    run_id: str | None
    kept_run_id: str | None
    created_at: Instant
    updated_at: Instant


class Asking(Struct, frozen=True):
    """Somebody wants the ticket answered. With `refresh` an answer that was there before does not count:
    `seen` is the ticket's last run as he asked; where that is another by now, somebody else has asked anew.
    `id` is the ticket's where it is new."""

    id: str
    ticket_id: str
    body: str
    refresh: bool = False
    seen: str | None = None


class Answer(Struct, frozen=True):
    text: str
    run: Run


class Case(Struct, frozen=True):
    """A ticket and what became of it: the last run that was to answer it, and the answer that stands."""

    ticket: Ticket
    run: Run | None
    answer: Answer | None

    @property
    def status(self) -> TicketStatus:
        if self.run is not None and self.run.status not in END_STATES:
            return TicketStatus.ANSWERING
        if self.answer is not None:
            return TicketStatus.ANSWERED
        if self.run is None or self.run.status is RunStatus.CANCELLED:
            return TicketStatus.UNANSWERED
        return TicketStatus.FAILED

    def serves(self, asking: Asking) -> Run | None:
        """The run that gives what is asked for, so that none has to begin: one that goes on, the one of the
        answer that stands, or of one that is newer than what the asker knew."""
        if self.status is TicketStatus.ANSWERING:
            return self.run
        if self.answer is None:
            return None
        if not asking.refresh:
            return self.answer.run
        newer = self.run is not None and self.run.id != asking.seen and self.answer.run.id == self.run.id
        return self.run if newer else None
