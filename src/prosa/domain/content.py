"""What a message is made of: the parts that are stored, sent to models, and shown."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec
from msgspec import Struct


class TextPart(Struct, frozen=True, tag="text", rename="camel", omit_defaults=True):
    text: str


class ImagePart(Struct, frozen=True, tag="image", rename="camel", omit_defaults=True):
    """A picture: its bytes and their media type ("image/png"), or an http(s) `url` that the provider fetches.

    `detail` ("low", "high", "auto") is OpenAI's word for how closely to look. As it is stored, and until just
    before a provider is asked, it has no bytes but the id of the user's `file`; `size` is in bytes.
    """

    media_type: str | None = None
    data: bytes | None = None
    url: str | None = None
    detail: str | None = None
    name: str | None = None
    file: str | None = None
    size: int = 0


class DocumentPart(Struct, frozen=True, tag="document", rename="camel", omit_defaults=True):
    """A file to read, as bytes with their media type ("application/pdf"), or by `url`, or by the id under
    which the provider itself keeps it (`reference`). `file` and `size` as in a picture."""

    media_type: str | None = None
    data: bytes | None = None
    url: str | None = None
    name: str | None = None
    reference: str | None = None
    file: str | None = None
    size: int = 0


class ThinkingPart(Struct, frozen=True, tag="thinking", rename="camel", omit_defaults=True):
    """What a model thought before it spoke.

    `signature` and `redacted` are the provider's own and go back to `provider` unchanged with tool results;
    to any other provider such a part is not sent. A redacted thought has no text.
    """

    text: str = ""
    signature: str | None = None
    redacted: str | None = None
    provider: str = ""


class ToolCall(Struct, frozen=True, tag="tool_call", rename="camel", omit_defaults=True):
    """A model's wish to have a tool called. `arguments` is the JSON that the model wrote, valid or not."""

    id: str
    name: str
    arguments: str = ""


class ToolStatus(StrEnum):
    COMPLETED = "completed"
    FAILED = "failed"
    DENIED = "denied"


class ToolResult(Struct, frozen=True, tag="tool_result", rename="camel", omit_defaults=True):
    """What became of the call `id`. `result` is what the model is told, `name` the tool's."""

    id: str
    result: str
    name: str = ""
    status: ToolStatus = ToolStatus.COMPLETED


Part = TextPart | ImagePart | DocumentPart | ThinkingPart | ToolCall | ToolResult

_parts = msgspec.json.Decoder(tuple[Part, ...])


Attachment = ImagePart | DocumentPart


def attachments_of(parts: Iterable[Part]) -> tuple[Attachment, ...]:
    """The parts that stand for files of the user's."""
    return tuple(part for part in parts if isinstance(part, Attachment) and part.file is not None)


def worded(parts: Iterable[Part], text: str) -> tuple[Part, ...]:
    """A user's message with another text: its files stay."""
    kept = attachments_of(parts)
    if not kept:
        return ()
    return (*kept, TextPart(text)) if text else kept


def text_of(parts: Iterable[Part]) -> str:
    """The text among `parts`."""
    return "".join(part.text for part in parts if isinstance(part, TextPart))


def plain(parts: Sequence[Part]) -> bool:
    """Whether `parts` are a single text, or nothing: then the text alone tells all."""
    return not parts or (len(parts) == 1 and isinstance(parts[0], TextPart))


def encode_parts(parts: Sequence[Part]) -> str:
    """The parts as the JSON list that is stored."""
    return msgspec.json.encode(parts).decode()


def decode_parts(stored: str | bytes) -> tuple[Part, ...]:
    """The parts of a list that `encode_parts` made."""
    return _parts.decode(stored)
