"""Users' files that are text: their bytes go into a request before it is looked at."""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace
from typing_extensions import TypeIs

from prosa.domain.content import DocumentPart, Part, TextPart
from prosa.domain.files import is_text
from prosa.domain.models import ChatRequest, Turn
from prosa.services.models.attached import Read


async def filled(request: ChatRequest, read: Read) -> ChatRequest:
    """They stand for no file any more: nobody reads them once more. Pictures and PDFs stay as they are."""
    wanted = list(dict.fromkeys(_files(turn.parts for turn in request.turns if turn.parts)))
    if not wanted:
        return request
    data = await read(request.user, wanted)
    return replace(request, turns=tuple(_turn(turn, data) for turn in request.turns))


def _files(messages: Iterable[tuple[Part, ...]]) -> Iterable[str]:
    return (part.file for parts in messages for part in parts if _readable(part) and part.file is not None)


def _readable(part: Part) -> TypeIs[DocumentPart]:
    return isinstance(part, DocumentPart) and is_text(part.media_type)


def _turn(turn: Turn, data: Mapping[str, bytes]) -> Turn:
    if not any(map(_readable, turn.parts)):
        return turn
    return replace(turn, parts=tuple(_part(part, data) for part in turn.parts))


def _part(part: Part, data: Mapping[str, bytes]) -> Part:
    if not _readable(part) or part.file is None:
        return part
    found = data.get(part.file)
    if found is None or len(found) != part.size:  # what was counted is what is sent, and nothing else
        return TextPart(f"[The file {part.name} is not there any more.]")
    return replace(part, data=found, file=None)
