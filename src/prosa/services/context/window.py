"""How large what models are shown is: in bytes, which no count of tokens exceeds, and about, in tokens."""

from collections.abc import Iterable, Sequence

import msgspec

from prosa.domain.content import DocumentPart, ImagePart, Part, TextPart, ThinkingPart, ToolCall, ToolResult
from prosa.domain.files import is_text
from prosa.domain.models import ToolSpec, Turn

OVERHEAD = 8
"""Tokens that a turn takes beside its text, at most."""


BYTES_A_TOKEN = 3
"""On the safe side for prose: most tokenizers take more."""

TEMPLATE = 64
"""Tokens that a model's own template may add, such as a system prompt where none was given."""


TOOLING = 600
"""Tokens of a provider's own instructions for tools, where there are any: Anthropic's have up to 530."""

PICTURE = 6_500
"""Tokens times `BYTES_A_TOKEN` that a picture takes: but for `DEARER` models none counts more, whatever its
size."""

DEARER = {"gpt-4o-mini": 48_169}
"""Tokens of a picture, at most, by a part of a model's name: eight tiles of 5,667, and 2,833."""

DOCUMENT = 30_000
"""The same for a document that is given by its address; a text that is given whole takes its bytes."""

LONGEST_DOCUMENT = 300_000
"""The same for a PDF of whatever size: a hundred pages of the most that providers count for one."""

FRAME = 64
"""Bytes of what stands around a document's text."""

_encoder = msgspec.json.Encoder()


def size(text: str) -> int:
    """Bytes in UTF-8: no tokenizer makes more tokens than these."""
    return len(text) if text.isascii() else len(text.encode())


def size_of(turn: Turn) -> int:
    """The bytes of a turn's text, calls and results, and what its pictures and documents take at most."""
    if not turn.parts:
        return size(turn.content)
    return sum(map(size_of_part, turn.parts)) + OVERHEAD * len(turn.parts)


def size_of_part(part: Part) -> int:
    """As `size_of`, of one part."""
    match part:
        case TextPart(text):
            return size(text)
        case ThinkingPart(text, signature, redacted):
            return size(text) + len(signature or "") + len(redacted or "")
        case ToolCall(identity, name, arguments):
            return size(identity) + size(name) + size(arguments)
        case ToolResult(identity, result, name):
            return size(identity) + size(name) + size(result)
        case ImagePart():
            return PICTURE
        case DocumentPart():
            return _size_of_document(part)


def _size_of_document(part: DocumentPart) -> int:
    """A text takes its bytes; of what else is in a document no more than its size is known."""
    length = max(part.size, len(part.data or b""))
    if length and is_text(part.media_type):
        return length + size(part.name or "") + FRAME
    return min(max(DOCUMENT, length), LONGEST_DOCUMENT)


def size_of_tools(tools: Iterable[ToolSpec]) -> int:
    """The bytes in which models are told of these tools."""
    return sum(len(_encoder.encode(tool)) + OVERHEAD for tool in tools)


def bound(turns: Sequence[Turn], system: str | None, tools: Sequence[ToolSpec] = (), model: str = "") -> int:
    """More tokens than this the input can't be, whatever the tokenizer of the model."""
    said = sum(size_of(turn) + OVERHEAD for turn in turns)
    return said + size(system or "") + size_of_tools(tools) + beside(tools) + dearer(turns, model)


def dearer(turns: Sequence[Turn], model: str) -> int:
    """Tokens that a model may count for the pictures in `turns` beyond what others do."""
    most = next((most for name, most in DEARER.items() if name in model), PICTURE)
    if most == PICTURE:
        return 0
    return (most - PICTURE) * sum(isinstance(part, ImagePart) for turn in turns for part in turn.parts)


def beside(tools: Sequence[ToolSpec]) -> int:
    """Tokens that a provider may add by itself, at most."""
    return TEMPLATE + TOOLING if tools else TEMPLATE


def estimate(text: str) -> int:
    """About how many tokens a text is."""
    return size(text) // BYTES_A_TOKEN + OVERHEAD


def estimate_of(turn: Turn) -> int:
    """About how many tokens a turn is."""
    return size_of(turn) // BYTES_A_TOKEN + OVERHEAD


def tokens(turns: Sequence[Turn], system: str | None, tools: Sequence[ToolSpec] = ()) -> int:
    """About how many tokens an input is."""
    said = sum(estimate_of(turn) for turn in turns) + (estimate(system) if system else 0)
    return said + size_of_tools(tools) // BYTES_A_TOKEN
