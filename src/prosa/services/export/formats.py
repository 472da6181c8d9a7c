"""What every format of an export is: it turns what it is given into bytes, and keeps nothing."""

from typing import Literal, Protocol

from prosa.domain.conversations import Conversation, Message

Format = Literal["json"]


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

    def message(self, message: Message, conversation: Conversation, place: int) -> bytes: ...

    def close(self, conversation: Conversation) -> bytes: ...

    def end(self) -> bytes: ...
