"""Rounds of load, interleaved: machines drift, so each door is compared within the same minute."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bench.door import Door
from bench.load import Round, drive


@dataclass(frozen=True)
class Shape:
    """How the load looks: `rounds` times so many turns on so many connections."""

    connections: int
    turns: int
    rounds: int
    tokens: int
    milliseconds: int = 0
    """Between two tokens; 0: all at once."""

    @property
    def model(self) -> str:
        return f"mock-{self.tokens}x{self.milliseconds}"

    def halved(self) -> "Shape":
        return replace(self, rounds=self.rounds // 2)


@dataclass(frozen=True)
class Spread:
    """A figure with what it was at best and at worst."""

    median: float
    least: float
    most: float


Rounds = dict[str, list[Round]]


async def interleave(doors: Mapping[str, Door], shape: Shape) -> Rounds:
    """A B A B …, after one round of each that warms it and is not counted."""
    taken: Rounds = {name: [] for name in doors}
    for number in range(shape.rounds + 1):
        for name, door in doors.items():
            turns = shape.turns if number else 1
            came = await drive(door, shape.connections, turns, shape.tokens)
            if number:
                taken[name].append(came)
    return taken


def spread(figures: Sequence[float]) -> Spread:
    return Spread(statistics.median(figures), min(figures), max(figures))


def ratios(rounds: Sequence[Round], base: Sequence[Round]) -> Spread:
    """CPU per token, pair by pair."""
    return spread([ours.per_token / theirs.per_token for ours, theirs in zip(rounds, base, strict=True)])


def added(rounds: Sequence[Round], base: Sequence[Round]) -> Spread:
    """Milliseconds to the first token that `rounds` take more than `base`, pair by pair, by their medians."""
    return spread([
        statistics.median(ours.first) - statistics.median(theirs.first)
        for ours, theirs in zip(rounds, base, strict=True)
    ])  # fmt: skip


def trouble(rounds: Rounds) -> list[str]:
    """A sentence for each door whose turns did not all come whole."""
    said = []
    for name, taken in rounds.items():
        failed = sum(each.failed for each in taken)
        if failed:
            last = next(each.trouble for each in reversed(taken) if each.failed)
            said.append(f"{name}: {failed} turns failed, at last with {last!r}")
    return said
