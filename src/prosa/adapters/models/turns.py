"""Makes a request ready for any provider's encoder."""

from collections.abc import Sequence

from msgspec.structs import replace

from prosa.domain.content import Part, TextPart, ThinkingPart, ToolCall, ToolResult, ToolStatus
from prosa.domain.errors import InvalidRequest
from prosa.domain.models import ChatRequest, Role, Turn
from prosa.kit.text import is_well_formed, well_formed


def prepared(request: ChatRequest, provider: str = "") -> ChatRequest:
    """The request in well-formed text and without empty turns, which a stopped answer may leave and most
    providers refuse. Thoughts of other providers than `provider` are left out.

    Raises `InvalidRequest` where nothing is left to answer, and for a turn of tools that holds no result.
    """
    turns = request.turns
    if not _plain(turns):
        turns = tuple(turn for given in turns if (turn := _mended(given, provider)) is not None)
    if not turns:
        raise InvalidRequest("there is no message to answer")
    system = well_formed(request.system or "").strip() or None
    return replace(request, model=well_formed(request.model), turns=turns, system=system)


def told(result: ToolResult) -> str:
    """What the model reads of `result`, for the wires that have no field that says how a call ended."""
    match result.status:
        case ToolStatus.COMPLETED:
            return result.result
        case ToolStatus.FAILED:
            return f"The call failed: {result.result}"
        case ToolStatus.DENIED:
            return f"The call was not allowed: {result.result}"


def _plain(turns: Sequence[Turn]) -> bool:
    """Whether there is nothing to mend, as nearly always: then one look at all of it is enough."""
    texts = [turn.content for turn in turns if not turn.parts and turn.role is not Role.TOOL]
    return len(texts) == len(turns) and all(map(str.strip, texts)) and is_well_formed("".join(texts))


def _mended(turn: Turn, provider: str) -> Turn | None:
    """The turn as it can be sent; None where nothing of it is left."""
    text = well_formed(turn.content)
    if not turn.parts:
        if turn.role is Role.TOOL:
            raise InvalidRequest("a turn of tools holds nothing but results")
        if not text.strip():
            return None
        return turn if text is turn.content else Turn(turn.role, text)
    parts = tuple(_part(part) for part in turn.parts if _sent(part, provider))
    return Turn(turn.role, text, parts) if parts else None


def _sent(part: Part, provider: str) -> bool:
    match part:
        case TextPart(text):
            return bool(text.strip())
        case ThinkingPart():
            return bool(provider) and part.provider == provider
        case _:
            return True


def _part(part: Part) -> Part:
    match part:
        case TextPart(text):
            return TextPart(well_formed(text))
        case ToolCall(identity, name, arguments):
            return ToolCall(identity, well_formed(name), well_formed(arguments))
        case ToolResult(identity, result, name, status):
            return ToolResult(identity, well_formed(result), well_formed(name), status)
        case _:
            return part
