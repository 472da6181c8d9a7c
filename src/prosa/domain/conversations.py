"""The conversation and its messages, as they are stored."""

from enum import StrEnum
from typing import Any

from msgspec import Struct

from prosa.domain.content import Part
from prosa.domain.context import Counts
from prosa.domain.errors import Conflict
from prosa.domain.ids import new_id
from prosa.domain.models import Role
from prosa.domain.principal import Principal
from prosa.domain.time import Instant


class ConversationStatus(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class MessageStatus(StrEnum):
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    INCOMPLETE = "incomplete"


class MessageKind(StrEnum):
    MESSAGE = "message"
    SUMMARY = "summary"
    """Stands in for the messages above it when a model is asked. It has a child, and is never a head."""


class TitleBy(StrEnum):
    """Who made a title that its owner did not."""

    EXCERPT = "excerpt"
    """The beginning of the first message, until there is a better one."""
    ASKED = "asked"
    """The same, while a model is asked for a better one; and for ever where it had none."""
    MODEL = "model"


class Conversation(Struct, frozen=True):
    """A chat session. It is the root of its messages' tree; `head_id` is the leaf that is shown. One that
    belongs to a ticket has that one's own `ticket_id`, and no list shows it. `title_by` is None where the
    title is the owner's own, or there is none."""

    id: str
    user_id: str
    client_id: str
    external_id: str | None
    title: str | None
    system_prompt: str | None
    provider: str | None
    model: str | None
    status: ConversationStatus
    head_id: str | None
    metadata: dict[str, Any]
    created_at: Instant
    updated_at: Instant
    ticket_id: str | None = None
    pinned: bool = False
    archived: bool = False
    title_by: TitleBy | None = None

    @property
    def untitled(self) -> bool:
        """Whether it waits for a title: nobody has given it one, and some list shows it."""
        nameless = self.title is None and self.title_by is None
        return self.ticket_id is None and (nameless or self.title_by is TitleBy.EXCERPT)


def blank(owner: Principal, moment: Instant) -> Conversation:
    """A new one of `owner`, open and empty, of which nothing else is known yet."""
    return Conversation(
        id=new_id(),
        user_id=owner.user_id,
        client_id=owner.client_id,
        external_id=None,
        title=None,
        system_prompt=None,
        provider=None,
        model=None,
        status=ConversationStatus.OPEN,
        head_id=None,
        metadata={},
        created_at=moment,
        updated_at=moment,
    )


class Filter(Struct, frozen=True):
    """Which conversations a list shows; what is None does not matter. `provider` and `model` are those that
    answered last, or that will; `since` and `until` bound the last change; `title` is a part of the title."""

    archived: bool | None = None
    pinned: bool | None = None
    status: ConversationStatus | None = None
    since: Instant | None = None
    until: Instant | None = None
    provider: str | None = None
    model: str | None = None
    client_id: str | None = None
    title: str | None = None


EVERY = Filter()
"""All but those of tickets."""


class MessageHasReplies(Conflict):
    code = "message_has_replies"
    en = "The message has replies. Delete them first, or delete it with all that follows (subtree=true)."
    pt = "A mensagem tem respostas. Apague-as antes, ou apague-a com tudo o que segue (subtree=true)."


class Message(Struct, frozen=True, gc=False):
    """One node of a conversation's tree. `user_id` is whose row it is, not who wrote it. `parts` is empty
    where the text is all there is; an answer that called tools has its calls and their results in it.
    `tokens` is None where nobody has counted them, `cached_at` when a kept answer had been given."""

    id: str
    user_id: str
    conversation_id: str
    parent_id: str | None
    role: Role
    content: str
    status: MessageStatus
    run_id: str | None
    provider: str | None
    model: str | None
    created_at: Instant
    parts: tuple[Part, ...] = ()
    external_id: str | None = None
    """What an imported message was called where it came from."""
    metadata: dict[str, Any] = {}
    kind: MessageKind = MessageKind.MESSAGE
    tokens: Counts | None = None
    cached_at: Instant | None = None
