"""`/api/tickets`: what became of the tickets that were sent over sockets."""

from typing import Any

from prosa.domain.tickets import TicketNotFound
from prosa.transport.native.forms import Page
from prosa.transport.operation import Call, Nothing, Operation, Reply
from prosa.transport.tickets.forms import (
    TicketForm,
    TicketInFull,
    TicketsQuery,
    status_of,
    ticket_form,
    ticket_id_of,
    ticket_in_full,
)


async def list_tickets(call: Call[Nothing, TicketsQuery]) -> Reply:
    """Those of all users of the caller's client, the one that was asked last first."""
    query = call.query
    found, cursor = await call.chat.tickets.page(
        call.principal, query.limit, query.cursor, status_of(query.status)
    )
    return Reply(200, Page([ticket_form(each) for each in found], cursor))


async def get_ticket(call: Call[Nothing, Nothing]) -> Reply:
    return Reply(200, ticket_in_full(await call.chat.tickets.get(call.principal, _ticket(call))))


async def forget_answer(call: Call[Nothing, Nothing]) -> Reply:
    """The ticket has no answer any more, and what is being written for it is stopped. Who opens it next has
    it answered anew; what was said stays in its conversation."""
    await call.chat.tickets.forget(call.principal, _ticket(call))
    return Reply(204)


def _ticket(call: Call[Any, Any]) -> str:
    return ticket_id_of(call.path["ticketId"])


_ALL = "/api/tickets"
_ONE = _ALL + "/{ticketId}"
_MISSING = (TicketNotFound,)

OPERATIONS = [
    Operation("GET", _ALL, "List tickets", list_tickets, query=TicketsQuery,
              gives={200: Page[TicketForm]}),
    Operation("DELETE", _ONE + "/answer", "Forget a ticket's answer", forget_answer,
              gives={204: None}, errors=_MISSING, deep=True),
    Operation("GET", _ONE, "Get a ticket", get_ticket, gives={200: TicketInFull}, errors=_MISSING,
              deep=True),
]  # fmt: skip
