"""`python -m bench`: measures Prosa beside a bare relay and prints a table; judges nothing, ends with 0."""

import argparse
import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

from bench.figures import GUARDED, Figures, Servers, upstream
from bench.process import ROOT, prosa, started
from bench.table import table

DRAWING = ROOT / "bench" / "figures.svg"


def main() -> None:
    words = argparse.ArgumentParser(
        prog="bench", description="What a turn of Prosa costs beside a bare relay."
    )
    words.add_argument("--quick", action="store_true", help="half the counts")
    words.add_argument("--json", type=Path, metavar="FILE", help="where the raw numbers go")
    given = words.parse_args()
    if not Path("/proc/self/smaps_rollup").exists():
        print("bench: CPU and memory are read from /proc, which only Linux has.")
        return
    try:
        measure(quick=given.quick, raw=given.json)
        print(f"\n{decoding()}")
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
    except (OSError, RuntimeError) as error:
        print(f"bench: {error}", file=sys.stderr)


def measure(*, quick: bool, raw: Path | None) -> None:
    """Starts the servers, takes every figure, prints the table, writes the drawing."""
    with contextlib.ExitStack() as stack:
        provider = stack.enter_context(started("bench.provider"))
        relay = stack.enter_context(started("bench.relay", provider.url))
        guarded = stack.enter_context(prosa({**upstream(provider), **GUARDED}))
        local = stack.enter_context(prosa(upstream(provider)))
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before the first turn\n", flush=True)
        figures = Figures(Servers(provider, relay, guarded, local), quick)
        for name, take in (
            ("streams: CPU per token, memory", figures.streams),
            ("turns: CPU of one", figures.turn),
            ("the first token", figures.first),
            ("beginnings", figures.beginnings),
            ("Postgres", figures.on_postgres),
        ):
            _take(figures, name, take)
    print(table(figures.rows, figures.absent))
    DRAWING.write_text(figures.drawing())
    if raw is not None:
        figures.save(raw)


def decoding() -> str:
    """The table of decoding, taken once the servers have gone; it needs the providers' own clients."""
    try:
        from bench import decode
    except ImportError as error:
        return f"not measured: decoding: {error}"
    return decode.table()


def _take(figures: Figures, name: str, take: Callable[[], None]) -> None:
    """One group of figures; where it breaks, the others are still taken."""
    if sys.stderr.isatty():
        print(f"{name} …", file=sys.stderr)
    try:
        take()
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one figure, the table says so
        figures.absent.append(f"{name}: {type(error).__name__} {error}")


if __name__ == "__main__":
    main()
