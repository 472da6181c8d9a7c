"""`/api/chat/runs`: what became of a run, its events once more, and its stop."""

from typing import Annotated, Any

from msgspec import Meta, Struct
from starlette.types import Receive, Send

from prosa.domain import errors as e
from prosa.domain.runs import END_STATES, Run, RunStatus
from prosa.domain.steps import StepStatus, Verdict
from prosa.services.context.told import context_of
from prosa.transport.native.forms import Key, Page, RunForm, Said, StepForm, run_form, step_form
from prosa.transport.operation import Call, HeaderField, Nothing, Operation, Reply, Stream
from prosa.transport.sse import NUMBERED, Writing, stream_form

DENIED = "The user did not allow this call."


class EventsQuery(Struct, frozen=True):
    """`after` is the seq of the last event that was seen; the header `Last-Event-ID` beats it. `accepts`
    names, with commas between them, the events beside the plain ones that the reader understands."""

    after: int = 0
    accepts: str = ""


class OutputForm(Struct, frozen=True, rename="camel"):
    """What the call `id` gave, as the model is told it."""

    id: Key
    output: Said
    is_error: bool = False


class OutputsBody(Struct, frozen=True):
    outputs: Annotated[list[OutputForm], Meta(min_length=1, max_length=128)]


class DecisionBody(Struct, frozen=True):
    """`id` is the call's; `reason` tells the model why it was denied."""

    id: Key
    approve: bool
    reason: Annotated[str, Meta(max_length=2_000, pattern=r"^[^\x00]*$")] | None = None


async def get_run(call: Call[Nothing, Nothing]) -> Reply:
    return Reply(200, await _form(call, await call.chat.store.of(call.principal).runs.get(_run(call))))


async def list_steps(call: Call[Nothing, Nothing]) -> Reply:
    """The calls of the run's tools, in their order."""
    records = call.chat.store.of(call.principal)
    run = await records.runs.get(_run(call))
    return Reply(200, Page([step_form(step) for step in await records.steps.of(run.id)], None))


async def bring_outputs(call: Call[OutputsBody, Nothing]) -> Reply:
    """Brings what the caller's own tools gave. The run goes on once all that it waits for is there."""
    verdicts = [
        Verdict(each.id, "output", StepStatus.FAILED if each.is_error else StepStatus.COMPLETED, each.output)
        for each in call.body.outputs
    ]
    if len({each.call_id for each in verdicts}) < len(verdicts):
        raise e.InvalidRequest("outputs has the same id twice.")
    return await _said(call, verdicts)


async def decide(call: Call[DecisionBody, Nothing]) -> Reply:
    """Allows or denies one call. The first decision counts; the call is made with the arguments that were
    shown."""
    body = call.body
    if body.approve:
        return await _said(call, [Verdict(body.id, "approval", StepStatus.ALLOWED)])
    return await _said(call, [Verdict(body.id, "approval", StepStatus.DENIED, body.reason or DENIED)])


async def _said(call: Call[Any, Any], verdicts: list[Verdict]) -> Reply:
    return Reply(200, await _form(call, await call.chat.engine.say(call.principal, _run(call), verdicts)))


async def _form(call: Call[Any, Any], run: Run) -> RunForm:
    waits = run.status is RunStatus.REQUIRES_ACTION
    records = call.chat.store.of(call.principal)
    return run_form(run, await context_of(records, run), await records.steps.of(run.id) if waits else ())


async def follow_run(call: Call[Nothing, EventsQuery]) -> Reply | Stream:
    """The events past `Last-Event-ID`, else past `after`, live where the run goes on; 204 past the end."""
    run, reader = await call.chat.engine.follow(call.principal, _run(call), _after(call))
    first = await reader.read() if run.status in END_STATES else ()
    if run.status in END_STATES and not first:
        return Reply(204)

    async def write(receive: Receive, send: Send) -> None:
        form = stream_form(NUMBERED, call.query.accepts.split(","), call.language)
        await Writing(reader, receive, send).run(form, first)

    return Stream(write)


async def stop_run(call: Call[Nothing, Nothing]) -> Reply:
    """Ends the run, from any node; the text so far stays. A run that has ended stays as it is."""
    return Reply(200, await _form(call, await call.chat.engine.stop(call.principal, _run(call))))


def _run(call: Call[Any, Any]) -> str:
    return call.id("runId", e.RunNotFound)


def _after(call: Call[Nothing, EventsQuery]) -> int:
    last = call.headers.get("last-event-id", "")
    after = int(last) if last.isascii() and last.isdigit() and len(last) < 16 else call.query.after  # noqa: PLR2004
    return min(max(0, after), 2**53)


_ONE = "/api/chat/runs/{runId}"
_MISSING = (e.RunNotFound,)
_WAITING = (*_MISSING, e.RunNotWaiting, e.ShuttingDown)
_LAST_EVENT_ID = HeaderField(
    "Last-Event-ID", "The `id:` of the last event that was seen; it beats `after`.", "^[0-9]{1,15}$"
)

OPERATIONS = [
    Operation("GET", _ONE, "Get a run", get_run, gives={200: RunForm}, errors=_MISSING),
    Operation("GET", _ONE + "/events", "Follow a run's events", follow_run, query=EventsQuery,
              headers=(_LAST_EVENT_ID,), gives={200: None, 204: None}, errors=_MISSING,
              stream="text/event-stream"),
    Operation("GET", _ONE + "/steps", "List the calls of a run's tools", list_steps,
              gives={200: Page[StepForm]}, errors=_MISSING),
    Operation("POST", _ONE + "/tool-outputs", "Bring the outputs that a run waits for", bring_outputs,
              takes=OutputsBody, gives={200: RunForm}, errors=_WAITING),
    Operation("POST", _ONE + "/approvals", "Allow or deny a call that a run waits for", decide,
              takes=DecisionBody, gives={200: RunForm}, errors=_WAITING),
    Operation("POST", _ONE + "/stop", "Stop a run", stop_run, gives={200: RunForm}, errors=_MISSING),
]  # fmt: skip
