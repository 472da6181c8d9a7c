"""What every format of an export is: it turns what it is given into bytes, and keeps nothing."""

from collections.abc import Mapping
from typing import Literal, Protocol

from msgspec import Struct

from prosa.domain.content import DocumentPart, ImagePart, Part
from prosa.domain.conversations import Conversation, Message
from prosa.domain.feedback import Feedback
from prosa.domain.models import Role
from prosa.domain.time import Instant, to_iso

Format = Literal["json", "markdown", "html", "csv"]


class Exported(Struct, frozen=True):
    """A message, what its reader thinks of it, and its place among those that are exported."""

    message: Message
    feedback: Feedback | None = None
    place: int = 0


class Encoder(Protocol):
    """`whole`: it takes all messages of a conversation, by their age; else the branch that is shown."""

    media_type: str
    suffix: str
    whole: bool

    def begin(self, conversations: int, title: str | None) -> bytes:
        """`title` is that of the one conversation, where there is just one."""
        ...

    def open(self, conversation: Conversation, place: int) -> bytes:
        """`place` counts conversations from 0."""
        ...

    def message(self, placed: Exported, conversation: Conversation) -> bytes: ...

    def close(self, conversation: Conversation) -> bytes: ...

    def end(self) -> bytes: ...


WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        Role.USER.value: "You",
        Role.ASSISTANT.value: "Assistant",
        Role.SYSTEM.value: "System",
        Role.TOOL.value: "Tool",
        "untitled": "Conversation",
        "all": "Conversations",
        "thoughts": "Thoughts",
        "call": "Tool",
        "result": "Result",
        "incomplete": "not finished",
        "image": "image",
        "document": "document",
        "lang": "en",
    },
    "pt": {
        Role.USER.value: "Você",
        Role.ASSISTANT.value: "Assistente",
        Role.SYSTEM.value: "Sistema",
        Role.TOOL.value: "Ferramenta",
        "untitled": "Conversa",
        "all": "Conversas",
        "thoughts": "Raciocínio",
        "call": "Ferramenta",
        "result": "Resultado",
        "incomplete": "não terminada",
        "image": "imagem",
        "document": "documento",
        "lang": "pt",
    },
}
"""What readers of Markdown and HTML see."""


def words_of(language: str) -> Mapping[str, str]:
    return WORDS.get(language, WORDS["en"])


def minute(instant: Instant) -> str:
    """`2026-11-21 09:30 UTC`."""
    return f"{to_iso(instant)[:16].replace('T', ' ')} UTC"


def media(part: Part, words: Mapping[str, str]) -> str | None:
    """What stands for a picture or a file, which is not in the export."""
    if isinstance(part, ImagePart):
        return part.name or words["image"]
    if isinstance(part, DocumentPart):
        return part.name or words["document"]
    return None
