"""What of the files in a branch a model is shown: what it can take, and no more than fits into a request."""

from collections.abc import Collection, Sequence

from msgspec.structs import replace

from prosa.domain.content import Attachment, Part, TextPart, attachments_of
from prosa.domain.context import Shown
from prosa.domain.files import MOST_SHOWN, AttachmentsTooLarge
from prosa.domain.models import Turn
from prosa.services.models.able import check, takes_all, told
from prosa.services.models.capabilities import Capability


def takeable(branch: Sequence[Shown], able: Collection[Capability], model: str) -> Sequence[Shown]:
    """The branch as `model`, of which `able` is known, can take it. Of what was said before, it is told only
    that there was something; in the last message it must be able to take everything.

    Raises ModelTakesNoImages, ModelTakesNoDocuments, AttachmentsTooLarge.
    """
    if not any(turn.parts for each in branch for turn in each.turns):
        return branch
    if not takes_all(able):
        check((part for turn in branch[-1].turns for part in turn.parts), able, model)
        branch = [replace(each, turns=tuple(told(turn, able) for turn in each.turns)) for each in branch]
    return _bounded(branch)


def _bounded(branch: Sequence[Shown]) -> Sequence[Shown]:
    """With the files of the newest messages, as far as `MOST_SHOWN` go."""
    sizes = [_bytes(each) for each in branch]
    if sum(sizes) <= MOST_SHOWN:
        return branch
    if sizes[-1] > MOST_SHOWN:
        raise AttachmentsTooLarge(MOST_SHOWN)
    left, shown = MOST_SHOWN, []
    for each, size in zip(reversed(branch), reversed(sizes), strict=True):
        left -= size
        shown.append(each if left >= 0 or not size else _without(each))
    return shown[::-1]


def _bytes(message: Shown) -> int:
    return sum(max(part.size, 0) for turn in message.turns for part in attachments_of(turn.parts))


def _without(message: Shown) -> Shown:
    return replace(message, turns=tuple(_hidden(turn) for turn in message.turns))


def _hidden(turn: Turn) -> Turn:
    return replace(turn, parts=tuple(map(_named, turn.parts)))


def _named(part: Part) -> Part:
    if not isinstance(part, Attachment) or part.file is None:
        return part
    return TextPart(f"[Here was the file {part.name}, which is too large to be shown again.]")
