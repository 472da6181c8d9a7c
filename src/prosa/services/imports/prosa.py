"""Our own JSON."""

from typing import Any

import msgspec

from prosa.domain.content import DocumentPart, Part, TextPart
from prosa.domain.conversations import ConversationStatus, MessageKind, MessageStatus
from prosa.domain.imports import Malformed, Told, ToldMessage
from prosa.domain.models import Role
from prosa.services.imports.fields import iso, metadata, objects, strict

VERSION = 1
_ROLES = {role.value: role for role in Role}
_CONVERSATIONS = {status.value: status for status in ConversationStatus}


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
    """A file that a provider keeps is named by an id that whoever knows it may use: it is not taken over."""
    if isinstance(part, DocumentPart) and part.reference is not None:
        return TextPart(f"[{part.name}]") if part.name else TextPart("[document]")
    return part
