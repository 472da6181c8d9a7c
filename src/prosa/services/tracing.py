"""Traces of what runs do, by OpenTelemetry's conventions for generative models; nothing is done without a
tracer, and nothing that people or models write is told."""

from collections.abc import Iterable, Mapping
from contextvars import ContextVar

from prosa.domain.ending import Ending
from prosa.domain.models import Aside
from prosa.domain.runs import Run
from prosa.domain.steps import Step, StepStatus
from prosa.domain.time import SECOND
from prosa.domain.timing import Timing
from prosa.ports.tracing import Span, Tracer

PROVIDERS = {"mistral": "mistral_ai"}
"""What the conventions call them, where it is not our name."""

_WITHIN: ContextVar[Span | None] = ContextVar("prosa_span", default=None)


class Tracing:
    """One a process. `tracer` is None where nothing is traced: then every method returns at once."""

    def __init__(self) -> None:
        self.tracer: Tracer | None = None

    def request(self, method: str, carrier: Mapping[str, str]) -> Span | None:
        """A request begins: what it begins in turn is within it."""
        if self.tracer is None:
            return None
        span = self.tracer.start(method, "server", {"http.request.method": method}, carrier=carrier)
        _WITHIN.set(span)
        return span

    def run(self, run: Run) -> Span | None:
        """A run begins in this task, or goes on."""
        if self.tracer is None:
            return None
        attributes = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": "prosa",
            "gen_ai.conversation.id": run.conversation_id,
            "gen_ai.provider.name": _provider(run.provider),
            "gen_ai.request.model": run.model,
            "prosa.run.id": run.id,
        }
        if run.route is not None:
            attributes["prosa.route"] = run.route
        span = self.tracer.start("invoke_agent prosa", "internal", attributes, parent=_WITHIN.get())
        _WITHIN.set(span)
        return span

    def ran(self, span: Span, ending: Ending | None, timings: Iterable[Timing]) -> None:
        """The run's end; None: it waits for its caller, or is not ours any more. `timings` are those since
        it began, or went on."""
        self.asked(timings)
        if ending is None:
            span.end({})
            return
        usage = ending.usage
        span.end(
            {
                "prosa.run.status": ending.status.value,
                "prosa.run.reason": ending.reason,
                "gen_ai.response.model": ending.model,
                "gen_ai.usage.input_tokens": usage.prompt_tokens,
                "gen_ai.usage.output_tokens": usage.completion_tokens,
                "gen_ai.usage.cache_read.input_tokens": usage.cached_tokens,
                "gen_ai.usage.reasoning.output_tokens": usage.reasoning_tokens,
            },
            error=ending.error_code,
        )

    def asked(self, timings: Iterable[Timing]) -> None:
        """Attempts that are over, each a span."""
        if self.tracer is None:
            return
        for timing in timings:
            if timing.kind != "attempt":
                continue
            attributes: dict[str, str | int | float] = {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": _provider(timing.provider),
                "gen_ai.request.model": timing.model,
                "gen_ai.usage.input_tokens": timing.prompt,
                "gen_ai.usage.output_tokens": timing.tokens - timing.prompt,
            }
            if timing.first is not None:
                attributes["gen_ai.response.time_to_first_chunk"] = (timing.first - timing.at) / SECOND
            if timing.queued is not None:
                attributes["prosa.queued_seconds"] = (timing.at - timing.queued) / SECOND
            name = f"chat {timing.model}"
            span = self.tracer.start(name, "client", attributes, parent=_WITHIN.get(), at=timing.at)
            span.end({}, error=timing.code, at=timing.end)

    def beside(self, aside: Aside) -> None:
        """Whom a policy has asked in between."""
        self.asked(aside.timings)

    def called(self, step: Step) -> None:
        """A call of a tool is over."""
        if self.tracer is None:
            return
        attributes = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": step.name,
            "gen_ai.tool.call.id": step.call_id,
            "gen_ai.tool.type": "function",
        }
        name = f"execute_tool {step.name}"
        span = self.tracer.start(name, "internal", attributes, parent=_WITHIN.get(), at=step.created_at)
        span.end({}, error="tool_failed" if step.status is StepStatus.FAILED else None, at=step.ended_at)


def _provider(name: str) -> str:
    return PROVIDERS.get(name, name)


tracing = Tracing()
