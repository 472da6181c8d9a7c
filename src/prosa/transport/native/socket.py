"""`/api/websocket/conversations/{id}`: a conversation both ways, with the events of all its runs."""

import asyncio
import contextlib
from collections import OrderedDict
from typing import Any

import msgspec
from msgspec import Struct, structs

from prosa.domain import errors as e
from prosa.domain.ids import parse_id
from prosa.domain.principal import Principal
from prosa.domain.runs import Run
from prosa.services.feed import Watch
from prosa.services.runs.readers import Reader
from prosa.transport.json import decode
from prosa.transport.native.chat import SendBody, SendFields, ask_of
from prosa.transport.native.conversations import update_conversation
from prosa.transport.native.feed import Teller, run_line
from prosa.transport.native.forms import ConversationChanges, Id, Key
from prosa.transport.native.runs import DecisionBody, OutputsBody, bring_outputs, decide
from prosa.transport.operation import Call, Nothing
from prosa.transport.websocket import Socket, SocketDoor

MOST_FOLLOWED = 64
"""Runs that one socket follows at a time."""

GRACE = 0.1
"""Seconds in which a caller who comes back may say what he has already."""

MOST_KNOWN = 1_000
"""Runs that a socket remembers to have told of."""


class Send(SendFields, frozen=True, tag="send", rename="camel", kw_only=True):
    """As the body of `POST /api/chat/send`. Events that are `reset` are told always."""


class Stop(Struct, frozen=True, tag="stop", rename="camel"):
    run_id: Id


class Follow(Struct, frozen=True, tag="follow", rename="camel"):
    """Goes on with the events of a run past `after`, wherever it was followed to before."""

    run_id: Id
    after: int = 0


class Show(Struct, frozen=True, tag="show", rename="camel"):
    """Switches to the branch of this message."""

    head_id: Id


class Outputs(OutputsBody, frozen=True, tag="outputs", rename="camel", kw_only=True):
    run_id: Id


class Approval(DecisionBody, frozen=True, tag="approval", rename="camel", kw_only=True):
    run_id: Id


Verb = Send | Stop | Follow | Show | Outputs | Approval


class _Named(Struct, frozen=True, rename="camel"):
    client_message_id: Key | None = None


