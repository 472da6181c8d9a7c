"""Writes turns as the messages of OpenAI's chat completions."""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any

from prosa.adapters.models.arguments import as_object
from prosa.adapters.models.documents import data_url, kind_of, spelled_out
from prosa.adapters.models.openai.dialect import OPENAI, Dialect
from prosa.adapters.models.turns import told
from prosa.domain.content import DocumentPart, ImagePart, Part, TextPart, ThinkingPart, ToolCall, ToolResult
from prosa.domain.errors import InvalidRequest, NotSupported
from prosa.domain.models import Role, Turn
from prosa.kit.text import well_formed

LONGEST_ID = 40
"""Characters. OpenAI refuses a call whose id is longer; other servers make some that are."""

Message = dict[str, Any]


def messages(turns: Iterable[Turn], dialect: Dialect = OPENAI) -> list[Message]:
    """The messages of `turns`: one for each, but one for each result in a turn of tools.

    Raises `InvalidRequest` for a part that says nothing, `NotSupported` for one that this wire can't say.
    """
    written: list[Message] = []
    for turn in turns:
        if turn.parts:
            written += _written(turn, dialect)
        else:
            written.append({"role": turn.role, "content": turn.content})
    return written


def _written(turn: Turn, dialect: Dialect) -> Iterator[Message]:
    if turn.role is Role.TOOL:
        for part in turn.parts:
            if isinstance(part, ToolResult):
                yield {"role": "tool", "tool_call_id": _short(part.id), "content": told(part)}
    elif turn.role is Role.USER:
        yield {"role": "user", "content": [_shown(part, dialect) for part in turn.parts]}
    else:
        yield from _said(turn, dialect)


def _said(turn: Turn, dialect: Dialect) -> Iterator[Message]:
    """What the assistant (or the system) said: its text and calls. Pictures of its own can't go back."""
    texts = [part.text for part in turn.parts if isinstance(part, TextPart)]
    calls = _calls(turn.parts, dialect)
    if not texts and not calls:
        return
    message: Message = {"role": turn.role, "content": "".join(texts) or None}
    if calls:
        message["tool_calls"] = calls
        thoughts = "".join(part.text for part in turn.parts if isinstance(part, ThinkingPart))
        if thoughts and dialect.thoughts.startswith("reasoning"):
            message[dialect.thoughts] = thoughts
    yield message


def _calls(parts: Iterable[Part], dialect: Dialect) -> list[dict[str, Any]]:
    """The calls, each with the signature of the thought before it where the server wants that back."""
    calls = []
    signature: str | None = None
    for part in parts:
        if isinstance(part, ThinkingPart):
            signature = part.signature
        elif isinstance(part, ToolCall):
            # Many servers insist on an object, and what a model wrote may be none.
            function = {"name": part.name, "arguments": bytes(as_object(part.arguments)).decode()}
            call: dict[str, Any] = {"id": _short(part.id), "type": "function", "function": function}
            if signature and dialect.thoughts == "thought_signature":
                call["extra_content"] = {"google": {"thought_signature": signature}}
            signature = None
            calls.append(call)
    return calls


def _short(identity: str) -> str:
    """An id as it came, or where that is too long, one that is always made of it."""
    identity = well_formed(identity)
    return identity if len(identity) <= LONGEST_ID else f"call_{sha256(identity.encode()).hexdigest()[:32]}"


def _shown(part: Part, dialect: Dialect) -> dict[str, Any]:
    match part:
        case TextPart(text):
            return {"type": "text", "text": text}
        case ImagePart():
            return {"type": "image_url", "image_url": _image(part)}
        case DocumentPart():
            return _document(part, dialect)
        case _:
            raise InvalidRequest("a message of the user holds only text, images and documents")


def _image(image: ImagePart) -> dict[str, str]:
    if image.data is not None:
        url = data_url(image.media_type or "image/png", image.data)
    elif image.url:
        url = well_formed(image.url)
    else:
        raise InvalidRequest("an image has neither data nor url")
    return {"url": url, "detail": image.detail} if image.detail else {"url": url}


def _document(document: DocumentPart, dialect: Dialect) -> dict[str, Any]:
    """A file, by the id under which the server keeps it or with its bytes; what is text anyway, as text."""
    if document.reference:
        return {"type": "file", "file": {"file_id": document.reference}}
    if document.data is None:
        raise NotSupported(f"A document by URL with {dialect.name}")
    if (text := spelled_out(document)) is not None:
        return {"type": "text", "text": text}
    kind = kind_of(document) or "application/pdf"
    name = well_formed(document.name or "document")
    if "." not in name:
        name += "." + kind.rpartition("/")[2]
    return {"type": "file", "file": {"filename": name, "file_data": data_url(kind, document.data)}}
