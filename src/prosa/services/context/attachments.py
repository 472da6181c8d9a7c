"""What of the files in a branch a model is shown: what it can take."""

from collections.abc import Collection, Sequence

from msgspec.structs import replace

from prosa.domain.content import Attachment, DocumentPart, ImagePart, Part, TextPart
from prosa.domain.context import Shown
from prosa.domain.files import ModelTakesNoDocuments, ModelTakesNoImages, is_text
from prosa.domain.models import Turn
from prosa.services.models.capabilities import Capability


def takeable(branch: Sequence[Shown], able: Collection[Capability], model: str) -> Sequence[Shown]:
    """The branch as `model`, of which `able` is known, can take it. Of what was said before, it is told only
    that there was something; in the last message it must be able to take everything.

    Raises ModelTakesNoImages, ModelTakesNoDocuments.
    """
    if "unknown" in able or {"images", "documents"} <= {*able}:
        return branch
    for part in (part for turn in branch[-1].turns for part in turn.parts):
        if _lacking(part, able):
            refusal = ModelTakesNoImages if isinstance(part, ImagePart) else ModelTakesNoDocuments
            raise refusal(model, _name(part))
    if not any(turn.parts for each in branch for turn in each.turns):
        return branch
    return [replace(each, turns=tuple(_told(turn, able) for turn in each.turns)) for each in branch]


def _told(turn: Turn, able: Collection[Capability]) -> Turn:
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
