"""The calls that a model makes in one round: which may be made at all, by whom, and making them."""

import asyncio
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from prosa.domain.content import ToolCall
from prosa.domain.errors import InvalidArguments, ToolFailed
from prosa.domain.ids import new_id
from prosa.domain.models import ToolSpec
from prosa.domain.principal import Principal
from prosa.domain.runs import Run
from prosa.domain.steps import Kind, Needs, Step, StepStatus
from prosa.domain.time import now
from prosa.kit.cancellation import cancelled
from prosa.kit.log import log
from prosa.kit.text import well_formed
from prosa.ports.tools import Caller
from prosa.services.tools.arguments import arguments_of
from prosa.services.tools.registry import Toolbox
from prosa.services.tracing import tracing

MOST = 64
"""Calls in one round; the model is told that the others were not made."""

GRACE = 1.0
"""Seconds after its own timeout that a tool is left to say so itself."""


class Offered(Struct, frozen=True):
    """The tools that a run's model was told of: the server's, and by their names those of the caller."""

    specs: tuple[ToolSpec, ...]
    client: tuple[str, ...]
    toolbox: Toolbox


class Calls:
    """The calls of one run, made on behalf of `principal`."""

    def __init__(self, offered: Offered, run: Run, principal: Principal, language: str) -> None:
        self._offered = offered
        self._specs = {spec.name: spec for spec in offered.specs}
        self._run = run
        self._principal = principal
        self._language = language

    def plan(self, calls: Sequence[ToolCall], first: int) -> list[Step]:
        """A step for each call, `first` being the place of the first one. A call that can't be made has
        failed already, and its result says why."""
        return [
            self._step(call, place, refusal=f"Not more than {MOST} calls at once." if n >= MOST else None)
            for n, (place, call) in enumerate(enumerate(calls, first))
        ]

    def _step(self, call: ToolCall, place: int, refusal: str | None) -> Step:
        kind, needs = self._kind(call.name)
        refusal = refusal or self._refusal(call)
        waits = StepStatus.IN_PROGRESS if needs is None else StepStatus.WAITING
        moment = now()
        return Step(
            id=new_id(),
            user_id=self._run.user_id,
            run_id=self._run.id,
            place=place,
            call_id=call.id,
            name=call.name,
            kind=kind,
            needs=needs,
            arguments=call.arguments,
            status=StepStatus.FAILED if refusal else waits,
            result=refusal,
            created_at=moment,
            ended_at=moment if refusal else None,
        )

    def _kind(self, name: str) -> tuple[Kind, Needs | None]:
        if name in self._offered.client:
            return "client", "output"
        tool = self._offered.toolbox.find(name) if name in self._specs else None
        if tool is None:
            return "function", None
        return tool.kind, "approval" if tool.needs_approval else None

    def _refusal(self, call: ToolCall) -> str | None:
        """Why the call can't be made, for the model."""
        spec = self._specs.get(call.name)
        if spec is None or (
            call.name not in self._offered.client and not self._offered.toolbox.find(spec.name)
        ):
            return f"There is no tool with this name. Use one of: {', '.join(self._specs) or 'none'}."
        try:
            arguments_of(spec, call.arguments)
        except InvalidArguments as error:
            return well_formed(str(error))
        return None

    async def make(self, step: Step) -> Step:
        """Calls the tool of a step and answers the step as it ended. Whatever goes wrong is its result."""
        tool = self._offered.toolbox.find(step.name)
        caller = Caller(self._principal, step.run_id, self._run.conversation_id, step.call_id, self._language)
        status = StepStatus.FAILED
        if tool is None:
            result = "This tool is not there any more."
        else:
            try:
                async with asyncio.timeout(tool.timeout + GRACE):
                    result = await tool.call(arguments_of(tool.spec, step.arguments), caller)
                status = StepStatus.COMPLETED
            except (ToolFailed, InvalidArguments) as error:
                result = str(error)
            except TimeoutError:
                result = f"The tool took longer than {tool.timeout:g} seconds."
            except (
                Exception,
                asyncio.CancelledError,
            ):  # a tool call's edge: the model is told, the run goes on
                if cancelled():
                    raise
                log.exception("tool_broke", tool=step.name, run_id=step.run_id)
                result = "The tool failed."
        ended = replace(step, status=status, result=well_formed(result), ended_at=now())
        tracing.called(ended)
        return ended
