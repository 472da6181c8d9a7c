"""What masking and moderation add to each token of an answer, and what they take for texts that mean ill.

`python -m bench.guard` takes these figures alone; it needs neither a server nor a network.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from bench.rounds import spread
from prosa.adapters.models.fake.client import FakeModel
from prosa.domain.models import ChatRequest, ModelEvent, Role, TextDelta, Turn
from prosa.kit.pii import Splitter, find
from prosa.services.guard.guarded import Guarded
from prosa.services.guard.plan import Plan
from prosa.services.guard.rules import Rule
from prosa.services.guard.tables import CheckTable, MaskingTable
from prosa.services.guard.words import Words

ROUNDS = 9
TOKENS = 5_000
TARGET = 3.0
"""Microseconds of CPU a token."""

SAID = (
    "The committee met on Tuesday, and after a long talk about the roof it was agreed that Maria would ask "
    "three firms for an offer before the end of March; the older windows can wait until there is money. "
)
PROSE = SAID.split(" ")
WORDS = [f" {PROSE[place % len(PROSE)]}" for place in range(TOKENS)]
ASKED = ChatRequest("m", (Turn(Role.USER, "I am ana@x.io, and my number is +55 11 91234-5678."),))

BOTH = MaskingTable(on=("input", "output"), restore=True)
ENTRIES = tuple(f"forbidden{n} word" if n % 3 else f"banned{n}" for n in range(1_000))
LIST = Rule("words", CheckTable(words=ENTRIES))
WRITTEN = (r"\bproj-[0-9]{4,8}\b", r"(?i)\bsecret\s+code\b", r"\bXK[0-9]{6}\b")
PATTERNS = Rule("patterns", CheckTable(patterns=WRITTEN))

PLANS = {
    "masked for the provider, put back for the reader": Plan(MaskingTable(restore=True)),
    "masked both ways": Plan(BOTH),
    "1,000 words and phrases": Plan(None, (LIST,)),
    "three patterns": Plan(None, (PATTERNS,)),
    "masked both ways, and 1,000 words": Plan(BOTH, (LIST,)),
    "all of these": Plan(BOTH, (LIST, PATTERNS)),
}
HOSTILE = ("1.1.1.", "123-45-", "a.a.a.@", "(((((", "529.982.247-25 ", "DE11 ", "+1 (1)1")
SIZE = 100_000


async def _events(request: ChatRequest) -> AsyncGenerator[ModelEvent, None]:
    del request
    for word in WORDS:
        yield TextDelta(word)


class _Bare(FakeModel):
    """As quick as a model can be."""

    def stream(self, request: ChatRequest) -> AsyncGenerator[ModelEvent, None]:
        return _events(request)


async def _read(stream: AsyncGenerator[ModelEvent, None]) -> int:
    told = 0
    async with aclosing(stream) as events:
        async for event in events:
            told += type(event) is TextDelta
    return told


async def _taken(make: Callable[[], AsyncGenerator[ModelEvent, None]]) -> float:
    """Microseconds of CPU a token."""
    begun = time.thread_time()
    await _read(make())
    return (time.thread_time() - begun) / TOKENS * 1e6


async def added(plan: Plan) -> list[float]:
    """To each token, beside the bare model of the same round."""
    rounds = []
    for _ in range(ROUNDS):
        bare = await _taken(lambda: _Bare().stream(ASKED))
        rounds.append(await _taken(lambda: Guarded(_Bare(), plan).stream(ASKED)) - bare)
    return rounds


def hostile(bit: str) -> tuple[float, float, float]:
    """Milliseconds of CPU for 100 KB: found in the whole, cut from pieces of four characters, and looked
    through for words."""
    text, words = (bit * SIZE)[:SIZE], Words(ENTRIES)
    taken = []
    for look in (find, _in_pieces, words.find):
        begun = time.thread_time()
        look(text)
        taken.append((time.thread_time() - begun) * 1e3)
    return taken[0], taken[1], taken[2]


def _in_pieces(text: str) -> None:
    splitter = Splitter()
    for place in range(0, len(text), 4):
        splitter.push(text[place : place + 4])
    splitter.end()


def table() -> str:
    lines = [f"{'added to a token, µs of CPU':<52}{'median':>8}{'least':>8}{'most':>8}"]
    for name, plan in PLANS.items():
        found = spread(asyncio.run(added(plan)))
        lines.append(f"{name:<52}{found.median:>8.2f}{found.least:>8.2f}{found.most:>8.2f}")
    lines += ["", f"{'100 KB of it, ms of CPU':<52}{'whole':>8}{'pieces':>8}{'words':>8}"]
    for bit in HOSTILE:
        whole, pieces, words = hostile(bit)
        lines.append(f"{bit!r:<52}{whole:>8.1f}{pieces:>8.1f}{words:>8.1f}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
