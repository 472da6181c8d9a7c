"""The figures as a drawing: one panel a figure, one bar a door, a stroke where the target is."""

import html
from dataclasses import dataclass

from bench.table import figure

WIDTH = 720
_NAMES = 150
_LABELS = 120
_BAR = 22
_STEP = 32
_PANEL = 62

_STYLE = """
  svg {
    --ink: #1f2328; --quiet: #59636e; --ground: #ffffff;
    --relay: #b6bec8; --prosa: #2f6fde; --mark: #c2410c
  }
  @media (prefers-color-scheme: dark) {
    svg {
      --ink: #e6edf3; --quiet: #9aa5b1; --ground: #0d1117;
      --relay: #57606a; --prosa: #5b9bff; --mark: #ff9350
    }
  }
  text {
    font: 13px system-ui, sans-serif; fill: var(--ink);
    paint-order: stroke; stroke: var(--ground); stroke-width: 4px
  }
  .title { font-weight: 600 } .quiet { fill: var(--quiet) }
  .ground { fill: var(--ground) } .relay { fill: var(--relay) } .prosa { fill: var(--prosa) }
  .target { stroke: var(--mark); stroke-width: 2; stroke-dasharray: 3 3 } .mark { fill: var(--mark) }
"""


@dataclass(frozen=True)
class Bar:
    name: str
    value: float
    note: str = ""
    relay: bool = False


@dataclass(frozen=True)
class Panel:
    """`target` is in the bars' own unit."""

    title: str
    bars: list[Bar]
    target: float | None = None


def draw(panels: list[Panel], about: str = "What Prosa costs beside a bare relay") -> str:
    """An SVG of its own, for light and dark pages; `about` is for those who don't see it."""
    parts, top = [], 16
    for panel in panels:
        parts.append(_panel(panel, top))
        top += _PANEL + _STEP * len(panel.bars)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top}" '
        f'viewBox="0 0 {WIDTH} {top}" role="img" aria-label="{html.escape(about)}">\n'
        f"<style>{_STYLE}</style>\n"
        f'<rect class="ground" width="{WIDTH}" height="{top}" rx="8"/>\n' + "".join(parts) + "</svg>\n"
    )


def _panel(panel: Panel, top: int) -> str:
    most = max([bar.value for bar in panel.bars] + [panel.target or 0]) or 1
    scale = (WIDTH - _NAMES - _LABELS - 32) / most
    title = f'<text class="title" x="16" y="{top + 14}">{html.escape(panel.title)}</text>\n'
    placed = [(bar, top + 30 + number * _STEP, bar.value * scale) for number, bar in enumerate(panel.bars)]
    rects = [_rect(*each) for each in placed]
    words = [_words(*each) for each in placed]
    stroke = "" if panel.target is None else _stroke(panel.target, scale, top, len(placed))
    return "".join([title, *rects, stroke, *words])


def _rect(bar: Bar, top: int, width: float) -> str:
    kind = "relay" if bar.relay else "prosa"
    return (
        f'<rect class="{kind}" x="{_NAMES}" y="{top}" width="{max(2, width):.1f}" height="{_BAR}" rx="3"/>\n'
    )


def _words(bar: Bar, top: int, width: float) -> str:
    middle = top + _BAR // 2 + 5
    note = f' <tspan class="quiet">{html.escape(bar.note)}</tspan>' if bar.note else ""
    return (
        f'<text class="quiet" x="{_NAMES - 10}" y="{middle}" text-anchor="end">'
        f"{html.escape(bar.name)}</text>\n"
        f'<text x="{_NAMES + width + 8:.1f}" y="{middle}">{figure(bar.value)}{note}</text>\n'
    )


def _stroke(target: float, scale: float, top: int, bars: int) -> str:
    at, bottom = _NAMES + target * scale, top + 30 + _STEP * bars
    return (
        f'<line class="target" x1="{at:.1f}" x2="{at:.1f}" y1="{top + 24}" y2="{bottom}"/>\n'
        f'<text class="mark" x="{at:.1f}" y="{top + 16}" text-anchor="end">target {figure(target)}</text>\n'
    )
