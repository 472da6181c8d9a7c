"""What a call may say beside its messages, in OpenAI's words: as types, so that an editor knows them.

What is passed is checked where it is read, which also knows what a type can't say.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

from prosa.domain.models import Effort


class TextOptions(TypedDict, total=False):
    """None is the same as nothing."""

    temperature: float | None
    top_p: float | None
    max_tokens: int | None
    max_completion_tokens: int | None
    stop: str | Sequence[str] | None
    seed: int | None
    reasoning_effort: Effort | None
    response_format: Mapping[str, Any] | None


class PromptOptions(TextOptions, total=False):
    model: str | None


class Options(TextOptions, total=False):
    """`functions` and `function_call` are the forms of before `tools` and `tool_choice`."""

    tools: Sequence[Mapping[str, Any]] | None
    tool_choice: Literal["auto", "none", "required"] | Mapping[str, Any] | None
    parallel_tool_calls: bool | None
    functions: Sequence[Mapping[str, Any]] | None
    function_call: Literal["auto", "none"] | Mapping[str, Any] | None


class ChunkOptions(Options, total=False):
    """With `stream_options={"include_usage": True}` the last chunk tells the tokens."""

    stream_options: Mapping[str, Any] | None
