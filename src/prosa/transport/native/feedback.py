"""Feedback on answers: a thumb, a rating, tags and a comment."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from prosa.domain import errors as e
from prosa.domain.feedback import Feedback, FeedbackNotFound, Opinion
from prosa.domain.time import to_iso
from prosa.transport.native.forms import FeedbackForm, ListQuery, Name, Page, feedback_form
from prosa.transport.operation import Call, Nothing, Operation, Reply

Rating = Annotated[
    float, Meta(ge=1, le=5, multiple_of=1, extra_json_schema={"type": "integer"})
]  # as JSON has it, where 4.0 is a whole number
Comment = Annotated[str, Meta(max_length=10_000, pattern=r"^[^\x00]*$")]
Tags = Annotated[tuple[Name, ...], Meta(max_length=20)]


class FeedbackBody(Struct, frozen=True):
    """At least one of them. It replaces what was said before."""

    thumb: Literal["up", "down"] | None = None
    rating: Rating | None = None
    tags: Tags = ()
    comment: Comment | None = None


class ListedFeedback(FeedbackForm, frozen=True, rename="camel"):
    message_id: str
    conversation_id: str
    created_at: str


class FeedbackQuery(ListQuery, frozen=True):
    thumb: Literal["up", "down"] | None = None


def _listed(said: Feedback) -> ListedFeedback:
    return ListedFeedback(
        thumb=said.thumb,
        rating=said.rating,
        tags=[*said.tags],
        comment=said.comment,
        updated_at=to_iso(said.updated_at),
        message_id=said.message_id,
        conversation_id=said.conversation_id,
        created_at=to_iso(said.created_at),
    )


async def put_feedback(call: Call[FeedbackBody, Nothing]) -> Reply:
    body = call.body
    rating = None if body.rating is None else int(body.rating)
    said = await call.chat.feedback.put(
        call.principal,
        call.id("conversationId", e.ConversationNotFound),
        call.id("messageId", e.MessageNotFound),
        Opinion(body.thumb, rating, body.tags, body.comment),
    )
    return Reply(200, feedback_form(said))


async def delete_feedback(call: Call[Nothing, Nothing]) -> Reply:
    await call.chat.feedback.delete(
        call.principal,
        call.id("conversationId", e.ConversationNotFound),
        call.id("messageId", e.MessageNotFound),
    )
    return Reply(204)


async def list_feedback(call: Call[Nothing, FeedbackQuery]) -> Reply:
    query = call.query
    found, cursor = await call.chat.feedback.page(call.principal, query.limit, query.cursor, query.thumb)
    return Reply(200, Page([_listed(each) for each in found], cursor))


_ANY_OF = [
    {"required": [name], "properties": {name: {"not": {"type": "null"}, **said}}}
    for name, said in (
        ("thumb", {}),
        ("rating", {}),
        ("tags", {"minItems": 1}),
        ("comment", {"minLength": 1}),
    )
]
"""What a schema says of feedback that says something."""

_ONE = "/api/conversations/{conversationId}/messages/{messageId}/feedback"
_MISSING = (e.ConversationNotFound, e.MessageNotFound)

OPERATIONS = [
    Operation("PUT", _ONE, "Say what you think of an answer", put_feedback,
              takes=Annotated[FeedbackBody, Meta(extra_json_schema={"anyOf": _ANY_OF})],
              gives={200: FeedbackForm}, errors=_MISSING),
    Operation("DELETE", _ONE, "Take feedback back", delete_feedback,
              gives={204: None}, errors=(*_MISSING, FeedbackNotFound)),
    Operation("GET", "/api/feedback", "List feedback, newest change first", list_feedback,
              query=FeedbackQuery, gives={200: Page[ListedFeedback]}),
]  # fmt: skip
