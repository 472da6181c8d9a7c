"""One whole answer to one message, for server code: seed 000's action."""

from msgspec import Struct, structs

from prosa.domain.conversations import Message, MessageStatus
from prosa.domain.errors import ClientMismatch, InvalidRequest, MessageNotFound
from prosa.domain.events import Done, Error, Event, RequiresAction, decode
from prosa.domain.ids import parse_id
from prosa.domain.models import Role, Turn
from prosa.domain.principal import Principal
from prosa.domain.runs import Run
from prosa.ports.store import Store
from prosa.services.conversations import Conversations, Draft
from prosa.services.messages import Messages, Placed
from prosa.services.runs.engine import Engine
from prosa.services.runs.readers import Reader
from prosa.services.runs.start import Send

_WAITS = b'{"type":"requires_action"'


class Question(Struct, frozen=True):
    """`session_id` is a conversation's id or external id. `user_message_id` names a message that is stored
    already. `history` stands in for the stored one in this call. `attachments` are ids
    of files."""

    content: str
    session_id: str
    client_id: str = ""
    history: tuple[Turn, ...] | None = None
    user_message_id: str | None = None
    attachments: tuple[str, ...] = ()
    provider: str | None = None
    model: str | None = None
    system_prompt: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    tools: tuple[str, ...] | None = None
    fresh: bool = False
    key: str | None = None
    body_hash: str = ""


class Answer(Struct, frozen=True):
    """`end` is the run's last event, or the one that says what it waits for."""

    run: Run
    placed: Placed
    end: Event | None

    @property
    def message(self) -> Message:
        return self.placed.message


class Process:
    def __init__(
        self, store: Store, engine: Engine, conversations: Conversations, messages: Messages
    ) -> None:
        self._store = store
        self._engine = engine
        self._conversations = conversations
        self._messages = messages

    async def answer(self, principal: Principal, question: Question, language: str = "en") -> Answer:
        """Waits for the whole answer. Raises what `Engine.start` raises, ClientMismatch,
        MessageNotFound (`user_message_id`)."""
        if principal.client_id and question.client_id not in ("", principal.client_id):
            raise ClientMismatch
        draft = Draft(client_id=question.client_id)
        conversation = await self._conversations.find(principal, question.session_id, draft)
        answering = await self._stored(principal, conversation.id, question)
        send = Send(
            conversation_id=conversation.id,
            content=None if answering else question.content,
            answering=answering,
            attachments=question.attachments,
            provider=question.provider,
            model=question.model,
            system_prompt=question.system_prompt,
            temperature=question.temperature,
            max_tokens=question.max_tokens,
            history=None if question.history is None else tuple(filter(_said, question.history)),
            tools=question.tools,
            fresh=question.fresh,
            key=question.key,
            body_hash=question.body_hash,
        )
        return await self._answered(principal, send, language)

    async def branch(
        self, principal: Principal, from_message_id: str, send: Send, language: str = "en"
    ) -> Answer:
        """Answers `send.content` on a branch of its own: beside the message `from_message_id` where that is
        the user's, else below it. Raises what `Engine.start` raises, MessageNotFound."""
        records = self._store.of(principal).messages
        message = await records.get(send.conversation_id, from_message_id)
        parent = message.parent_id if message.role is Role.USER else message.id
        return await self._answered(principal, structs.replace(send, parent_id=parent), language)

    async def _answered(self, principal: Principal, send: Send, language: str) -> Answer:
        run, reader = await self._engine.start(principal, send, language)
        end = await last_of(reader)
        placed = await self._messages.get(principal, run.conversation_id, run.message_id)
        return Answer(await self._store.of(principal).runs.get(run.id), placed, end)

    async def _stored(self, principal: Principal, conversation_id: str, question: Question) -> str | None:
        """The id of the user's message if it is stored already."""
        if question.user_message_id is None:
            return None
        if question.attachments:
            raise InvalidRequest("attachments belong to a new message; userMessageId names a stored one.")
        identity = parse_id(question.user_message_id)
        if identity is None:
            raise MessageNotFound
        message = await self._store.of(principal).messages.get(conversation_id, identity)
        if message.content != question.content:
            raise InvalidRequest(
                "userMessageContent is not the text of the message that userMessageId names."
            )
        return identity


def _said(turn: Turn) -> bool:
    """Whether a turn says anything: pages keep an empty one where the answer is going to be."""
    return bool(turn.content)


async def last_of(reader: Reader) -> Event | None:
    """Reads to the end, or to where the run waits for its caller; answers the last event if it is one of
    these."""
    last = b""
    while not last.startswith(_WAITS) and (lines := await reader.read()):
        last = lines[-1]
    event = decode(last) if last else None
    return event if isinstance(event, Done | Error | RequiresAction) else None


def failed(answer: Answer) -> bool:
    """Whether there is no answer to show: an error, or an end without a text."""
    return isinstance(answer.end, Error) or (
        answer.message.status is not MessageStatus.COMPLETED and not answer.message.content
    )
