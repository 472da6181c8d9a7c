"""Tickets of one owner, and the transaction that decides who of many asks for an answer."""

from collections.abc import Iterator, Sequence

from msgspec import UNSET, structs
from sqlalchemy import and_, bindparam, exists, not_, null, or_, select, update
from sqlalchemy.sql import ColumnElement

from prosa.adapters.store.repositories import messages as stored_messages
from prosa.adapters.store.repositories.begin import begin, earlier
from prosa.adapters.store.repositories.conversations import create, locked
from prosa.adapters.store.repositories.rows import RUN, to_message, to_run
from prosa.adapters.store.session import Session
from prosa.adapters.store.statement import Ask, Ids, Plan, Statement, among, insertion, owned
from prosa.adapters.store.tables import messages, runs, tickets
from prosa.domain.conversations import MessageStatus, blank
from prosa.domain.errors import ConversationNotFound
from prosa.domain.opening import Begun, Opening, Prepare
from prosa.domain.principal import Principal
from prosa.domain.runs import Run, RunStatus
from prosa.domain.tickets import Answer, Asking, Case, Ticket, TicketNotFound, TicketStatus
from prosa.domain.time import Instant

_t = tickets.c
_mine = select(*(_t[name] for name in Ticket.__struct_fields__)).where(owned(tickets))

_INSERT = insertion(tickets, *Ticket.__struct_fields__)
_GET = Statement(_mine.where(_t.ticket_id == bindparam("ticket_id")))
_UPDATE = Statement(
    update(tickets)
    .where(_t.id == bindparam("key"), owned(tickets))
    .values({name: bindparam(name) for name in ("body", "run_id", "kept_run_id", "updated_at")})
)
_FORGET = Statement(
    update(tickets)
    .where(_t.ticket_id == bindparam("key"), owned(tickets))
    .values(run_id=null(), kept_run_id=null(), updated_at=bindparam("updated_at"))
    .returning(_t.id)
)
_RUNS = Statement(select(*RUN).where(among(runs.c.id, "ids"), owned(runs)))
_TEXTS = Statement(
    select(messages.c.id, messages.c.content).where(
        among(messages.c.id, "ids"), owned(messages), messages.c.content != ""
    )
)


