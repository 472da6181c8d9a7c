"""Feedback: what people think of answers, put down, listed and taken back."""

from prosa.domain.errors import InvalidRequest
from prosa.domain.feedback import Feedback, Opinion, Thumb
from prosa.domain.ids import parse_id
from prosa.domain.principal import Principal
from prosa.domain.time import Instant, now
from prosa.kit.pages import from_cursor, to_cursor
from prosa.ports.store import Store


class Feedbacks:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(
        self, principal: Principal, conversation_id: str, message_id: str, opinion: Opinion
    ) -> Feedback:
        """Replaces what was said before. Raises MessageNotFound, InvalidRequest."""
        if not opinion:
            raise InvalidRequest("thumb, rating, tags or comment is needed. To take all back, DELETE it.")
        moment = now()
        said = Feedback(
            message_id=message_id,
            user_id=principal.user_id,
            conversation_id=conversation_id,
            thumb=opinion.thumb,
            rating=opinion.rating,
            tags=tuple(dict.fromkeys(opinion.tags)),
            comment=opinion.comment or None,
            created_at=moment,
            updated_at=moment,
        )
        return await self._store.of(principal).feedback.put(said)

    async def delete(self, principal: Principal, conversation_id: str, message_id: str) -> None:
        """Raises FeedbackNotFound."""
        await self._store.of(principal).feedback.delete(conversation_id, message_id)

    async def page(
        self, principal: Principal, limit: int, cursor: str | None, thumb: Thumb | None = None
    ) -> tuple[list[Feedback], str | None]:
        """At most `limit`, newest change first, and the next page's cursor. Raises InvalidRequest."""
        found = await self._store.of(principal).feedback.page(limit + 1, thumb, _place(cursor))
        if len(found) <= limit:
            return found, None
        last = found[limit - 1]
        return found[:limit], to_cursor(last.updated_at, last.message_id)


def _place(cursor: str | None) -> tuple[Instant, str] | None:
    if cursor is None:
        return None
    match from_cursor(cursor):
        case [int(updated_at), str(identity)] if 0 <= updated_at < 2**62 and parse_id(identity):
            return Instant(updated_at), identity
    raise InvalidRequest("cursor must be the nextCursor of an earlier answer.")
