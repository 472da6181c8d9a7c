"""Writes turns as Ollama's messages: text, pictures in base64, calls with their arguments as objects."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from typing import Any

from prosa.adapters.models.arguments import as_object
from prosa.adapters.models.documents import kind_of, spelled_out
from prosa.adapters.models.ollama.errors import PROVIDER
from prosa.adapters.models.turns import told
from prosa.domain.content import (
    DocumentPart,
    ImagePart,
    Part,
    TextPart,
    ThinkingPart,
    ToolCall,
    ToolResult,
)
from prosa.domain.errors import InvalidRequest, NotSupported
from prosa.domain.models import Role, Turn

Message = dict[str, Any]


def messages(turns: Sequence[Turn]) -> list[Message]:
    """The messages of `turns`: one for each, but one for each result in a turn of tools.

    Thoughts go back while their tools are being called, as the models' own templates have it. Raises
    `InvalidRequest` for a picture by URL, `NotSupported` for a document that is no text.
    """
    names = {part.id: part.name for turn in turns for part in turn.parts if isinstance(part, ToolCall)}
    asked = max((place for place, turn in enumerate(turns) if turn.role is Role.USER), default=-1)
    return [
        message for place, turn in enumerate(turns) for message in written(turn, names, resumes=place > asked)
    ]


def written(turn: Turn, names: dict[str, str], *, resumes: bool) -> Iterator[Message]:
    if not turn.parts:
        yield {"role": turn.role, "content": turn.content}
    elif turn.role is Role.TOOL:
        for part in turn.parts:
            if isinstance(part, ToolResult):
                yield result(part, part.name or names.get(part.id, ""))
    elif turn.role is Role.USER:
        yield asking(turn)
    else:
        yield from said(turn, resumes=resumes)


def asking(turn: Turn) -> Message:
    """What a user says, and shows: the text in one piece, and the pictures beside it."""
    texts = [text for part in turn.parts if (text := read(part)) is not None]
    pictures = [picture(part) for part in turn.parts if isinstance(part, ImagePart)]
    message: Message = {"role": "user", "content": "\n\n".join(texts)}
    return {**message, "images": pictures} if pictures else message


def read(part: Part) -> str | None:
    match part:
        case TextPart(text):
            return text
        case ImagePart():
            return None
        case DocumentPart():
            return document(part)
        case _:
            raise InvalidRequest("a message of the user holds only text, images and documents")


def document(part: DocumentPart) -> str:
    if (text := spelled_out(part)) is None:
        raise NotSupported(f"A document of the type {kind_of(part) or 'unknown'} for {PROVIDER}")
    return text


def picture(image: ImagePart) -> str:
    if image.data is None:
        raise InvalidRequest(f"{PROVIDER} fetches no images: send the image's bytes, not its URL")
    return b64encode(image.data).decode()


def said(turn: Turn, *, resumes: bool) -> Iterator[Message]:
    """What the assistant said: nothing where it was stopped while it thought."""
    calls = [call(part) for part in turn.parts if isinstance(part, ToolCall)]
    if not turn.content and not calls:
        return
    message: Message = {"role": turn.role, "content": turn.content}
    thoughts = "".join(part.text for part in turn.parts if isinstance(part, ThinkingPart))
    if thoughts and resumes:
        message["thinking"] = thoughts
    if calls:
        message["tool_calls"] = calls
    yield message


def call(part: ToolCall) -> dict[str, Any]:
    return {"function": {"name": part.name, "arguments": as_object(part.arguments)}}


def result(part: ToolResult, name: str) -> Message:
    message: Message = {"role": "tool", "content": told(part)}
    return {**message, "tool_name": name} if name else message
