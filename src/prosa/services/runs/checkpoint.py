"""Where a run stands: all that it takes to begin, or to go on after it has waited for its caller."""

import msgspec
from msgspec import Struct

from prosa.domain.content import Part
from prosa.domain.limits import Remaining
from prosa.domain.opening import Prepared
from prosa.domain.principal import Principal
from prosa.domain.timing import Timing
from prosa.services.runs.settle import Spent


class Checkpoint(Struct, frozen=True):
    """`client_tools` are the names of the caller's own tools. `parts` is the answer so far, `place` that of
    the next step, or of the first one of the round whose calls are not all answered; of the steps in `told`
    the results were published."""

    principal: Principal
    language: str
    prepared: Prepared
    remaining: Remaining
    client_tools: tuple[str, ...]
    parts: tuple[Part, ...] = ()
    place: int = 0
    told: frozenset[int] = frozenset()
    rounds: int = 0
    spent: Spent = Spent()
    timings: tuple[Timing, ...] = ()


_decoder = msgspec.msgpack.Decoder(Checkpoint)


def pack(checkpoint: Checkpoint) -> bytes:
    return msgspec.msgpack.encode(checkpoint)


def unpack(stored: bytes) -> Checkpoint:
    return _decoder.decode(stored)
