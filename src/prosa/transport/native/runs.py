"""`/api/chat/runs`: what became of a run, its events once more, and its stop."""

from typing import Any

from msgspec import Struct
from starlette.types import Receive, Send

from prosa.domain import errors as e
from prosa.domain.runs import END_STATES
from prosa.transport.native.forms import RunForm, run_form
from prosa.transport.operation import Call, HeaderField, Nothing, Operation, Reply, Stream
from prosa.transport.sse import NUMBERED, Writing


class EventsQuery(Struct, frozen=True):
    """`after` is the seq of the last event that was seen; the header `Last-Event-ID` beats it."""

    after: int = 0


async def get_run(call: Call[Nothing, Nothing]) -> Reply:
    return Reply(200, run_form(await call.chat.store.of(call.principal).runs.get(_run(call))))


async def follow_run(call: Call[Nothing, EventsQuery]) -> Reply | Stream:
    """The events past `Last-Event-ID`, else past `after`, live where the run goes on; 204 past the end."""
    run, reader = await call.chat.engine.follow(call.principal, _run(call), _after(call))
    first = await reader.read() if run.status in END_STATES else ()
    if run.status in END_STATES and not first:
        return Reply(204)

    async def write(receive: Receive, send: Send) -> None:
        await Writing(reader, receive, send).run(NUMBERED, first)

    return Stream(write)


async def stop_run(call: Call[Nothing, Nothing]) -> Reply:
    """Ends the run, from any node; the text so far stays. A run that has ended stays as it is."""
    return Reply(200, run_form(await call.chat.engine.stop(call.principal, _run(call))))


def _run(call: Call[Any, Any]) -> str:
    return call.id("runId", e.RunNotFound)


def _after(call: Call[Nothing, EventsQuery]) -> int:
    last = call.headers.get("last-event-id", "")
    after = int(last) if last.isascii() and last.isdigit() and len(last) < 16 else call.query.after  # noqa: PLR2004
    return min(max(0, after), 2**53)


_ONE = "/api/chat/runs/{runId}"
_MISSING = (e.RunNotFound,)
_LAST_EVENT_ID = HeaderField(
    "Last-Event-ID", "The `id:` of the last event that was seen; it beats `after`.", "^[0-9]{1,15}$"
)

OPERATIONS = [
    Operation("GET", _ONE, "Get a run", get_run, gives={200: RunForm}, errors=_MISSING),
    Operation("GET", _ONE + "/events", "Follow a run's events", follow_run, query=EventsQuery,
              headers=(_LAST_EVENT_ID,), gives={200: None, 204: None}, errors=_MISSING,
              stream="text/event-stream"),
    Operation("POST", _ONE + "/stop", "Stop a run", stop_run, gives={200: RunForm}, errors=_MISSING),
]  # fmt: skip
