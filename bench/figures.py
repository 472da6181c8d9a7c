"""The figures of a run, one after another: what was measured, and what it comes to beside its target."""

import asyncio
import contextlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench import postgres, startup
from bench.door import Door, ProsaDoor, RelayDoor
from bench.load import Round, drive
from bench.loop import run
from bench.plot import Bar, Panel, draw
from bench.process import Process, prosa
from bench.rounds import Rounds, Shape, Spread, added, interleave, ratios, spread, trouble
from bench.table import Row

RELAY, PROSA, LOCAL = "relay", "Prosa", "local mode"

BURST = Shape(connections=16, turns=39, rounds=8, tokens=100)
PACED = Shape(connections=100, turns=2, rounds=4, tokens=100, milliseconds=20)
TURN = Shape(connections=16, turns=39, rounds=8, tokens=1)
FIRST = Shape(connections=1, turns=39, rounds=6, tokens=3, milliseconds=20)

MILLI = 1_000
TIMES = "\N{MULTIPLICATION SIGN}"

SECRET = "a secret of the bench's own, known to everybody"
GUARDED = {"PROSA_JWT_SECRET": SECRET, "PROSA_MAX_TOKENS_PER_DAY": str(10**12)}
"""Tokens are checked and limits are kept: what the targets speak of."""


def upstream(provider: Process) -> dict[str, str]:
    """The settings that lead Prosa to the stand-in provider."""
    return {
        "OPENAI_API_KEY": "x",
        "OPENAI_BASE_URL": f"{provider.url}/v1",
        "DEFAULT_AI_PROVIDER": "openai",
        "DEFAULT_AI_MODEL": BURST.model,
    }


@dataclass(frozen=True)
class Servers:
    """What runs all along, side by side."""

    provider: Process
    relay: Process
    prosa: Process
    local: Process

    def doors(self, model: str) -> dict[str, Door]:
        return {
            RELAY: RelayDoor(self.relay, model),
            PROSA: ProsaDoor(self.prosa, model, SECRET),
            LOCAL: ProsaDoor(self.local, model),
        }


