"""The door for Python programs: the same conversations and runs, with no server at all."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, TypeVar
from weakref import WeakKeyDictionary

from msgspec import UNSET, UnsetType, structs
from starlette.types import ASGIApp, Receive, Scope
from starlette.types import Send as AsgiSend

from prosa import bootstrap
from prosa.accounts import Accounts
from prosa.domain.conversations import Conversation, ConversationStatus, Filter, Message
from prosa.domain.errors import InvalidRequest, MessageNotFound, ProsaError
from prosa.domain.events import Event, decode
from prosa.domain.ids import parse_id
from prosa.domain.models import Role, Turn
from prosa.domain.principal import LOCAL, Principal
from prosa.domain.runs import Run
from prosa.domain.search import Sought, phrases_of
from prosa.domain.tickets import Case
from prosa.domain.time import Instant, from_iso
from prosa.ports.models import ChatModel
from prosa.ports.tools import Tool
from prosa.services.chat import Chat
from prosa.services.conversations import Draft
from prosa.services.export.exporter import encoder
from prosa.services.export.formats import Format
from prosa.services.files.paths import uploaded
from prosa.services.imports.importer import Done, Progress
from prosa.services.imports.sources import Source
from prosa.services.messages import Order, Placed
from prosa.services.process import Answer, Question, last_of
from prosa.services.runs.start import Send
from prosa.services.search import Hit
from prosa.services.tickets import Question as Asked

E = TypeVar("E")


class Prosa(Accounts):
    """A chat backend in this process.

    `settings` are those of the documentation by their field names (`database_url="sqlite:///chats.db"`,
    `default_provider="openai"`, …); what is not given comes from the environment and prosa.toml. `models` are
    ChatModels of your own, by name; the first is the default. `tools` are functions that models may call (see
    `prosa.tool`). Raises MisconfiguredError.

        async with Prosa() as prosa:
            async for event in prosa.chat.send("Hello!"):
                print(event)
    """

    def __init__(
        self,
        *,
        models: Mapping[str, ChatModel] | None = None,
        tools: Iterable[Tool | Callable[..., Any]] = (),
        **settings: Any,
    ) -> None:
        self._house = bootstrap.build(models, tools, **settings)
        self._opening = asyncio.Lock()
        self._begun = False
        self._open = False
        self.chat = ChatRuns(self)

    async def __aenter__(self) -> "Prosa":
        try:
            await self.open()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Opens the store, once. Raises StoreUnavailable, StoreLocked, MisconfiguredError."""
        async with self._opening:
            if not self._open:
                self._begun = True
                await self.services.open()
                self._open = True
                _running[self] = asyncio.get_running_loop()

    async def close(self) -> None:
        """Ends what goes on, stores it, and frees everything."""
        _running.pop(self, None)
        if self._begun:
            self._begun = self._open = False
            await self.services.close()

    @cached_property
    def asgi(self) -> "Mounted":
        """The whole HTTP API as an ASGI app, to mount into another: `app.mount("/prosa", prosa.asgi)`. It
        opens at its first request, if it is not open yet; close it with the application."""
        return Mounted(self, self._house.app())

    async def process_user_chat_message(  # noqa: PLR0913 - each is a knob of the same request
        self,
        user_message_content: str,
        client_id: str = "",
        session_id: str = "default",
        chat_history: Sequence[Mapping[str, str]] | None = None,
        *,
        user_message_id: str | None = None,
        attachments: Sequence[str | Path] = (),
        user_id: str = LOCAL.user_id,
    ) -> Answer:
        """Stores the user's message, asks the model and stores its answer.

        `session_id` is a conversation's id, or a name of your own for one. `chat_history` (`{"role",
        "content"}`, oldest first) stands in for the stored history in this call. `attachments` are
        paths of files that go along, or ids of files. Raises ProsaError.
        """
        await self.open()
        principal = Principal(user_id)
        history = None if chat_history is None else tuple(map(_turn, chat_history))
        question = Question(
            content=user_message_content,
            session_id=session_id,
            client_id=client_id,
            history=history,
            user_message_id=user_message_id,
            attachments=await uploaded(self.services.files, principal, attachments),
        )
        return await self.services.process.answer(principal, question, self.language)

    async def create_branch(
        self,
        conversation_id: str,
        from_message_id: str,
        new_message: str,
        *,
        user_id: str = LOCAL.user_id,
        provider: str | None = None,
        model: str | None = None,
    ) -> Answer:
        """Begins an alternative branch with `new_message` and waits for its answer, as seed 003's
        `createBranch` does; both stay, and the new branch is the one that is shown.

        `conversation_id` is a conversation's id, or your own name for one. Where `from_message_id` names a
        message of the user, the new one stands beside it, in its place; where it names an answer (or a
        summary), the new one goes on from there. Raises ConversationNotFound, MessageNotFound, ProsaError.
        """
        await self.open()
        principal = Principal(user_id)
        found = await self.services.conversations.known(principal, conversation_id)
        from_id = parse_id(from_message_id)
        if from_id is None:
            raise MessageNotFound
        send = Send(found.id, new_message, provider=provider, model=model)
        return await self.services.process.branch(principal, from_id, send, self.language)

    async def summarize(self, conversation_id: str, *, user_id: str = LOCAL.user_id) -> Message | None:
        """Puts a summary of the older part of the branch that is shown into it, whatever its length, as it
        happens by itself where it gets long. None where there is nothing older than the newest exchanges.
        Raises ConversationNotFound, ProsaError (what asking a model raises)."""
        await self.open()
        principal = Principal(user_id)
        found = await self.services.conversations.known(principal, conversation_id)
        return await self.services.summaries.of(principal, found)

    async def conversation(
        self, name: str | None = None, *, user_id: str = LOCAL.user_id, **draft: Any
    ) -> Conversation:
        """The conversation with this id or external id, or a new one. `draft`: title, system_prompt,
        provider, model, metadata of a new one."""
        await self.open()
        principal = Principal(user_id)
        conversations = self.services.conversations
        if name is None:
            return (await conversations.create(principal, Draft(**draft)))[0]
        return await conversations.find(principal, name, Draft(**draft))

    async def conversations(
        self,
        *,
        user_id: str = LOCAL.user_id,
        limit: int = 50,
        cursor: str | None = None,
        archived: bool | None = False,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        **filters: Any,
    ) -> tuple[list[Conversation], str | None]:
        """A page of conversations, newest change first, and the cursor of the next.

        `archived=None` shows those that are archived, too, True only those. `since` and `until` bound the
        last change (a datetime, or ISO 8601; UTC where they name no zone). `filters`: pinned, status ("open",
        "closed"), provider and model (that answered last), client_id, title (a part of it). Raises
        InvalidRequest.
        """
        await self.open()
        wanted = Filter(archived=archived, since=_instant(since), until=_instant(until), **filters)
        return await self.services.conversations.page(Principal(user_id), limit, cursor, wanted)

    async def change(
        self, conversation_id: str, *, user_id: str = LOCAL.user_id, **changes: Any
    ) -> Conversation:
        """Changes a conversation (its id, or your own name for it): title (None: one is made anew), pinned,
        archived, status ("open", "closed"), system_prompt, provider, model, metadata, head_id (the branch
        that is shown). Raises ConversationNotFound, MessageNotFound, NoSuchProvider, InvalidRequest."""
        await self.open()
        for name in sorted(changes.keys() - CHANGES):
            raise InvalidRequest(f"{name} of a conversation can't be changed.")
        if "status" in changes:
            changes["status"] = _one_of(ConversationStatus, changes["status"], "status")
        principal = Principal(user_id)
        found = await self.services.conversations.known(principal, conversation_id)
        return await self.services.conversations.update(principal, found.id, changes)

    async def clear(self, conversation_id: str, *, user_id: str = LOCAL.user_id) -> None:
        """Deletes all messages of a conversation; what is being written is stopped, and what it all cost
        stays in the ledger. Raises ConversationNotFound."""
        await self.open()
        principal = Principal(user_id)
        found = await self.services.conversations.known(principal, conversation_id)
        await self.services.conversations.clear(principal, found.id)

    async def search(  # noqa: PLR0913 - each is a knob of the same request
        self,
        words: str,
        *,
        user_id: str = LOCAL.user_id,
        conversation_id: str | None = None,
        role: str | None = None,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> tuple[list[Hit], str | None]:
        """A page of the messages with all these words, newest first, and the cursor of the next: each as
        `found` (conversation_id, title, message_id, role, created_at, …) and `pieces`, a line of its text
        in which the hits are marked. The last word may go on; "words in quotes" stand side by side. `role` is
        "user" or "assistant", `since` and `until` as in `conversations`. Raises ConversationNotFound,
        InvalidRequest."""
        await self.open()
        principal = Principal(user_id)
        if conversation_id is not None:
            conversation_id = (await self.services.conversations.known(principal, conversation_id)).id
        sought = Sought(
            phrases_of(words),
            conversation_id=conversation_id,
            role=None if role is None else _one_of(Role, role, "role"),
            since=_instant(since),
            until=_instant(until),
        )
        return await self.services.search.page(principal, sought, limit, cursor)

    async def messages(
        self,
        conversation_id: str,
        *,
        user_id: str = LOCAL.user_id,
        head: str | None = None,
        order: Order = "asc",
        limit: int = 50,
        cursor: str | None = None,
    ) -> tuple[list[Placed], str | None]:
        """A page of the branch that is shown (or that ends at `head`), and the cursor of the next."""
        await self.open()
        principal = Principal(user_id)
        found = await self.services.conversations.known(principal, conversation_id)
        return await self.services.messages.page(
            principal, found.id, head=head, order=order, limit=limit, cursor=cursor
        )

    @property
    def services(self) -> Chat:
        """The services behind the doors, for those who need more than this face shows."""
        return self._house.chat

    @property
    def language(self) -> str:
        """Of the messages to users."""
        return self._house.language


CHANGES = frozenset(
    ("title", "pinned", "archived", "status", "system_prompt", "provider", "model", "metadata", "head_id")
)
"""What of a conversation can be changed."""

_running: WeakKeyDictionary[Prosa, asyncio.AbstractEventLoop] = WeakKeyDictionary()


def running() -> Prosa | None:
    """The Prosa that is open in this event loop; of several, the one that was opened first."""
    loop = asyncio.get_running_loop()
    return next((prosa for prosa, where in _running.items() if where is loop), None)


class ChatRuns:
    """`prosa.chat`: runs."""

    def __init__(self, prosa: Prosa) -> None:
        self._prosa = prosa

    async def send(  # noqa: PLR0913 - each is a knob of the same request
        self,
        content: str,
        conversation_id: str | None = None,
        *,
        user_id: str = LOCAL.user_id,
        parent_id: str | UnsetType | None = UNSET,
        provider: str | None = None,
        model: str | None = None,
        system_prompt: str | None = None,
        temperature: float | None = None,
        max_tokens: int | None = None,
        tools: Sequence[str] | None = None,
        attachments: Sequence[str | Path] = (),
        client_message_id: str | None = None,
    ) -> AsyncGenerator[Event, None]:
        """Sends a message and yields the run's events: `Start`, `Text`…, then `Done` or `Error`.

        `conversation_id` may be an external id of your own; without one, a conversation is begun. `tools`
        are names of those that the model may call; without it, those that are always offered. `attachments`
        are paths of files that go along, or ids of files. Leaving the loop early leaves the run going: it is
        finished and stored. Raises ProsaError.
        """
        await self._prosa.open()
        services, principal, language = self._prosa.services, Principal(user_id), self._prosa.language
        names = None if tools is None else tuple(tools)
        asked = (conversation_id, content, parent_id, provider, model, system_prompt, temperature, max_tokens,
                 names, *map(str, attachments))  # fmt: skip
        send = Send(
            conversation_id="",
            content=content,
            attachments=await uploaded(services.files, principal, attachments),
            parent_id=parent_id,
            provider=provider,
            model=model,
            system_prompt=system_prompt,
            temperature=temperature,
            max_tokens=max_tokens,
            tools=names,
            key=client_message_id,
            body_hash=hashlib.sha256(repr(asked).encode(errors="surrogatepass")).hexdigest(),
        )
        if conversation_id is None:
            _, reader = await services.conversations.begin(principal, send, language)
        else:
            found = await services.conversations.find(principal, conversation_id, Draft())
            send = structs.replace(send, conversation_id=found.id)
            _, reader = await services.engine.start(principal, send, language)
        while lines := await reader.read():
            for line in lines:
                yield decode(line)

    async def follow(
        self, run_id: str, after: int = 0, *, user_id: str = LOCAL.user_id
    ) -> AsyncGenerator[Event, None]:
        """The events of a run past number `after`, live where it goes on. Raises RunNotFound."""
        await self._prosa.open()
        _, reader = await self._prosa.services.engine.follow(Principal(user_id), run_id, after)
        while lines := await reader.read():
            for line in lines:
                yield decode(line)

    async def stop(self, run_id: str, *, user_id: str = LOCAL.user_id) -> Run:
        """Ends a run; the text so far stays. Raises RunNotFound."""
        await self._prosa.open()
        return await self._prosa.services.engine.stop(Principal(user_id), parse_id(run_id) or run_id)

    async def ticket(  # noqa: PLR0913 - each is a knob of the same request
        self,
        ticket_id: str,
        body: str,
        *,
        refresh: bool = False,
        provider: str | None = None,
        model: str | None = None,
        user_id: str = LOCAL.user_id,
        client_id: str = "",
    ) -> Case:
        """The ticket once it is answered: with the answer that it has, else asked with `body`, once for all
        who want to know. `refresh` has it answered anew. All users of `client_id` share its tickets. Where
        the answer failed, `answer` is None (or the one that stood before) and `run` tells why. Raises
        ProsaError.

            case = await prosa.chat.ticket("123", "The printer does not turn on.")
            print(case.status, case.answer and case.answer.text)
        """
        await self._prosa.open()
        tickets, principal = self._prosa.services.tickets, Principal(user_id, client_id)
        question = Asked(body, provider, model)
        found = await tickets.ask(principal, ticket_id, question, self._prosa.language, refresh=refresh)
        if isinstance(found, Case):
            return found
        await last_of(found.reader)
        return await tickets.get(principal, ticket_id)

    async def export(
        self,
        conversation_id: str | None = None,
        *,
        user_id: str = LOCAL.user_id,
        format: Format = "json",  # noqa: A002 - the API's word for it
    ) -> AsyncGenerator[bytes, None]:
        """A conversation, or all of them, as the bytes of a file, piece by piece. Raises
        ConversationNotFound.

            with open("chats.json", "wb") as file:
                async for piece in prosa.chat.export():
                    file.write(piece)
        """
        await self._prosa.open()
        exports, principal = self._prosa.services.export, Principal(user_id)
        encode = encoder(format, self._prosa.language)
        if conversation_id is None:
            pieces = exports.everything(principal, encode, await exports.count(principal))
        else:
            found = await exports.find(principal, parse_id(conversation_id) or conversation_id)
            pieces = exports.one(principal, found, encode)
        async for piece in pieces:
            yield piece

    async def import_(self, file: BinaryIO, *, user_id: str = LOCAL.user_id, source: Source = "auto") -> Done:
        """Stores what an open file holds: an export of Prosa, ChatGPT's or Claude's data export, or OpenAI
        threads. What is there already stays as it is. Answers with how many conversations were imported and
        skipped, how many messages are new, and what failed and why. Raises ImportFailed where the file is
        none of these."""
        await self._prosa.open()
        last: Progress | Done | None = None
        async for step in self._prosa.services.imports.run(Principal(user_id), file, source):
            last = step
        assert isinstance(last, Done)
        return last


class Mounted:
    """The HTTP API inside somebody's application, whose lifespan it may or may not share."""

    def __init__(self, prosa: Prosa, app: ASGIApp) -> None:
        self._prosa = prosa
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: AsgiSend) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await self._prosa.open()
            await self._app(scope, receive, send)

    async def _live(self, receive: Receive, send: AsgiSend) -> None:
        """Where it is an application of its own, it opens and closes with its server."""
        await receive()
        try:
            await self._prosa.open()
        except ProsaError as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._prosa.close()
        await send({"type": "lifespan.shutdown.complete"})


def _instant(given: datetime | str | None) -> Instant | None:
    if given is None:
        return None
    found = from_iso(given if isinstance(given, str) else given.isoformat())
    if found is None:
        raise InvalidRequest("since and until must be datetimes, or text as in 2026-11-21T09:30:00Z.")
    return found


def _one_of(kind: Callable[[str], E], given: str, name: str) -> E:
    try:
        return kind(given)
    except ValueError:
        raise InvalidRequest(f"{name} can't be {given!r}.") from None


def _turn(given: Mapping[str, str]) -> Turn:
    match given:
        case {"role": "user" | "assistant" as role, "content": str(content)}:
            return Turn(Role(role), content)
    raise InvalidRequest('each of chat_history must be {"role": "user" or "assistant", "content": a text}.')
