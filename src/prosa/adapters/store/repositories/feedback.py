"""Feedback of one owner on the answers in his conversations."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Text, and_, bindparam, delete, or_, select, update

from prosa.adapters.store.repositories.messages import GET as MESSAGE
from prosa.adapters.store.repositories.rows import to_message
from prosa.adapters.store.session import Session
from prosa.adapters.store.statement import (
    Ask,
    Ids,
    Json,
    Params,
    Plan,
    Row,
    Statement,
    among,
    insertion,
    owned,
)
from prosa.adapters.store.tables import feedback
from prosa.domain.errors import InvalidRequest, MessageNotFound
from prosa.domain.feedback import Feedback, FeedbackNotFound, Thumb
from prosa.domain.models import Role
from prosa.domain.time import Instant

_f = feedback.c
_said = ("thumb", "rating", "tags", "comment", "updated_at")
_mine = select(*(_f[name] for name in Feedback.__struct_fields__)).where(owned(feedback))
_one = (_f.message_id == bindparam("key"), owned(feedback))

_GET = Statement(_mine.where(_f.message_id == bindparam("key")))
_OF = Statement(_mine.where(among(_f.message_id, "ids")))
INSERT = insertion(feedback, *Feedback.__struct_fields__)
_UPDATE = Statement(update(feedback).where(*_one).values({name: bindparam(name) for name in _said}))
_DELETE = Statement(
    delete(feedback).where(*_one, _f.conversation_id == bindparam("conversation_id")).returning(_f.message_id)
)
_newest = (
    _mine.where(or_(bindparam("thumb", type_=Text()).is_(None), _f.thumb == bindparam("thumb", type_=Text())))
    .order_by(_f.updated_at.desc(), _f.message_id.desc())
    .limit(bindparam("limit"))
)
_FIRST_PAGE = Statement(_newest)
_NEXT_PAGE = Statement(
    _newest.where(
        or_(
            _f.updated_at < bindparam("updated_at"),
            and_(_f.updated_at == bindparam("updated_at"), _f.message_id < bindparam("id")),
        )
    )
)

_tags = msgspec.json.Decoder(tuple[str, ...])


def _to_feedback(row: Row) -> Feedback:
    values = dict(zip(Feedback.__struct_fields__, row, strict=True))
    values["tags"] = _tags.decode(values["tags"])
    return Feedback(**values)


def feedback_params(said: Feedback) -> Params:
    return {**msgspec.structs.asdict(said), "tags": Json(msgspec.json.encode(said.tags).decode())}


def _put(said: Feedback) -> Plan[Feedback]:
    found = yield Ask(MESSAGE, id=said.message_id, conversation_id=said.conversation_id)
    if not found:
        raise MessageNotFound
    if to_message(found[0]).role is not Role.ASSISTANT:
        raise InvalidRequest("feedback is for answers: messageId must name one of the assistant's messages.")
    rows = yield Ask(_GET, key=said.message_id)
    if not rows:
        yield Ask(INSERT, **feedback_params(said))
        return said
    yield Ask(_UPDATE, key=said.message_id, **feedback_params(said))
    return msgspec.structs.replace(said, created_at=_to_feedback(rows[0]).created_at)


def _of(message_ids: Sequence[str]) -> Plan[dict[str, Feedback]]:
    rows = yield Ask(_OF, ids=Ids(message_ids))
    return {said.message_id: said for said in map(_to_feedback, rows)}


def _delete(conversation_id: str, message_id: str) -> Plan[None]:
    if not (yield Ask(_DELETE, key=message_id, conversation_id=conversation_id)):
        raise FeedbackNotFound


def _page(limit: int, thumb: Thumb | None, before: tuple[Instant, str] | None) -> Plan[list[Feedback]]:
    if before is None:
        rows = yield Ask(_FIRST_PAGE, limit=limit, thumb=thumb)
    else:
        rows = yield Ask(_NEXT_PAGE, limit=limit, thumb=thumb, updated_at=before[0], id=before[1])
    return [_to_feedback(row) for row in rows]


class Feedbacks:
    """Serves `ports.feedback.Feedbacks`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def put(self, feedback: Feedback) -> Feedback:
        return await self._session.write(_put, feedback)

    async def of(self, message_ids: Sequence[str]) -> dict[str, Feedback]:
        return await self._session.read(_of, message_ids) if message_ids else {}

    async def delete(self, conversation_id: str, message_id: str) -> None:
        await self._session.write(_delete, conversation_id, message_id)

    async def page(
        self, limit: int, thumb: Thumb | None, before: tuple[Instant, str] | None
    ) -> list[Feedback]:
        return await self._session.read(_page, limit, thumb, before)
