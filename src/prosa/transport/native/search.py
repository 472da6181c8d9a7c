"""`/api/search`."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from prosa.domain import errors as e
from prosa.domain.ids import parse_id
from prosa.domain.models import Role
from prosa.domain.search import Sought, phrases_of
from prosa.domain.time import to_iso
from prosa.services.search import Hit
from prosa.transport.native.forms import Page, PageLimit
from prosa.transport.native.moments import Moment, since, until
from prosa.transport.operation import Call, Nothing, Operation, Reply

Words = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


class SearchQuery(Struct, frozen=True, rename="camel"):
    q: Words
    limit: PageLimit = 50
    cursor: str | None = None
    conversation_id: str | None = None
    role: Literal["user", "assistant", "system", "tool"] | None = None
    since: Moment | None = field(default=None, name="from")
    until: Moment | None = field(default=None, name="to")


class PieceForm(Struct, frozen=True):
    text: str
    hit: bool


class HitForm(Struct, frozen=True, rename="camel"):
    """`snippet` is a line of the message, piece by piece; it is text, not HTML."""

    conversation_id: str
    title: str | None
    message_id: str
    role: Literal["user", "assistant", "system", "tool"]
    created_at: str
    snippet: list[PieceForm]


async def search_messages(call: Call[Nothing, SearchQuery]) -> Reply:
    """Messages with all the words, whatever their case and accents; the last word may go on, and "words in
    quotes" stand side by side. `from` and `to` bound when they were made (a date alone is the whole day, in
    UTC). Newest first."""
    query = call.query
    identity = None if query.conversation_id is None else parse_id(query.conversation_id)
    if query.conversation_id is not None and identity is None:
        raise e.ConversationNotFound
    sought = Sought(
        phrases_of(query.q),
        conversation_id=identity,
        role=None if query.role is None else Role(query.role),
        since=since(query.since),
        until=until(query.until),
    )
    hits, cursor = await call.chat.search.page(call.principal, sought, query.limit, query.cursor)
    return Reply(200, Page([_form(each) for each in hits], cursor))


def _form(hit: Hit) -> HitForm:
    found = hit.found
    return HitForm(
        conversation_id=found.conversation_id,
        title=found.title,
        message_id=found.message_id,
        role=found.role.value,
        created_at=to_iso(found.created_at),
        snippet=[PieceForm(each.text, each.hit) for each in hit.pieces],
    )


OPERATIONS = [
    Operation("GET", "/api/search", "Search the messages of all conversations", search_messages,
              query=SearchQuery, gives={200: Page[HitForm]}, errors=(e.ConversationNotFound,)),
]  # fmt: skip
