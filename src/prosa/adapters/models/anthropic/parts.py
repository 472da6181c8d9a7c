"""Writes the parts of a turn as the blocks of one of Anthropic's messages."""

import re
from base64 import b64encode
from typing import Any

from prosa.adapters.models.anthropic.errors import PROVIDER
from prosa.adapters.models.arguments import as_object
from prosa.adapters.models.documents import TEXTUAL, kind_of
from prosa.domain.content import (
    DocumentPart,
    ImagePart,
    Part,
    TextPart,
    ThinkingPart,
    ToolCall,
    ToolResult,
    ToolStatus,
)
from prosa.domain.errors import InvalidRequest, NotSupported
from prosa.kit.text import well_formed

LONGEST_TITLE = 500

PDF = "application/pdf"
FOREIGN = re.compile(r"[^a-zA-Z0-9_-]")
"""What no id of a call may hold; ids of other providers can."""

Block = dict[str, Any]


def block(part: Part) -> Block | None:
    """One block; None for a thought that Anthropic did not sign."""
    match part:
        case TextPart(text):
            return {"type": "text", "text": text}
        case ToolCall(identity, name, arguments):
            return {"type": "tool_use", "id": callid(identity), "name": name, "input": as_object(arguments)}
        case ToolResult():
            return result(part)
        case ThinkingPart():
            return thought(part)
        case ImagePart():
            return {"type": "image", "source": picture(part)}
        case DocumentPart():
            named = {"title": well_formed(part.name)[:LONGEST_TITLE]} if part.name else {}
            return {"type": "document", "source": document(part), **named}


def thought(part: ThinkingPart) -> Block | None:
    if part.redacted is not None:
        return {"type": "redacted_thinking", "data": part.redacted}
    if part.signature:
        return {"type": "thinking", "thinking": part.text, "signature": part.signature}
    return None


def result(part: ToolResult) -> Block:
    made: Block = {"type": "tool_result", "tool_use_id": callid(part.id), "content": part.result}
    if part.status is not ToolStatus.COMPLETED:
        made |= {"content": part.result or part.status.value, "is_error": True}  # errors must have words
    return made


def callid(identity: str) -> str:
    return FOREIGN.sub("_", identity)


def picture(part: ImagePart) -> Block:
    if part.url:
        return {"type": "url", "url": part.url}
    if part.data is None or part.media_type is None:
        raise InvalidRequest("an image needs its bytes and their media type, or a URL")
    return encoded(part.media_type, part.data)


def document(part: DocumentPart) -> Block:
    if part.reference:
        return {"type": "file", "file_id": part.reference}
    if part.url:
        return {"type": "url", "url": part.url}
    kind = kind_of(part)
    if part.data is None or not kind:
        raise InvalidRequest("a document needs its bytes and their media type, a URL, or a reference")
    if kind == PDF:
        return encoded(kind, part.data)
    if kind.startswith(TEXTUAL):
        text = well_formed(part.data.decode("utf-8", "replace"))
        return {"type": "text", "media_type": "text/plain", "data": text}
    raise NotSupported(f"A document of the type {kind} for {PROVIDER}")


def encoded(media_type: str, data: bytes) -> Block:
    return {"type": "base64", "media_type": media_type, "data": b64encode(data).decode()}
