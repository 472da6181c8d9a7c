"""When a run did what: the attempts at providers and the waits for its caller, kept with the run."""

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import Struct

from prosa.domain.time import Instant

MOST = 200
"""Of one run: a run whose timings are more than this keeps the first ones."""


class Timing(Struct, frozen=True, omit_defaults=True):
    """One thing that took its time. An attempt was `queued` where it waited for its turn, went on `at`, said
    its `first` word, and was over at its `end`; `code` says what ended it early, None where the provider came
    to its own end; `key` is the id of the key that was used, `prompt` of its `tokens` were the input. A wait
    has no `end` while it lasts, nor has an attempt, whose `tokens` are then as many as it seems. A flag takes
    no time: its `flag` are the check that found something worth a look, the side ("input", "output"), and
    what it calls it. What was `recalled` is an answer that was kept, in place of an attempt."""

    kind: Literal["attempt", "recalled", "wait", "flag"]
    at: Instant
    end: Instant | None = None
    queued: Instant | None = None
    first: Instant | None = None
    provider: str = ""
    model: str = ""
    key: str | None = None
    tokens: int = 0
    prompt: int = 0
    code: str | None = None
    flag: tuple[str, ...] = ()


class Progress(Struct, frozen=True):
    """What a run that goes on has done so far."""

    run_id: str
    first_token_at: Instant | None
    timings: tuple[Timing, ...]


def waited(timings: tuple[Timing, ...], until: Instant) -> tuple[Timing, ...]:
    """The timings of a run that has waited for its caller, and goes on `until` then."""
    *earlier, last = timings
    return (*earlier, msgspec.structs.replace(last, end=until) if last.kind == "wait" else last)


_decoder = msgspec.json.Decoder(tuple[Timing, ...])


def encode_timings(timings: Sequence[Timing]) -> str:
    return msgspec.json.encode(timings[:MOST]).decode()


def decode_timings(stored: str | None) -> tuple[Timing, ...]:
    return _decoder.decode(stored) if stored else ()
