"""`python -m bench.many`: what things cost in a store of few and of many messages; takes some minutes."""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bench import postgres
from bench.plot import Bar, Panel, draw
from bench.process import ROOT, bare_environment
from bench.table import figure

SIZES = (100, 10_000, 100_000)
DRAWING = ROOT / "bench" / "many.svg"
RESULTS = ROOT / "bench" / "results"
DRAWN = (
    "open, ms", "turn, ms", "its first page, ms", "a page in its middle, ms", "its last page, ms",
    "export, MB", "import, MB",
)  # fmt: skip

Figures = dict[int, dict[str, float]]


def main() -> None:
    words = argparse.ArgumentParser(prog="bench.many", description="What a store of many messages costs.")
    words.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="messages of each of three users")
    given = words.parse_args()
    with tempfile.TemporaryDirectory(prefix="prosa-bench-") as folder:
        taken = {"SQLite": {size: filled(size, _sqlite(Path(folder), size)) for size in given.sizes}}
    if postgres.available():
        taken["Postgres"] = {size: on_postgres(size) for size in given.sizes}
    else:
        print("not measured: Postgres: the tests' own server is not installed (requirements-dev.txt)")
    print(table(taken))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "many.json").write_text(json.dumps(taken, indent=1))
    DRAWING.write_text(draw(panels(taken), "What a store of many messages costs"))


def on_postgres(size: int) -> dict[str, float]:
    with postgres.database() as settings:
        return filled(size, settings)


def filled(size: int, settings: Mapping[str, str]) -> dict[str, float]:
    """All figures, from a process of its own. Raises RuntimeError with its last words."""
    print(f"{size:,} messages in {settings['PROSA_DATABASE_URL'].partition(':')[0]} …", file=sys.stderr)
    done = subprocess.run(
        [sys.executable, "-m", "bench.crowd", str(size)],
        env={**bare_environment(), **settings, "PROSA_TITLE_MODEL": "off"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the store of {size} messages could not be measured:\n{done.stderr[-2_000:]}")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def table(taken: Mapping[str, Figures]) -> str:
    """A column for each store and size."""
    columns = [(store, size) for store, sizes in taken.items() for size in sizes]
    head = ["", *(f"{store} {size:,}" for store, size in columns)]
    names = list(next(iter(next(iter(taken.values())).values())))
    rows = [head, *([name, *(figure(taken[store][size][name]) for store, size in columns)] for name in names)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.rjust(width) if at else cell.ljust(width) for at, (cell, width) in
                  enumerate(zip(row, widths, strict=True))).rstrip()
        for row in rows
    )  # fmt: skip


def panels(taken: Mapping[str, Figures]) -> list[Panel]:
    """For each figure that must not grow, a bar for each store and size."""
    return [
        Panel(
            name if name.startswith(("open", "turn", "export", "import")) else f"{name} (of the long one)",
            [
                Bar(f"{store}, {size:,}", figures[name], relay=store != "SQLite")
                for store, sizes in taken.items()
                for size, figures in sizes.items()
            ],
        )
        for name in DRAWN
    ]


def _sqlite(folder: Path, size: int) -> dict[str, str]:
    return {"PROSA_DATABASE_URL": f"sqlite:///{folder / f'{size}.db'}"}


if __name__ == "__main__":
    main()
