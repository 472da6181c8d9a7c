"""What of the files in a branch a model is shown: what it can take."""

from collections.abc import Collection, Sequence

from msgspec.structs import replace

from prosa.domain.context import Shown
from prosa.services.models.able import check, takes_all, told
from prosa.services.models.capabilities import Capability


def takeable(branch: Sequence[Shown], able: Collection[Capability], model: str) -> Sequence[Shown]:
    """The branch as `model`, of which `able` is known, can take it. Of what was said before, it is told only
    that there was something; in the last message it must be able to take everything.

    Raises ModelTakesNoImages, ModelTakesNoDocuments.
    """
    if takes_all(able):
        return branch
    check((part for turn in branch[-1].turns for part in turn.parts), able, model)
    if not any(turn.parts for each in branch for turn in each.turns):
        return branch
    return [replace(each, turns=tuple(told(turn, able) for turn in each.turns)) for each in branch]
