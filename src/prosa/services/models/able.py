"""What of a message's files a model can take: the rest is refused, or in earlier messages only told of."""

from collections.abc import AsyncGenerator, Collection, Iterable

from msgspec.structs import replace

from prosa.domain.content import Attachment, DocumentPart, ImagePart, Part, TextPart
from prosa.domain.files import ModelTakesNoDocuments, ModelTakesNoImages, is_text
from prosa.domain.models import ChatRequest, ModelEvent, Role, Turn
from prosa.ports.models import ChatModel
from prosa.services.models.capabilities import Capability
from prosa.services.models.policy import Policy


class Able(Policy):
    """A target of a route that can't take everything: another one may. What is answered must be taken whole;
    raises ModelTakesNoImages, ModelTakesNoDocuments before anybody is asked."""

    def __init__(self, inner: ChatModel, able: Collection[Capability]) -> None:
        super().__init__(inner)
        self._able = able

    def stream(self, request: ChatRequest) -> AsyncGenerator[ModelEvent, None]:
        return self._inner.stream(self._fitting(request))

    async def count_tokens(self, request: ChatRequest) -> int | None:
        return await self._inner.count_tokens(self._fitting(request))

    def _fitting(self, request: ChatRequest) -> ChatRequest:
        if not any(turn.parts for turn in request.turns):
            return request
        last = max((place for place, turn in enumerate(request.turns) if turn.role is Role.USER), default=0)
        check(request.turns[last].parts, self._able, request.model)
        return replace(request, turns=tuple(told(turn, self._able) for turn in request.turns))


def takes_all(able: Collection[Capability]) -> bool:
    """Whether nothing is known that it can't take."""
    return "unknown" in able or {"images", "documents"} <= {*able}


def check(parts: Iterable[Part], able: Collection[Capability], model: str) -> None:
    """Raises ModelTakesNoImages, ModelTakesNoDocuments."""
    for part in parts:
        if _lacking(part, able):
            refusal = ModelTakesNoImages if isinstance(part, ImagePart) else ModelTakesNoDocuments
            raise refusal(model, _name(part))


def told(turn: Turn, able: Collection[Capability]) -> Turn:
    """The turn, with a sentence for each file that can't be taken."""
    if not any(_lacking(part, able) for part in turn.parts):
        return turn
    parts = (
        TextPart(f"[Here was the file {_name(part)}, which you can't read.]")
        if _lacking(part, able)
        else part
        for part in turn.parts
    )
    return replace(turn, parts=tuple(parts))


def _lacking(part: Part, able: Collection[Capability]) -> bool:
    match part:
        case ImagePart():
            return "images" not in able
        case DocumentPart(media_type=media_type):
            return "documents" not in able and not is_text(media_type)
    return False


def _name(part: Part) -> str:
    return (part.name if isinstance(part, Attachment) else None) or "the attachment"
