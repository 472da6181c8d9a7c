"""`/health`, `/ready` and `/metrics`."""

from msgspec import Struct
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from starlette.types import Receive, Send

from prosa import __version__
from prosa.domain import errors as e
from prosa.transport.operation import Call, Nothing, Operation, Reply, Stream, respond


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
    """Prometheus' text format."""
    del call

    async def write(receive: Receive, send: Send) -> None:
        del receive
        await respond(send, 200, [(b"content-type", CONTENT_TYPE_LATEST.encode())], generate_latest(REGISTRY))

    return Stream(write)


OPERATIONS = [
    Operation("GET", "/health", "Is the process alive", health, gives={200: HealthForm}, public=True),
    Operation("GET", "/ready", "Does it take new runs", ready, gives={200: HealthForm},
              errors=(e.ShuttingDown,), public=True),
    Operation("GET", "/metrics", "Metrics for Prometheus", metrics, gives={200: None}, stream="text/plain",
              public=True),
]  # fmt: skip
