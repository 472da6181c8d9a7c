"""`/api/conversations/{id}/events`: what happens in a conversation, told to all who watch it."""

from collections.abc import Callable, Sequence

import msgspec
from msgspec import UNSET, Struct, UnsetType
from starlette.types import Receive, Send

from prosa.domain import errors as e
from prosa.domain.runs import Run
from prosa.services.feed import News, Watch
from prosa.transport.native.forms import ConversationForm, conversation_form
from prosa.transport.operation import Call, Nothing, Operation, Stream
from prosa.transport.sse import WHOLE, Writing


class ConversationChanged(Struct, frozen=True, tag="conversation"):
    """The conversation as it is now: its title, its settings, the head that is shown."""

    conversation: ConversationForm


class RunBegun(Struct, frozen=True, tag="run", rename="camel"):
    """A run has begun, or goes on as one begins to watch. `clientMessageId` is told to its sender alone."""

    run_id: str
    user_message_id: str | None
    message_id: str
    client_message_id: str | UnsetType = UNSET


class MessagesChanged(Struct, frozen=True, tag="messages"):
    """Messages changed without a run: read the branch again."""


class Deleted(Struct, frozen=True, tag="deleted"):
    """There is no such conversation any more, or it is no longer the watcher's. The end."""


class Teller:
    """Turns news into lines; says nothing twice of a conversation that stays as it was."""

    def __init__(self) -> None:
        self._last: int | None = None
        self.ended = False

    def lines(self, news: News) -> list[bytes]:
        """First what is new below the conversation, then itself: so its head is known when it is told. In
        the beginning the other way round."""
        if news.conversation is None:
            self.ended = True
            return [msgspec.json.encode(Deleted())]
        below = [run_line(run) for run in news.runs]
        if news.messages:
            below.append(msgspec.json.encode(MessagesChanged()))
        line = msgspec.json.encode(ConversationChanged(conversation_form(news.conversation)))
        first, before, self._last = self._last is None, self._last, hash(line)
        if self._last == before:
            return below
        return [line, *below] if first else [*below, line]


def run_line(run: Run, name: str | None = None) -> bytes:
    """`run`, as the feed tells of it; to its sender with the `name` that he gave his message."""
    return msgspec.json.encode(RunBegun(run.id, run.user_message_id, run.message_id, name or UNSET))


class FeedReader:
    """A watcher as a reader whose lines can be written as a stream."""

    cursor = 0

    def __init__(self, watch: Watch, holds: Callable[[], bool]) -> None:
        self._watch = watch
        self._holds = holds
        self._teller = Teller()

    @property
    def ended(self) -> bool:
        """Also once the caller would be let in no more: he is asked at each news and at each ping."""
        return self._teller.ended or not self._holds()

    async def read(self) -> Sequence[bytes]:
        while not self.ended:
            news = await self._watch.news()
            if news is None or not self._holds():
                break
            if lines := self._teller.lines(news):
                return lines
        return ()

    def wake(self) -> None:
        self._watch.wake()


async def follow_conversation(call: Call[Nothing, Nothing]) -> Stream:
    """First `conversation` and a `run` for each that goes on, then each change, on whichever node: see
    docs/streaming.md. It ends with `deleted`, or never."""
    conversation = await call.chat.conversations.get(
        call.principal, call.id("conversationId", e.ConversationNotFound)
    )

    async def write(receive: Receive, send: Send) -> None:
        with call.chat.feed.watching(call.principal, conversation.id) as watch:
            await Writing(FeedReader(watch, call.holds), receive, send).run(WHOLE)

    return Stream(write)


OPERATIONS = [
    Operation("GET", "/api/conversations/{conversationId}/events", "Follow what happens in a conversation",
              follow_conversation, gives={200: None}, errors=(e.ConversationNotFound,),
              stream="text/event-stream"),
]  # fmt: skip