def _run_is(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """The ticket's last run is one of which this holds."""
    return exists().where(runs.c.id == _t.run_id, owned(runs), owned(tickets), *conditions)


def _answered_by(run_id: ColumnElement[str]) -> ColumnElement[bool]:
    return exists().where(
        runs.c.id == run_id,
        owned(runs),
        owned(tickets),
        runs.c.status == RunStatus.COMPLETED.value,
        messages.c.id == runs.c.message_id,
        owned(messages),
        messages.c.content != "",
    )


_answering = _run_is(runs.c.ended_at.is_(None))
_answered = or_(_answered_by(_t.run_id), _answered_by(_t.kept_run_id))
_lost = _run_is(runs.c.status != RunStatus.CANCELLED.value)
_WITH = {
    None: None,
    TicketStatus.ANSWERING: _answering,
    TicketStatus.ANSWERED: and_(_answered, not_(_answering)),
    TicketStatus.FAILED: and_(_lost, not_(_answering), not_(_answered)),
    TicketStatus.UNANSWERED: not_(or_(_lost, _answered)),
}
"""What SQL makes of `domain.tickets.Case.status`."""

_before = or_(
    _t.updated_at < bindparam("updated_at"),
    and_(_t.updated_at == bindparam("updated_at"), _t.id < bindparam("id")),
)


def _pages(*conditions: ColumnElement[bool]) -> Statement:
    newest = _mine.where(*conditions).order_by(_t.updated_at.desc(), _t.id.desc())
    return Statement(newest.limit(bindparam("limit")))


_FIRST_PAGES = {status: _pages(*(() if found is None else (found,))) for status, found in _WITH.items()}
_NEXT_PAGES = {
    status: _pages(_before, *(() if found is None else (found,))) for status, found in _WITH.items()
}


def _cases(found: Sequence[Ticket]) -> Plan[list[Case]]:
    """The tickets with their runs and answers: two statements, however many they are."""
    ids = {each for ticket in found for each in (ticket.run_id, ticket.kept_run_id) if each is not None}
    if not ids:
        return [Case(ticket, None, None) for ticket in found]
    rows = yield Ask(_RUNS, ids=Ids(ids))
    known = {run.id: run for run in map(to_run, rows)}
    whole = [run.message_id for run in known.values() if run.status is RunStatus.COMPLETED]
    texts = {}
    if whole:
        texts = {row[0]: row[1] for row in (yield Ask(_TEXTS, ids=Ids(whole)))}
    return [
        Case(ticket, known.get(ticket.run_id or ""), next(_answers(ticket, known, texts), None))
        for ticket in found
    ]


def _answers(ticket: Ticket, known: dict[str, Run], texts: dict[str, str]) -> Iterator[Answer]:
    for run_id in (ticket.run_id, ticket.kept_run_id):
        run = known.get(run_id or "")
        if run is not None and run.message_id in texts:
            yield Answer(texts[run.message_id], run)


def _find(ticket_id: str) -> Plan[Ticket | None]:
    rows = yield Ask(_GET, ticket_id=ticket_id)
    return Ticket(*rows[0]) if rows else None


def _get(ticket_id: str) -> Plan[Case]:
    ticket = yield from _find(ticket_id)
    if ticket is None:
        raise TicketNotFound
    [case] = yield from _cases([ticket])
    return case


def _page(limit: int, before: tuple[Instant, str] | None, status: TicketStatus | None) -> Plan[list[Case]]:
    if before is None:
        rows = yield Ask(_FIRST_PAGES[status], limit=limit)
    else:
        rows = yield Ask(_NEXT_PAGES[status], limit=limit, updated_at=before[0], id=before[1])
    return (yield from _cases([Ticket(*row) for row in rows]))


def _locked(ticket_id: str) -> Plan[Case | None]:
    """The ticket as it is while its conversation is locked: who deletes that takes the same way."""
    ticket = yield from _find(ticket_id)
    if ticket is None:
        return None
    try:
        yield from locked(ticket.conversation_id)
    except ConversationNotFound:
        return None
    ticket = yield from _find(ticket_id)
    if ticket is None:
        return None
    [case] = yield from _cases([ticket])
    return case


def _begin(asking: Asking, opening: Opening, prepare: Prepare) -> Plan[Begun]:
    case = yield from _locked(asking.ticket_id)
    if case is None:
        ticket = yield from _add(asking, opening)
    else:
        run = (yield from earlier(opening)) or case.serves(asking)
        if run is not None:
            return Begun(run, None)
        ticket = case.ticket
        opening = yield from _again(asking, opening, case)
    begun = yield from begin(opening, prepare)
    kept = None if case is None or case.answer is None else case.answer.run.id
    yield Ask(
        _UPDATE,
        key=ticket.id,
        body=asking.body,
        run_id=begun.run.id,
        kept_run_id=kept,
        updated_at=opening.now,
    )
    return begun


def _add(asking: Asking, opening: Opening) -> Plan[Ticket]:
    """A ticket with its conversation. Of two that do so at once, Postgres lets one do it again."""
    moment = opening.now
    made = blank(Principal(opening.user_id, opening.client_id), moment)
    yield from create(structs.replace(made, id=opening.conversation_id, ticket_id=asking.ticket_id))
    ticket = Ticket(
        id=asking.id,
        user_id=opening.user_id,
        client_id=opening.client_id,
        ticket_id=asking.ticket_id,
        conversation_id=opening.conversation_id,
        body=asking.body,
        run_id=None,
        kept_run_id=None,
        created_at=moment,
        updated_at=moment,
    )
    yield Ask(_INSERT, **structs.asdict(ticket))
    return ticket


def _again(asking: Asking, opening: Opening, case: Case) -> Plan[Opening]:
    """The opening in the ticket's own conversation: a new first message, or, where the last one says the
    same, another answer to that."""
    opening = structs.replace(opening, conversation_id=case.ticket.conversation_id)
    if case.run is None or case.run.user_message_id is None:
        return opening
    question = case.run.user_message_id
    rows = yield Ask(stored_messages.GET, id=question, conversation_id=opening.conversation_id)
    if not rows:
        return opening
    message = to_message(rows[0])
    if message.content != asking.body or message.status is not MessageStatus.COMPLETED:
        return opening
    return structs.replace(opening, content=None, answering=question, parent_id=UNSET)


def _forget(ticket_id: str, now: Instant) -> Plan[None]:
    if not (yield Ask(_FORGET, key=ticket_id, updated_at=now)):
        raise TicketNotFound


class Tickets:
    """Serves `ports.tickets.Tickets`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def begin(self, asking: Asking, opening: Opening, prepare: Prepare) -> Begun:
        return await self._session.write(_begin, asking, opening, prepare)

    async def get(self, ticket_id: str) -> Case:
        return await self._session.read(_get, ticket_id)

    async def page(
        self, limit: int, before: tuple[Instant, str] | None, status: TicketStatus | None
    ) -> list[Case]:
        return await self._session.read(_page, limit, before, status)

    async def forget(self, ticket_id: str, now: Instant) -> None:
        await self._session.write(_forget, ticket_id, now)
