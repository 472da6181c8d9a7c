"""How many tokens messages are: exact in OpenAI's encodings, else estimated from the bytes of their text."""

from collections.abc import Iterable

from prosa.domain.content import DocumentPart, ImagePart, Part, TextPart, ThinkingPart, ToolCall, ToolResult
from prosa.domain.context import Count, Counts
from prosa.domain.models import Turn
from prosa.services.context import encodings, window

MESSAGE = 4
"""Tokens that stand around each message of OpenAI's: two marks, the role, a line feed."""

ANSWER = 3
"""Tokens with which the answer begins; they count as input."""

CALL = 8
"""Tokens around a call or a result, at most: OpenAI does not publish how models read them."""


REPORTED = "reported"
"""In place of an encoding: the provider's own count."""


def count_text(text: str, encoding: str | None) -> Count:
    """How much a text alone is."""
    if encoding is None:
        return Count(window.size(text) // window.BYTES_A_TOKEN, estimated=True)
    return Count(encodings.count(text, encoding))


def count_parts(turns: Iterable[Turn], encoding: str) -> int:
    """How much is said in turns, without what stands around them. Of pictures and documents an estimate
    counts, and what stands around calls is one."""
    return sum(_count_turn(turn, encoding) for turn in turns)


def _count_turn(turn: Turn, encoding: str) -> int:
    if not turn.parts:
        return encodings.count(turn.content, encoding)
    return sum(_count_part(part, encoding) for part in turn.parts)


def _count_part(part: Part, encoding: str) -> int:
    match part:
        case TextPart(text) | ThinkingPart(text):
            return encodings.count(text, encoding)
        case ToolCall(identity, name, arguments):
            return CALL + encodings.count(f"{identity}{name}{arguments}", encoding)
        case ToolResult(identity, result):
            return CALL + encodings.count(f"{identity}{result}", encoding)
        case ImagePart():
            return window.PICTURE // window.BYTES_A_TOKEN
        case DocumentPart():
            return window.size_of_part(part) // window.BYTES_A_TOKEN


def told_count(counts: Counts, model: str | None) -> int | None:
    """The count to tell of a message that `model` has written, if any: in its encoding, else in any."""
    own = None if model is None else encodings.encoding_of(model)
    return next((counts.by[each] for each in (own, encodings.O200K, *counts.by) if each in counts.by), None)


def exact(turns: Iterable[Turn]) -> bool:
    """Whether `count_turns` knows all of it: text alone."""
    return all(isinstance(part, TextPart) for turn in turns for part in turn.parts)
