"""A request for chat completions, read as what a model is asked."""

from collections.abc import Callable, Iterable
from typing import Any

from prosa.domain.errors import InvalidRequest, NotSupported
from prosa.domain.models import ChatRequest, ResponseFormat, ToolChoice, ToolSpec
from prosa.transport.openai.forms import (
    ChatBody,
    FunctionName,
    FunctionSpec,
    NamedTool,
    ObjectFormat,
    SchemaFormat,
    ToolForm,
)
from prosa.transport.openai.messages import read

_UNBUILT: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("frequency_penalty", "presence_penalty", "logit_bias"), bool),
    **dict.fromkeys(("logprobs", "top_logprobs"), bool),
    **dict.fromkeys(("audio", "prediction", "web_search_options"), lambda value: value is not None),
    "modalities": lambda value: bool(value) and set(value) != {"text"},
    "verbosity": lambda value: value not in (None, "medium"),
}  # fmt: skip
"""Fields that would change the answer, and when."""


def refuse_unbuilt(body: ChatBody) -> None:
    """Nothing that would change the answer is passed over in silence; of fields that nobody knows the form
    itself takes none. Raises NotSupported."""
    for name, wanted in _UNBUILT.items():
        if wanted(getattr(body, name)):
            raise NotSupported(f"`{name}`")


def asked_of(body: ChatBody) -> ChatRequest:
    """`model` is as the caller wrote it, and `max_tokens` not set. Raises InvalidRequest, NotSupported."""
    system, turns = read(body.messages)
    tools = _tools(body)
    return ChatRequest(
        model=body.model,
        turns=turns,
        system=system,
        temperature=body.temperature,
        top_p=body.top_p,
        stop=_several(body.stop),
        seed=None if body.seed is None else int(body.seed),
        tools=tools,
        tool_choice=_choice(body, tools),
        parallel_tool_calls=False if body.functions else body.parallel_tool_calls if tools else None,
        response_format=_format(body),
        reasoning_effort=body.reasoning_effort,
    )


def most_of(body: ChatBody) -> int | None:
    """The caller's own bound of the answer."""
    most = body.max_completion_tokens or body.max_tokens
    return None if most is None else int(most)


def _several(stop: str | list[str] | None) -> tuple[str, ...]:
    several = [stop] if isinstance(stop, str) else stop or []
    return without_nul(several, "stop")


def without_nul(texts: Iterable[str], field: str) -> tuple[str, ...]:
    """The texts as they are. Raises InvalidRequest for a NUL in one of them."""
    kept = tuple(texts)
    if any("\0" in text for text in kept):
        raise InvalidRequest(f"a text holds the character NUL - at `$.{field}`.")
    return kept


def _tools(body: ChatBody) -> tuple[ToolSpec, ...]:
    if body.tools and body.functions:
        raise InvalidRequest("tools and functions can't be used together - at `$.functions`.")
    specs = tuple(_spec(each) for each in (*_functions(body.tools or ()), *(body.functions or ())))
    if len({spec.name for spec in specs}) < len(specs):
        raise InvalidRequest("two tools have the same name - at `$.tools`.")
    return specs


def _functions(tools: Iterable[Any]) -> Iterable[FunctionSpec]:
    for tool in tools:
        if not isinstance(tool, ToolForm):
            raise NotSupported("A custom tool")
        yield tool.function


def _spec(function: FunctionSpec) -> ToolSpec:
    return ToolSpec(function.name, function.description or "", function.parameters or {}, function.strict)


def _choice(body: ChatBody, tools: tuple[ToolSpec, ...]) -> ToolChoice | None:
    of_old = body.function_call
    chosen = body.tool_choice if of_old is None else of_old
    place = "tool_choice" if of_old is None else "function_call"
    if chosen is None:
        return None
    if isinstance(chosen, str):
        if not tools and chosen == "required":
            raise InvalidRequest(f"there are no tools to choose from - at `$.{place}`.")
        return ToolChoice(chosen) if tools else None
    if isinstance(chosen, FunctionName):
        name = chosen.name
    elif isinstance(chosen, NamedTool):
        name = chosen.function.name
    else:
        raise NotSupported("`tool_choice`")
    if all(tool.name != name for tool in tools):
        raise InvalidRequest(f"there is no tool of this name - at `$.{place}`.")
    return ToolChoice("tool", name)


def _format(body: ChatBody) -> ResponseFormat | None:
    match body.response_format:
        case ObjectFormat():
            return ResponseFormat("json_object")
        case SchemaFormat(wanted):
            return ResponseFormat(
                "json_schema", wanted.name, wanted.schema or {}, wanted.description, wanted.strict
            )
        case _:
            return None
