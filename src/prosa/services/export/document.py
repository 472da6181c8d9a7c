"""JSON: complete, one conversation a line, and the same bytes whichever database they come from."""

from typing import Any

import msgspec

from prosa.domain.content import Part, encode_parts
from prosa.domain.conversations import Conversation, MessageStatus, TitleBy
from prosa.domain.feedback import Feedback
from prosa.domain.time import to_iso
from prosa.services.export.formats import Exported

_encode = msgspec.json.Encoder().encode
_LEAST, _MOST = -(2**63), 2**64 - 1
"""Between them a number without a fraction is written without a point, beyond them as a float: one database
keeps numbers as they were written, another one what they come to."""


class Document:
    media_type = "application/json"
    suffix = "json"
    whole = True

    def begin(self, conversations: int, title: str | None) -> bytes:
        del conversations, title
        return b'{"format":"prosa","version":1,"conversations":['

    def open(self, conversation: Conversation, place: int) -> bytes:
        fields = {
            "id": conversation.id,
            "externalId": conversation.external_id,
            "clientId": conversation.client_id or None,
            "title": conversation.title,
            "systemPrompt": conversation.system_prompt,
            "provider": conversation.provider,
            "model": conversation.model,
            "status": conversation.status.value,
            "headId": conversation.head_id,
            "pinned": conversation.pinned,
            "archived": conversation.archived,
            "titleBy": _title_by(conversation),
            "metadata": conversation.metadata,
            "createdAt": to_iso(conversation.created_at),
            "updatedAt": to_iso(conversation.updated_at),
        }
        return (b",\n" if place else b"\n") + _encode(canonical(fields))[:-1] + b',"messages":['

    def message(self, placed: Exported, conversation: Conversation) -> bytes:
        del conversation
        message = placed.message
        done = message.status is MessageStatus.COMPLETED
        fields = {
            "id": message.id,
            "parentId": message.parent_id,
            "role": message.role.value,
            "content": message.content,
            "parts": _parts(message.parts),
            "status": (MessageStatus.COMPLETED if done else MessageStatus.INCOMPLETE).value,
            "provider": message.provider,
            "model": message.model,
            "externalId": message.external_id,
            "metadata": message.metadata,
            "feedback": None if placed.feedback is None else _feedback(placed.feedback),
            "kind": message.kind.value,
            "createdAt": to_iso(message.created_at),
        }
        return (b"," if placed.place else b"") + _encode(canonical(fields))

    def close(self, conversation: Conversation) -> bytes:
        del conversation
        return b"]}"

    def end(self) -> bytes:
        return b"\n]}\n"


def _parts(parts: tuple[Part, ...]) -> Any:
    return msgspec.json.decode(encode_parts(parts)) if parts else None


def _feedback(said: Feedback) -> dict[str, Any]:
    return {
        "thumb": said.thumb,
        "rating": said.rating,
        "tags": list(said.tags),
        "comment": said.comment,
        "createdAt": to_iso(said.created_at),
        "updatedAt": to_iso(said.updated_at),
    }


def _title_by(conversation: Conversation) -> str | None:
    """Who made the title; one that is being asked for at the moment is an excerpt as yet."""
    by = TitleBy.EXCERPT if conversation.title_by is TitleBy.ASKED else conversation.title_by
    return None if by is None else by.value


def canonical(value: Any) -> Any:
    """`value` as it comes back from any database: without NUL, numbers as plain as they can be. Free objects
    are sorted by their keys; those that Prosa makes are not nested in any."""
    return {name: _sorted(each) if name == "metadata" else _plain(each) for name, each in value.items()}


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {_plain(key): _sorted(value[key]) for key in sorted(value)}
    return [_sorted(each) for each in value] if isinstance(value, list) else _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "\ufffd") if "\0" in value else value
    if isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer() and _LEAST <= value <= _MOST:
        return int(value)
    if isinstance(value, int) and not _LEAST <= value <= _MOST:
        return float(value)
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return {name: _plain(each) for name, each in value.items()} if isinstance(value, dict) else value