@dataclass
class Figures:
    """`quick` halves the counts."""

    servers: Servers
    quick: bool = False
    rows: list[Row] = field(default_factory=list)
    panels: list[Panel] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    raw: dict[str, Rounds] = field(default_factory=dict)

    def streams(self) -> None:
        """CPU per token and memory, with all tokens at once and with a token every 20 ms."""
        for name, shape, target in (("burst", BURST, 2.5), ("paced", PACED, 1.4)):
            rounds = self._load(name, shape, self.servers.doors(shape.model))
            base = rounds[RELAY]
            relay = spread([each.per_token for each in base]).median
            bars = [Bar(RELAY, relay, relay=True)]
            for door, kind in ((PROSA, ""), (LOCAL, ", local mode")):
                ours, ratio = (
                    spread([each.per_token for each in rounds[door]]).median,
                    ratios(rounds[door], base),
                )
                limit = None if kind else target
                self.rows.append(Row(f"{name}{kind}: CPU per token, µs", ratio, TIMES, limit, relay, ours))
                bars.append(Bar(door, ours, f"{ratio.median:.2f} {TIMES}"))
            self.panels.append(Panel(f"{name}: CPU per token, µs", bars, relay * target))
        peaks = {door: [one.peak for name in ("burst", "paced") for one in self.raw[name][door]]
                 for door in (RELAY, PROSA)}  # fmt: skip
        whole = spread([max(peaks[PROSA])])
        self.rows.append(Row("memory at its peak, MB", whole, "MB", 110, max(peaks[RELAY]), whole.median))

    def turn(self) -> None:
        """CPU of a turn whose answer is one token, on SQLite."""
        rounds = self._load("turn", TURN, self.servers.doors(TURN.model))
        relay, ours = _milliseconds(rounds[RELAY]), _milliseconds(rounds[PROSA])
        self.rows.append(Row("turn on SQLite: CPU, ms", ours, "ms", 2, relay.median, ours.median))
        local = _milliseconds(rounds[LOCAL])
        self.rows.append(
            Row("turn on SQLite, local mode: CPU, ms", local, "ms", None, relay.median, local.median)
        )
        self.panels.append(
            Panel(
                "a turn with a one-token answer: CPU, ms",
                [
                    Bar(RELAY, relay.median, relay=True),
                    Bar(PROSA, ours.median, "on SQLite"),
                    Bar(LOCAL, local.median, "on SQLite"),
                ],
                2,
            )
        )

    def first(self) -> None:
        """What Prosa adds to the time to the first token, at one connection."""
        doors = self.servers.doors(FIRST.model)
        rounds = self._load("first token", FIRST, {name: doors[name] for name in (RELAY, PROSA)})
        late = added(rounds[PROSA], rounds[RELAY])
        relay, ours = (spread([one for each in rounds[door] for one in each.first]).median for door in rounds)
        self.rows.append(Row("first token, p50 added at one connection, ms", late, "ms", 3, relay, ours))

    def beginnings(self) -> None:
        """Imports, and the embedded model's first token."""
        for statement in ("import prosa", "from prosa import Prosa"):
            times = startup.import_seconds(statement)
            best = Spread(min(times), min(times), max(times))
            self.rows.append(
                Row(f"{statement}, best of {startup.TIMES}, s", best, "s", 0.3, None, best.median)
            )
        if not startup.embedded():
            self.absent.append("the embedded model: it is not installed (requirements-model.txt)")
            return
        started = spread([startup.first_token_seconds() for _ in range(2 if self.quick else 4)])
        self.rows.append(
            Row("start to the embedded model's first token, s", started, "s", 3, None, started.median)
        )

    def on_postgres(self) -> None:
        """A turn's CPU on Postgres, and its round trips."""
        if not postgres.available():
            self.absent.append("Postgres: the tests' own server is not installed (requirements-dev.txt)")
            return
        with postgres.database() as settings:
            guarded = {**upstream(self.servers.provider), **GUARDED}
            with prosa({**guarded, **settings}) as server:
                doors = {
                    RELAY: RelayDoor(self.servers.relay, TURN.model),
                    PROSA: ProsaDoor(server, TURN.model, SECRET),
                }
                rounds = self._load("turn on Postgres", TURN, doors)
            trips = spread([run(_trips(guarded, settings))])
        relay, ours = _milliseconds(rounds[RELAY]), _milliseconds(rounds[PROSA])
        self.rows.append(Row("turn on Postgres: CPU, ms", ours, "ms", None, relay.median, ours.median))
        self.rows.append(Row("turn on Postgres: round trips", trips, "", 8, None, trips.median))
        turn = next(panel for panel in self.panels if panel.title.startswith("a turn"))
        turn.bars.append(Bar(PROSA, ours.median, "on Postgres"))

    def drawing(self) -> str:
        return draw(self.panels)

    def save(self, path: Path) -> None:
        """All rounds and rows, as they were measured."""
        raw = {name: {door: [asdict(each) for each in rounds] for door, rounds in taken.items()}
               for name, taken in self.raw.items()}  # fmt: skip
        rows = [asdict(row) for row in self.rows]
        path.write_text(json.dumps({"rows": rows, "rounds": raw, "absent": self.absent}, indent=1))

    def _load(self, name: str, shape: Shape, doors: dict[str, Door]) -> Rounds:
        rounds = run(interleave(doors, shape.halved() if self.quick else shape))
        self.raw[name] = rounds
        self.absent.extend(f"a part of {name}: {each}" for each in trouble(rounds))
        return rounds


async def _trips(guarded: dict[str, str], settings: dict[str, str]) -> float:
    """Round trips of a turn: those of many turns less those of few, so that only turns are counted."""
    few, many = 4, 19
    async with postgres.turnpike(settings) as (counter, through):
        with contextlib.ExitStack() as stack:
            server = await asyncio.to_thread(stack.enter_context, prosa({**guarded, **through}))
            door = ProsaDoor(server, TURN.model, SECRET)
            counted = []
            for turns in (many, few, many):  # the first one warms
                before = counter.trips
                await drive(door, 1, turns, TURN.tokens)
                counted.append(counter.trips - before)
            await asyncio.to_thread(stack.close)
    return (counted[2] - counted[1]) / (many - few)


def _milliseconds(rounds: list[Round]) -> Spread:
    """CPU per turn."""
    return spread([each.per_turn / MILLI for each in rounds])
