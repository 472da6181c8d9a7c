"""Messages and tools as Anthropic writes them, read as what a model is asked; and answers as its blocks."""

import binascii
from base64 import b64decode
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

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
from prosa.domain.models import ChatRequest, Role, ToolChoice, ToolSpec, Turn, turn

PROVIDER = "anthropic"
"""Whose signatures thoughts bear: they go back to nobody else."""

_CHOICES: dict[str, Literal["auto", "required", "none"]] = {"auto": "auto", "any": "required", "none": "none"}


class TextBlock(Struct, frozen=True, tag_field="type", tag="text"):
    text: str


class Bytes(Struct, frozen=True, tag_field="type", tag="base64"):
    media_type: str
    data: str


class Url(Struct, frozen=True, tag_field="type", tag="url"):
    url: Annotated[str, Meta(pattern=r"^https?://[^\s]")]


class Kept(Struct, frozen=True, tag_field="type", tag="file"):
    """What Anthropic keeps."""

    file_id: str


class PlainText(Struct, frozen=True, tag_field="type", tag="text"):
    data: str
    media_type: str = "text/plain"


class ImageBlock(Struct, frozen=True, tag_field="type", tag="image"):
    source: Bytes | Url


class DocumentBlock(Struct, frozen=True, tag_field="type", tag="document"):
    source: Bytes | Url | PlainText | Kept
    title: str | None = None


class ThinkingBlock(Struct, frozen=True, tag_field="type", tag="thinking"):
    thinking: str
    signature: str


class RedactedBlock(Struct, frozen=True, tag_field="type", tag="redacted_thinking"):
    data: str


class ToolUseBlock(Struct, frozen=True, tag_field="type", tag="tool_use"):
    id: str
    name: str
    input: dict[str, Any] = {}


class ToolResultBlock(Struct, frozen=True, tag_field="type", tag="tool_result"):
    tool_use_id: str
    content: str | list[TextBlock] | None = None
    is_error: bool | None = None


Block = (
    TextBlock | ImageBlock | DocumentBlock | ThinkingBlock | RedactedBlock | ToolUseBlock | ToolResultBlock
)


class ClaudeTurn(Struct, frozen=True):
    role: Literal["user", "assistant"]
    content: str | list[Block]


class ClaudeTool(Struct, frozen=True):
    name: str
    description: str = ""
    input_schema: dict[str, Any] | None = None
    type: str | None = None


class ClaudeChoice(Struct, frozen=True):
    type: Literal["auto", "any", "none", "tool"]
    name: str | None = None
    disable_parallel_tool_use: bool = False


class Question(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    messages: Annotated[list[ClaudeTurn], Meta(min_length=1)]
    system: str | list[TextBlock] | None = None
    max_tokens: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    stop_sequences: list[str] | None = None
    tools: list[ClaudeTool] | None = None
    tool_choice: ClaudeChoice | None = None


def request_of(asked: Question) -> ChatRequest:
    """`model` and `max_tokens` are not set. Raises InvalidRequest, which names the place, NotSupported."""
    choice, tools = asked.tool_choice, tuple(map(_tool, asked.tools or ()))
    return ChatRequest(
        model="",
        turns=tuple(_turns(asked.messages)),
        system=_text(asked.system) or None,
        temperature=asked.temperature,
        top_p=asked.top_p,
        stop=tuple(asked.stop_sequences or ()),
        tools=tools,
        tool_choice=None if choice is None or not tools else _chosen(choice, tools),
        parallel_tool_calls=False if choice is not None and choice.disable_parallel_tool_use else None,
    )


def blocks_of(parts: Iterable[Part]) -> list[dict[str, Any]]:
    """An answer's parts as Anthropic writes them; thoughts that nobody signed are left out: they could not go
    back."""
    return [block for part in parts if (block := _block(part)) is not None]


def _turns(messages: Sequence[ClaudeTurn]) -> Iterable[Turn]:
    names: dict[str, str] = {}
    for place, message in enumerate(messages):
        role = Role(message.role)
        if isinstance(message.content, str):
            yield Turn(role, message.content)
            continue
        parts = [_part(block, f"messages[{place}].content[{n}]", names)
                 for n, block in enumerate(message.content)]  # fmt: skip
        results = [part for part in parts if isinstance(part, ToolResult)]
        rest = [part for part in parts if not isinstance(part, ToolResult)]
        if results:
            yield turn(Role.TOOL, *results)
        if rest or not results:
            yield turn(role, *rest)


def _part(block: Block, place: str, names: dict[str, str]) -> Part:
    """`names` are those of the calls so far, by their ids."""
    made: Part
    match block:
        case TextBlock(text):
            made = TextPart(text)
        case ImageBlock(Url(url)):
            made = ImagePart(url=url)
        case ImageBlock(Bytes(kind, _) as source):
            made = ImagePart(kind, _bytes(source, place))
        case DocumentBlock(source, title):
            made = _document(source, title, place)
        case ThinkingBlock(text, signature):
            made = ThinkingPart(text, signature=signature, provider=PROVIDER)
        case RedactedBlock(data):
            made = ThinkingPart(redacted=data, provider=PROVIDER)
        case ToolUseBlock(identity, name, given):
            names[identity] = name
            made = ToolCall(identity, name, msgspec.json.encode(given).decode())
        case ToolResultBlock(identity, content, wrong):
            status = ToolStatus.FAILED if wrong else ToolStatus.COMPLETED
            made = ToolResult(identity, _text(content), names.get(identity, ""), status)
    return made


def _document(source: Bytes | Url | PlainText | Kept, title: str | None, place: str) -> DocumentPart:
    match source:
        case Url(url):
            return DocumentPart(url=url, name=title)
        case Kept(identity):
            return DocumentPart(reference=identity, name=title)
        case PlainText(text, kind):
            return DocumentPart(kind, text.encode(errors="replace"), name=title)
        case Bytes(kind, _):
            return DocumentPart(kind, _bytes(source, place), name=title)


def _bytes(source: Bytes, place: str) -> bytes:
    try:
        return b64decode(source.data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest(f"this is not base64 - at `$.{place}.source.data`.") from error


def _text(content: str | Sequence[TextBlock] | None) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(block.text for block in content)


def _tool(tool: ClaudeTool) -> ToolSpec:
    if tool.type not in (None, "custom"):
        raise NotSupported(f"A tool of the type {tool.type}")
    return ToolSpec(tool.name, tool.description, tool.input_schema or {})


def _chosen(choice: ClaudeChoice, tools: Sequence[ToolSpec]) -> ToolChoice:
    if choice.type != "tool":
        return ToolChoice(_CHOICES[choice.type])
    if all(tool.name != choice.name for tool in tools):
        raise InvalidRequest("there is no tool of this name - at `$.tool_choice.name`.")
    return ToolChoice("tool", choice.name)


def _block(part: Part) -> dict[str, Any] | None:
    match part:
        case TextPart(text):
            return {"type": "text", "text": text}
        case ThinkingPart(redacted=str(data)):
            return {"type": "redacted_thinking", "data": data}
        case ThinkingPart(text, signature=str(signature)):
            return {"type": "thinking", "thinking": text, "signature": signature}
        case ToolCall(identity, name, arguments):
            return {"type": "tool_use", "id": identity, "name": name, "input": _input(arguments)}
        case _:
            return None


def _input(arguments: str) -> Any:
    """As an object; what the model wrote and is none, as a field of one, so that nothing is lost."""
    try:
        return msgspec.json.decode(arguments or "{}", type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        return {"arguments": arguments}
