"""The table that a run prints: each figure beside the relay's, with the target that the design set for it."""

from dataclasses import dataclass

from bench.rounds import Spread

_HEAD = ("", "relay", "Prosa", "judged", "least", "most", "target", "")
_LEFT = {0, 7}


@dataclass(frozen=True)
class Row:
    """`judged` is what the target speaks of: a ratio to the relay, a difference, or Prosa's own figure."""

    name: str
    judged: Spread
    unit: str
    target: float | None = None
    relay: float | None = None
    prosa: float | None = None

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        return "ok" if self.judged.median <= self.target else "missed"


def table(rows: list[Row], absent: list[str]) -> str:
    """The rows in columns, and a line for each figure that could not be measured."""
    cells = [_HEAD, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_HEAD))]
    lines = [_line(line, widths) for line in cells]
    lines.insert(1, "-" * len(lines[0].rstrip()))
    return "\n".join(line.rstrip() for line in [*lines, *(f"not measured: {each}" for each in absent)])


def figure(value: float | None) -> str:
    """Three digits that count, no more."""
    if value is None:
        return ""
    return f"{value:.0f}" if abs(value) >= 99.5 else f"{value:.1f}" if abs(value) >= 9.95 else f"{value:.2f}"


def _cells(row: Row) -> tuple[str, ...]:
    judged = row.judged
    target = "" if row.target is None else f"≤ {row.target:g} {row.unit}"
    return (
        row.name,
        figure(row.relay),
        figure(row.prosa),
        f"{figure(judged.median)} {row.unit}",
        figure(judged.least),
        figure(judged.most),
        target,
        row.verdict,
    )


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    both = enumerate(zip(cells, widths, strict=True))
    return "  ".join(cell.ljust(width) if at in _LEFT else cell.rjust(width) for at, (cell, width) in both)
