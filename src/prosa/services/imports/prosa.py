"""Our own JSON."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from prosa.domain.content import DocumentPart, ImagePart, Part, TextPart
from prosa.domain.conversations import ConversationStatus, MessageKind, MessageStatus, TitleBy
from prosa.domain.feedback import Opinion
from prosa.domain.files import label
from prosa.domain.ids import parse_id
from prosa.domain.imports import Malformed, Told, ToldFeedback, ToldMessage
from prosa.domain.models import Role
from prosa.services.imports.fields import iso, metadata, objects, strict

VERSION = 1
MOST_TYPE = 100
_ROLES = {role.value: role for role in Role}
_TITLES = {by.value: by for by in (TitleBy.EXCERPT, TitleBy.MODEL)}
_CONVERSATIONS = {status.value: status for status in ConversationStatus}


class _Said(Struct, frozen=True, rename="camel"):
    """Feedback, with the bounds of the API."""

    thumb: Literal["up", "down"] | None = None
    rating: Annotated[int, Meta(ge=1, le=5)] | None = None
    tags: Annotated[tuple[Annotated[str, Meta(max_length=200)], ...], Meta(max_length=20)] = ()
    comment: Annotated[str, Meta(max_length=10_000)] | None = None
    created_at: str = ""
    updated_at: str = ""


def is_conversation(value: dict[str, Any]) -> bool:
    return isinstance(value.get("messages"), list) and "object" not in value and "id" in value


def told(raw: dict[str, Any]) -> Told:
    """Raises ImportFailed."""
    status = _CONVERSATIONS.get(raw.get("status", "open"))
    if status is None:
        raise Malformed("status")
    return Told(
        id=_id(raw),
        messages=[_message(each) for each in objects(raw["messages"])],
        head=strict(raw, "headId"),
        external_id=strict(raw, "externalId"),
        client_id=strict(raw, "clientId") or "",
        title=strict(raw, "title"),
        system_prompt=strict(raw, "systemPrompt"),
        provider=strict(raw, "provider"),
        model=strict(raw, "model"),
        status=status,
        pinned=raw.get("pinned") is True,
        archived=raw.get("archived") is True,
        title_by=_TITLES.get(strict(raw, "titleBy") or ""),
        metadata=metadata(raw.get("metadata")),
        created_at=iso(raw.get("createdAt")),
        updated_at=iso(raw.get("updatedAt")),
    )


def _message(raw: dict[str, Any]) -> ToldMessage:
    role, content = _ROLES.get(raw.get("role", "")), raw.get("content", "")
    if role is None or not isinstance(content, str):
        raise Malformed("role" if role is None else "content")
    done = raw.get("status", MessageStatus.COMPLETED.value) == MessageStatus.COMPLETED.value
    return ToldMessage(
        id=_id(raw),
        parent=strict(raw, "parentId"),
        role=role,
        content=content,
        parts=_parts(raw.get("parts")),
        status=MessageStatus.COMPLETED if done else MessageStatus.INCOMPLETE,
        provider=strict(raw, "provider"),
        model=strict(raw, "model"),
        created_at=iso(raw.get("createdAt")),
        external_id=strict(raw, "externalId"),
        metadata=metadata(raw.get("metadata")),
        feedback=_feedback(raw.get("feedback")) if role is Role.ASSISTANT else None,
        kind=MessageKind.SUMMARY if raw.get("kind") == MessageKind.SUMMARY else MessageKind.MESSAGE,
    )


def _id(raw: dict[str, Any]) -> str:
    found = raw.get("id")
    if not isinstance(found, str) or not found:
        raise Malformed("id")
    return found


def _parts(value: Any) -> tuple[Part, ...]:
    if value is None:
        return ()
    try:
        found = msgspec.convert(value, tuple[Part, ...])
    except msgspec.ValidationError as error:
        raise Malformed("parts") from error
    return tuple(map(_own, found))


def _own(part: Part) -> Part:
    """Of a file only its id, which is good for its owner alone. What a provider keeps, or would fetch, is
    named by something that whoever knows it may use: it is not taken over, nor are bytes that nobody looked
    at."""
    if not isinstance(part, ImagePart | DocumentPart):
        return part
    name = None if part.name is None else label(part.name)
    file = parse_id(part.file or "")
    if file is None:
        return TextPart(f"[{name or 'file'}]")
    media_type = (part.media_type or "")[:MOST_TYPE] or None
    kind = type(part)
    return kind(media_type=media_type, name=name, file=file, size=max(0, part.size))


def _feedback(value: Any) -> ToldFeedback | None:
    """Raises Malformed."""
    if value is None:
        return None
    try:
        said = msgspec.convert(value, _Said)
    except msgspec.ValidationError as error:
        raise Malformed("feedback") from error
    opinion = Opinion(said.thumb, said.rating, said.tags, said.comment)
    return ToldFeedback(opinion, iso(said.created_at), iso(said.updated_at)) if opinion else None
