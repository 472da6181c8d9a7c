"""What a generation took, where the provider told all of it, part of it, or nothing."""

from msgspec import Struct
from msgspec.structs import replace

from prosa.domain.models import Usage
from prosa.domain.opening import Prepared
from prosa.services.context import window


class Taken(Struct):
    """What is known of a generation. `called` says that the provider was asked, `finished` that it came to
    its own end, `thought` how many characters of thinking it told; `reported` is its latest report."""

    called: bool = False
    finished: bool = False
    thought: int = 0
    reported: Usage | None = None


def settle(taken: Taken, prepared: Prepared, said: str) -> tuple[Usage, bool]:
    """The tokens to enter in the ledger, and whether they are an estimate."""
    if not taken.called:
        return Usage(), False
    if taken.finished and taken.reported is not None:
        return taken.reported, False
    written = min(_written(taken, said), prepared.request.max_tokens)
    if taken.reported is None:
        prompt = prepared.prompt if written or taken.finished else 0
        return Usage(prompt, written), True
    # Some report in the middle: what was written since their last report has to be counted, too.
    return replace(taken.reported, completion_tokens=max(taken.reported.completion_tokens, written)), True


def _written(taken: Taken, said: str) -> int:
    told = window.estimate(said) if said else 0
    return told + taken.thought // window.BYTES_A_TOKEN
