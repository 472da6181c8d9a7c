"""Makes a request ready for any provider's encoder."""

from msgspec.structs import replace

from prosa.domain.errors import InvalidRequest, NotSupported
from prosa.domain.models import ChatRequest, Role, Turn
from prosa.kit.text import well_formed


def prepared(request: ChatRequest) -> ChatRequest:
    """The request in well-formed text and without empty turns, which a stopped answer may leave and most
    providers refuse.

    Raises `InvalidRequest` where nothing is left to answer, `NotSupported` for a tool's turn.
    """
    turns = tuple(_well_formed(turn) for turn in request.turns if turn.content.strip())
    if any(turn.role is Role.TOOL for turn in turns):
        raise NotSupported("a tool's message in the conversation")
    if not turns:
        raise InvalidRequest("there is no message to answer")
    system = well_formed(request.system or "").strip() or None
    return replace(request, model=well_formed(request.model), turns=turns, system=system)


def _well_formed(turn: Turn) -> Turn:
    text = well_formed(turn.content)
    return turn if text is turn.content else Turn(turn.role, text)
