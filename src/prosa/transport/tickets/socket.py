"""`WS /api/websocket/chat/{ticketId}`: seed 004, and what it hoped for."""

import asyncio

import msgspec
from msgspec import UNSET

from prosa.domain.errors import InvalidRequest, ProsaError
from prosa.domain.tickets import TicketNotFound
from prosa.services.tickets import Following, Question
from prosa.transport.native.chat import hash_of
from prosa.transport.native.forms import message_form
from prosa.transport.tickets.forms import Cached, History, Message, ticket_id_of
from prosa.transport.tickets.stream import Stream
from prosa.transport.websocket import Socket, SocketDoor

_DONE = b'{"type":"done"}'
_FURTHEST = 2**53


async def serve(socket: Socket) -> None:
    """One socket of one ticket."""
    try:
        ticket_id = ticket_id_of(socket.path["ticketId"])
    except TicketNotFound as error:
        raise InvalidRequest("A ticket's id has 1 to 255 characters.") from error
    desk = _Desk(socket, ticket_id)
    await socket.listen(Message, desk.heed)


class _Desk:
    """What one socket has asked, and which runs it is told."""

    def __init__(self, socket: Socket, ticket_id: str) -> None:
        self._socket = socket
        self._ticket_id = ticket_id
        self._tickets = socket.chat.tickets
        self._streams: dict[str, asyncio.Task[None]] = {}

    async def heed(self, said: Message) -> None:
        """Raises InvalidRequest, and what the service raises."""
        asked = [
            said.ticket_body is not UNSET, said.message is not UNSET, said.resume is not UNSET,
            said.history, said.stop,
        ]  # fmt: skip
        if sum(asked) != 1:
            raise InvalidRequest("send one of ticketBody, message, history, resume and stop.")
        if said.ticket_body is not UNSET:
            await self._ask(said, _question(said, said.ticket_body))
        elif said.message is not UNSET:
            await self._ask_further(_question(said, said.message))
        elif said.resume is not UNSET:
            await self._resume(said.resume.lower(), said.after)
        elif said.history:
            await self._tell_history(said)
        else:
            await self._tickets.stop(self._socket.principal, self._ticket_id)

    async def _ask(self, said: Message, question: Question) -> None:
        found = await self._tickets.ask(
            self._socket.principal,
            self._ticket_id,
            question,
            self._socket.language,
            refresh=said.refresh,
        )
        if isinstance(found, Following):
            if found.run.id not in self._streams:  # else it is being told already
                self._follow(found)
        elif found.answer is not None:
            await self._socket.send(msgspec.json.encode(Cached(found.answer.text)))
            await self._socket.send(_DONE)

    async def _ask_further(self, question: Question) -> None:
        """Told to the asker alone: others of the ticket did not see the question."""
        language = self._socket.language
        found = await self._tickets.ask_further(self._socket.principal, self._ticket_id, question, language)
        if found.run.id not in self._streams:
            self._follow(found)

    async def _resume(self, run_id: str, after: int) -> None:
        place = min(max(0, after), _FURTHEST)
        found = await self._tickets.resume(self._socket.principal, self._ticket_id, run_id, place)
        before = self._streams.pop(run_id, None)
        if before is not None:
            before.cancel()
        self._follow(found)

    async def _tell_history(self, said: Message) -> None:
        placed, cursor = await self._tickets.history(
            self._socket.principal, self._ticket_id, said.limit, said.cursor
        )
        history = History([message_form(each) for each in placed], cursor)
        await self._socket.send(msgspec.json.encode(history))

    def _follow(self, found: Following) -> None:
        """Beside the listening, so that a stop is heard."""
        task = self._socket.spawn(self._tell(found))
        self._streams[found.run.id] = task

        def over(_: asyncio.Task[None]) -> None:
            if self._streams.get(found.run.id) is task:
                del self._streams[found.run.id]

        task.add_done_callback(over)

    async def _tell(self, found: Following) -> None:
        try:
            await Stream(self._socket, found).tell()
        except ProsaError as error:  # its conversation was deleted, or the store is away
            await self._socket.tell(error, runId=found.run.id)


def _question(said: Message, text: str) -> Question:
    hashed = hash_of(said) if said.client_message_id is not None else ""
    return Question(text, said.provider, said.model, said.client_message_id, hashed)


SOCKETS = [SocketDoor("/api/websocket/chat/{ticketId:path}", serve)]
