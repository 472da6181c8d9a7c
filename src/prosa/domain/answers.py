"""An answer that is kept: whoever may share it and asks the same gets it again, at no cost."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from prosa.domain.principal import RESERVED, Principal
from prosa.domain.time import Instant

PUBLIC = Principal(RESERVED + "public")
"""Who owns what everybody may share."""

Scope = Literal["user", "client", "public"]


class Caching(Struct, frozen=True, forbid_unknown_fields=True):
    """What a route keeps. Answers are shared within `scope` for `seconds`. `semantic` is the model whose
    vectors say how alike two questions are, as "provider/model"; None: only the very same question counts.
    `likeness` is the least cosine at which one question stands for another."""

    scope: Scope = "user"
    seconds: Annotated[int, Meta(ge=1, le=31_536_000)] = 86_400
    semantic: str | None = None
    likeness: Annotated[float, Meta(gt=0, le=1)] = 0.95


class KeptAnswer(Struct, frozen=True):
    """`key` stands for all that the answer depends on, `family` for all of it but the question, `vector` for
    the question (32-bit floats). It ends with the conversation and with the message that it was given in."""

    id: str
    user_id: str
    client_id: str
    key: str
    family: str
    provider: str
    model: str
    content: str
    vector: bytes | None
    conversation_id: str | None
    message_id: str | None
    created_at: Instant
    expires_at: Instant


class Question(Struct, frozen=True):
    """The vector of a question that has a kept answer of this id."""

    id: str
    vector: bytes


def owner_of(asks: Principal, scope: Scope) -> Principal:
    """Who owns the answers that `asks` shares."""
    return {"user": asks, "client": asks.desk, "public": PUBLIC}[scope]
