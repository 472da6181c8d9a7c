"""`/health`, `/ready` and `/metrics`."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Literal

from msgspec import Struct, structs
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from starlette.types import Receive, Send

from prosa import __version__
from prosa.domain import errors as e
from prosa.domain.money import PER_DOLLAR
from prosa.services import meters
from prosa.services.chat import Chat
from prosa.transport.operation import Call, Nothing, Operation, Reply, Stream, respond

METRICS = "/metrics"
Access = Literal["operator", "open", "off"]
"""Who may read the metrics: operators, anybody, nobody."""


class HealthForm(Struct, frozen=True):
    status: str
    version: str


async def health(call: Call[Nothing, Nothing]) -> Reply:
    """The process answers."""
    del call
    return Reply(200, HealthForm("ok", __version__))


async def ready(call: Call[Nothing, Nothing]) -> Reply:
    """The process takes new runs: the database answers, and no shutdown has begun."""
    if call.chat.engine.draining:
        raise e.ShuttingDown
    await call.chat.store.ping()
    if call.chat.engine.failing:
        raise e.StoreUnavailable
    return Reply(200, HealthForm("ready", __version__))


async def metrics(call: Call[Nothing, Nothing]) -> Stream:
    """Prometheus' text format. Counters are of this process. `PROSA_METRICS` says who may read them."""
    await _look(call.chat)

    async def write(receive: Receive, send: Send) -> None:
        del receive
        await respond(send, 200, [(b"content-type", CONTENT_TYPE_LATEST.encode())], generate_latest(REGISTRY))

    return Stream(write)


async def _look(chat: Chat) -> None:
    """Sets the gauges of what is as it is now, and which nobody counts on the way."""
    meters.JOURNAL_LAG.set(chat.engine.lag)
    load = chat.store.load()
    meters.WRITES_WAITING.set(load.waiting)
    for role, (busy, idle) in load.connections.items():
        meters.CONNECTIONS.labels(role, "busy").set(busy)
        meters.CONNECTIONS.labels(role, "idle").set(idle)
    with suppress(e.StoreUnavailable):  # what is known without it is told all the same
        held = await chat.store.engine.held()
        meters.HOLDS.set(held.number)
        meters.HELD_TOKENS.set(held.tokens)
        meters.HELD_COST.set(held.cost / PER_DOLLAR)


OPERATIONS = [
    Operation("GET", "/health", "Is the process alive", health, gives={200: HealthForm}, public=True),
    Operation("GET", "/ready", "Does it take new runs", ready, gives={200: HealthForm},
              errors=(e.ShuttingDown,), public=True),
    Operation("GET", METRICS, "Metrics for Prometheus", metrics, gives={200: None}, stream="text/plain",
              operator=True),
]  # fmt: skip


def opened(operations: Iterable[Operation], metrics: Access) -> list[Operation]:
    """The operations, with the metrics as they may be had."""
    if metrics == "operator":
        return [*operations]
    others = [each for each in operations if each.path != METRICS]
    if metrics == "off":
        return others
    return [*others, structs.replace(OPERATIONS[-1], operator=False, public=True)]
