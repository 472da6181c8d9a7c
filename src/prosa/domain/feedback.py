"""What somebody thinks of an answer."""

from typing import Literal

from msgspec import Struct

from prosa.domain.errors import NotFound
from prosa.domain.time import Instant

Thumb = Literal["up", "down"]


class FeedbackNotFound(NotFound):
    code = "feedback_not_found"
    en = "There is no feedback on this message."
    pt = "Não há avaliação desta mensagem."


class Opinion(Struct, frozen=True):
    """`rating` is from 1 (bad) to 5 (good)."""

    thumb: Thumb | None = None
    rating: int | None = None
    tags: tuple[str, ...] = ()
    comment: str | None = None

    def __bool__(self) -> bool:
        return self.thumb is not None or self.rating is not None or bool(self.tags or self.comment)


class Feedback(Struct, frozen=True):
    """An opinion on an answer: one a message, and at least one of the four says something."""

    message_id: str
    user_id: str
    conversation_id: str
    thumb: Thumb | None
    rating: int | None
    tags: tuple[str, ...]
    comment: str | None
    created_at: Instant
    updated_at: Instant