class Conversing:
    """One socket in one conversation: it keeps a cursor into each run that it follows, and no text."""

    def __init__(self, socket: Socket, conversation_id: str) -> None:
        self._socket = socket
        self._id = conversation_id
        self._shared = False
        self._known: OrderedDict[str, bool] = OrderedDict()  # whether it was followed, too
        self._followed: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """To the end of the conversation, or of the socket. Raises ConversationNotFound."""
        await self._find()
        with self._socket.chat.feed.watching(self._principal, self._id) as watch:
            await self._watch(watch)

    @property
    def _principal(self) -> Principal:
        """Whose conversation it is: the caller, or what he shares with all of his client."""
        caller = self._socket.principal
        return caller.desk if self._shared else caller

    async def _find(self) -> None:
        conversations = self._socket.chat.conversations
        try:
            await conversations.get(self._principal, self._id)
        except e.ConversationNotFound:
            if not self._socket.principal.client_id:
                raise
            self._shared = True
            await conversations.get(self._principal, self._id)

    async def _watch(self, watch: Watch) -> None:
        teller = Teller()
        listening = False
        while not teller.ended:
            news = await watch.news()
            if news is None:
                continue
            fresh = [run for run in news.runs if self._is_new(run)]
            await self._socket.send(*teller.lines(structs.replace(news, runs=fresh)))
            if listening:
                for run in fresh:
                    self._attach(run, self._reader(run))
            else:  # the state comes before all answers
                self._socket.spawn(self._socket.listen(msgspec.Raw, self._heed))
                self._socket.spawn(self._catch_up(fresh))
                listening = True

    async def _catch_up(self, runs: list[Run]) -> None:
        """Follows the runs that go on as the socket opens, but for those of which the caller says first from
        where on."""
        await asyncio.sleep(GRACE)
        for run in runs:
            if not self._known.get(run.id):
                self._attach(run, self._reader(run))

    async def _heed(self, raw: msgspec.Raw) -> None:
        """What is wrong with a message that has a `clientMessageId` is told with it."""
        try:
            await self._do(decode(bytes(raw), Verb))
        except e.ProsaError as error:
            named = _name_of(bytes(raw))
            if named is None:
                raise
            await self._socket.tell(error, clientMessageId=named)

    async def _do(self, verb: Verb) -> None:
        match verb:
            case Send():
                await self._send(verb)
            case Stop():
                run = await self._run(verb.run_id)
                self._socket.spawn(self._stop(run))  # it waits for the end
            case Follow():
                await self._follow(await self._run(verb.run_id), min(max(0, verb.after), 2**53))
            case Show():
                await update_conversation(self._call(ConversationChanges(head_id=verb.head_id)))
            case Outputs():
                run = await self._run(verb.run_id)
                await bring_outputs(self._call(OutputsBody(verb.outputs), run))
            case Approval():
                run = await self._run(verb.run_id)
                await decide(self._call(DecisionBody(verb.id, verb.approve, verb.reason), run))

    async def _send(self, verb: Send) -> None:
        fields = {name: getattr(verb, name) for name in SendFields.__struct_fields__}
        call = self._call(SendBody(conversation_id=self._id, **fields))
        run, reader = await self._socket.chat.engine.start(
            self._principal, ask_of(call, call.body), self._socket.language
        )
        is_new = self._is_new(run)
        if is_new or verb.client_message_id:  # who names his messages learns which run answers which
            await self._socket.send(run_line(run, verb.client_message_id))
        if is_new or (self._known.get(run.id) and run.id not in self._followed):  # sent once before
            self._attach(run, reader)

    async def _stop(self, run: Run) -> None:
        try:
            await self._socket.chat.engine.stop(self._principal, run.id)
        except e.ProsaError as error:
            await self._socket.tell(error)

    async def _run(self, run_id: str) -> Run:
        """The run of this conversation. Raises RunNotFound."""
        run = await self._socket.chat.store.of(self._principal).runs.get(run_id.lower())
        if run.conversation_id != self._id:
            raise e.RunNotFound
        return run

    def _call(self, body: Any, run: Run | None = None) -> Call[Any, Nothing]:
        """The message as the request that would say the same."""
        path = {"conversationId": self._id} | ({} if run is None else {"runId": run.id})
        return Call(
            chat=self._socket.chat, principal=self._principal, body=body, query=Nothing(), path=path,
            headers={}, language=self._socket.language, raw=b"", secure=False,
        )  # fmt: skip

    def _is_new(self, run: Run) -> bool:
        """True once for each run: whoever asks tells of it, and then follows it."""
        if run.id in self._known:
            return False
        self._known[run.id] = False
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        return True

    async def _follow(self, run: Run, after: int) -> None:
        """Raises InvalidRequest."""
        if self._is_new(run):
            await self._socket.send(run_line(run))
        before = self._followed.pop(run.id, None)
        if before is not None:
            before.cancel()
        elif len(self._followed) >= MOST_FOLLOWED:
            raise e.InvalidRequest(f"this socket follows {MOST_FOLLOWED} runs already.")
        self._attach(run, self._reader(run, after))

    def _reader(self, run: Run, after: int = 0) -> Reader:
        return self._socket.chat.engine.reader(self._principal, run, after)

    def _attach(self, run: Run, reader: Reader) -> None:
        if run.id in self._followed or len(self._followed) >= MOST_FOLLOWED:
            return
        self._known[run.id] = True
        task = self._socket.spawn(self._copy(run.id, reader))
        self._followed[run.id] = task
        task.add_done_callback(lambda done: self._detach(run.id, done))

    def _detach(self, run_id: str, task: asyncio.Task[None]) -> None:
        if self._followed.get(run_id) is task:
            del self._followed[run_id]

    async def _copy(self, run_id: str, reader: Reader) -> None:
        """Each line of the run's journal as a message, with the run's id put first."""
        head = b'{"runId":"%b",' % run_id.encode()
        with contextlib.suppress(e.RunNotFound):  # it was deleted meanwhile
            while lines := await reader.read():
                await self._socket.send(*[head + line[1:] for line in lines])
                if len(lines) > 1:  # who reads fast must not keep all others waiting
                    await asyncio.sleep(0)


def _name_of(raw: bytes) -> str | None:
    try:
        return msgspec.json.decode(raw, type=_Named).client_message_id
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return None


async def converse(socket: Socket) -> None:
    """Raises ConversationNotFound, Left."""
    identity = parse_id(socket.path["conversationId"])
    if identity is None:
        raise e.ConversationNotFound
    await Conversing(socket, identity).run()


SOCKETS = [SocketDoor("/api/websocket/conversations/{conversationId}", converse)]
