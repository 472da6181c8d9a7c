"""Tickets: each is asked once, whoever looks at it; what all users of a client share is their desk's."""

from collections.abc import Sequence
from functools import partial

from msgspec import UNSET, Struct, UnsetType

from prosa.domain.errors import InvalidRequest, RunNotFound
from prosa.domain.ids import new_id, parse_id
from prosa.domain.principal import Principal
from prosa.domain.runs import END_STATES, Run
from prosa.domain.tickets import Asking, Case, TicketNotFound, TicketStatus
from prosa.domain.time import Instant, now
from prosa.kit.pages import from_cursor, to_cursor
from prosa.ports.store import Store
from prosa.services.messages import Messages, Placed
from prosa.services.runs.engine import Engine
from prosa.services.runs.readers import Reader
from prosa.services.runs.start import Send


class Question(Struct, frozen=True):
    """What is asked, and of whom. The same `key` again gives the same run."""

    text: str
    provider: str | None = None
    model: str | None = None
    key: str | None = None
    body_hash: str = ""


class Following(Struct, frozen=True):
    """A run of a ticket, and a reader of it."""

    run: Run
    reader: Reader


class Tickets:
    def __init__(self, store: Store, engine: Engine, messages: Messages) -> None:
        self._store = store
        self._engine = engine
        self._messages = messages

    async def ask(
        self,
        principal: Principal,
        ticket_id: str,
        question: Question,
        language: str = "en",
        *,
        refresh: bool = False,
    ) -> Case | Following:
        """The ticket with its answer, where it has one, else the run that answers it: one for all who ask.
        `refresh` asks anew, whatever there is. Raises what `Engine.start` raises."""
        desk = principal.desk
        case = await self._find(desk, ticket_id)
        if case is not None and case.status is TicketStatus.ANSWERED and not refresh:
            return case
        seen = None if case is None or case.run is None else case.run.id
        asking = Asking(new_id(), ticket_id, question.text, refresh, seen)
        send = Send(
            conversation_id=new_id(),
            content=question.text,
            parent_id=None,
            provider=question.provider,
            model=question.model,
            key=question.key if refresh else None,
            body_hash=question.body_hash,
            fresh=refresh or (case is not None and case.run is None),  # or its answer was taken away
        )
        begin = partial(self._store.of(desk).tickets.begin, asking)
        run, reader = await self._engine.start(desk, send, language, begin)
        if refresh or run.status not in END_STATES:
            return Following(run, reader)
        case = await self._find(desk, ticket_id)  # it was answered while we came
        if case is not None and case.answer is not None:
            return case
        return await self.ask(principal, ticket_id, question, language)  # and that is gone again

    async def ask_further(
        self, principal: Principal, ticket_id: str, question: Question, language: str = "en"
    ) -> Following:
        """A question in the ticket's conversation, under what was said last; not under an attempt that failed
        where an earlier answer stands. Raises TicketNotFound, and what `Engine.start` raises."""
        desk = principal.desk
        case = await self.get(desk, ticket_id)
        send = Send(
            conversation_id=case.ticket.conversation_id,
            content=question.text,
            parent_id=await self._place(desk, case),
            provider=question.provider,
            model=question.model,
            key=question.key,
            body_hash=question.body_hash,
        )
        return Following(*await self._engine.start(desk, send, language))

    async def resume(self, principal: Principal, ticket_id: str, run_id: str, after: int) -> Following:
        """What a run of this ticket told after the event `after`. Raises RunNotFound."""
        desk = principal.desk
        case = await self._find(desk, ticket_id)
        if case is None:
            raise RunNotFound
        run, reader = await self._engine.follow(desk, run_id, after)
        if run.conversation_id != case.ticket.conversation_id:
            raise RunNotFound
        return Following(run, reader)

    async def stop(self, principal: Principal, ticket_id: str) -> None:
        """Ends what is being written for this ticket. Raises TicketNotFound."""
        desk = principal.desk
        case = await self.get(desk, ticket_id)
        for run in await self._store.of(desk).runs.open(case.ticket.conversation_id):
            await self._engine.stop(desk, run.id)

    async def run(self, principal: Principal, run_id: str) -> Run:
        """A run of the desk's as it is now. Raises RunNotFound."""
        return await self._store.of(principal.desk).runs.get(run_id)

    async def history(
        self, principal: Principal, ticket_id: str, limit: int, cursor: str | None
    ) -> tuple[Sequence[Placed], str | None]:
        """The newest messages of the ticket's conversation, oldest first, and the cursor for those before
        them. Nothing for a ticket that nobody has asked for. Raises InvalidRequest."""
        desk = principal.desk
        case = await self._find(desk, ticket_id)
        if case is None:
            return (), None
        found, further = await self._messages.page(
            desk, case.ticket.conversation_id, head=None, order="desc", limit=limit, cursor=cursor
        )
        return found[::-1], further

    async def get(self, principal: Principal, ticket_id: str) -> Case:
        """Raises TicketNotFound."""
        return await self._store.of(principal.desk).tickets.get(ticket_id)

    async def page(
        self, principal: Principal, limit: int, cursor: str | None, status: TicketStatus | None
    ) -> tuple[list[Case], str | None]:
        """At most `limit`, those that were asked last first, and the next page's cursor. Raises
        InvalidRequest."""
        found = await self._store.of(principal.desk).tickets.page(limit + 1, _place(cursor), status)
        if len(found) <= limit:
            return found, None
        last = found[limit - 1].ticket
        return found[:limit], to_cursor(last.updated_at, last.id)

    async def forget(self, principal: Principal, ticket_id: str) -> None:
        """Takes the ticket's answer away and ends what is being written for it: who opens it next has it
        answered anew. Raises TicketNotFound."""
        desk = principal.desk
        case = await self.get(desk, ticket_id)
        await self._store.of(desk).tickets.forget(ticket_id, now())
        if case.status is TicketStatus.ANSWERING and case.run is not None:
            await self._engine.stop(desk, case.run.id)

    async def _place(self, desk: Principal, case: Case) -> str | UnsetType | None:
        """Where to go on: UNSET for the head."""
        if case.run is None or case.answer is None or case.run.id == case.answer.run.id:
            return UNSET
        tree, head = await self._store.of(desk).messages.tree(case.ticket.conversation_id)
        return tree.leaf(case.answer.run.message_id) if head == case.run.message_id else UNSET

    async def _find(self, desk: Principal, ticket_id: str) -> Case | None:
        try:
            return await self.get(desk, ticket_id)
        except TicketNotFound:
            return None


def _place(cursor: str | None) -> tuple[Instant, str] | None:
    if cursor is None:
        return None
    match from_cursor(cursor):
        case [int(updated_at), str(identity)] if 0 <= updated_at < 2**62 and parse_id(identity):
            return Instant(updated_at), identity
    raise InvalidRequest("cursor must be the nextCursor of an earlier answer.")
