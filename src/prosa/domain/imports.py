"""Conversations on their way in: what a file tells of them, what is to be stored, and what can be wrong."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from prosa.domain.content import Part
from prosa.domain.conversations import (
    Conversation,
    ConversationStatus,
    Message,
    MessageKind,
    MessageStatus,
    TitleBy,
)
from prosa.domain.errors import ProsaError
from prosa.domain.feedback import Feedback, Opinion
from prosa.domain.models import Role
from prosa.domain.time import Instant


class ToldFeedback(Struct, frozen=True):
    opinion: Opinion
    created_at: Instant | None
    updated_at: Instant | None


class ToldMessage(Struct, kw_only=True, gc=False):
    """A message as a file tells it. `id` is the one that it has there; `parent` that of another message of
    the conversation, or None."""

    id: str
    parent: str | None
    role: Role
    content: str
    parts: tuple[Part, ...] = ()
    status: MessageStatus = MessageStatus.COMPLETED
    provider: str | None = None
    model: str | None = None
    created_at: Instant | None = None
    external_id: str | None = None
    metadata: dict[str, Any] = {}
    feedback: ToldFeedback | None = None
    kind: MessageKind = MessageKind.MESSAGE


class Told(Struct, kw_only=True):
    """A conversation as a file tells it. `head` is the message that was shown last, or one above it."""

    id: str
    messages: Sequence[ToldMessage]
    head: str | None = None
    external_id: str | None = None
    client_id: str = ""
    title: str | None = None
    system_prompt: str | None = None
    provider: str | None = None
    model: str | None = None
    status: ConversationStatus = ConversationStatus.OPEN
    pinned: bool = False
    archived: bool = False
    title_by: TitleBy | None = None
    metadata: dict[str, Any] = {}
    created_at: Instant | None = None
    updated_at: Instant | None = None


class Seedling(Struct, frozen=True, gc=False):
    """A message that is to be stored. `other` is the id that it gets where its own is somebody else's;
    parents are named by their own."""

    message: Message
    other: str
    feedback: Feedback | None = None


class Planting(Struct, frozen=True):
    """A conversation that is to be stored, its messages parents first; `other` as above."""

    conversation: Conversation
    other: str
    seedlings: Sequence[Seedling]


class Planted(Struct, frozen=True):
    """What became of it: the conversation's id, whether it is new, and how many messages are."""

    conversation_id: str
    new: bool
    messages: int


class ImportFailed(ProsaError):
    """A conversation, or a file, that can't be imported."""

    code = "import_failed"


class IdsTaken(ImportFailed):
    code = "ids_taken"
    en = "The ids of this conversation are in use for something else."
    pt = "Os ids desta conversa já estão em uso para outra coisa."


class Malformed(ImportFailed):
    """`what` is the field that is not as it should be."""

    code = "malformed"
    en = "Not as it should be: {what}."
    pt = "Não está como deveria: {what}."

    def __init__(self, what: str) -> None:
        super().__init__(what=what)


class Empty(ImportFailed):
    code = "empty_conversation"
    en = "The conversation has no messages that can be shown."
    pt = "A conversa não tem mensagens que possam ser mostradas."


class TooMuch(ImportFailed):
    """`what` is larger than anybody needs."""

    code = "too_much"
    en = "Too large: {what}."
    pt = "Grande demais: {what}."

    def __init__(self, what: str) -> None:
        super().__init__(what=what)


class UnknownFile(ImportFailed):
    code = "unknown_file"
    en = (
        "This is no file that can be imported. Send an export of Prosa, ChatGPT's or Claude's data export "
        "(the zip or its conversations.json), or OpenAI threads as JSON."
    )
    pt = (
        "Este arquivo não pode ser importado. Envie uma exportação do Prosa, os dados exportados do ChatGPT "
        "ou do Claude (o zip ou o conversations.json), ou threads da OpenAI em JSON."
    )


class BrokenFile(ImportFailed):
    """What came before the place is imported."""

    code = "broken_file"
    en = "The file breaks off or is not JSON after {bytes} bytes. What came before is imported."
    pt = "O arquivo termina cedo ou não é JSON depois de {bytes} bytes. O que veio antes foi importado."

    def __init__(self, read: int) -> None:
        super().__init__(bytes=read)


class NewerFile(ImportFailed):
    code = "newer_file"
    en = "This export was made by a newer Prosa (version {version} of the form). Update this one first."
    pt = "Esta exportação foi feita por um Prosa mais novo (versão {version} da forma). Atualize este antes."

    def __init__(self, version: object) -> None:
        super().__init__(version=version)


class RefusedArchive(ImportFailed):
    """A zip file that is none, hides its content, or would unpack to more than anybody needs."""

    code = "refused_archive"
    en = "The zip file can't be read: {detail}"
    pt = "O arquivo zip não pode ser lido: {detail}"

    def __init__(self, detail: str) -> None:
        super().__init__(detail=detail)
