"""Seed 003's function for Claude: messages in Anthropic's shape in, its message or text out."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal, TypedDict, Unpack, overload

from prosa.direct.asking import addressed, form, texts
from prosa.direct.blocks import Question, blocks_of, request_of
from prosa.direct.opened import default_models
from prosa.direct.shape import Shape
from prosa.direct.stream import Stream
from prosa.domain.models import Completion, FinishReason
from prosa.services.models.generate import Gathering, generate

StopReason = Literal["end_turn", "max_tokens", "stop_sequence", "tool_use", "refusal"]


class ClaudeOptions(TypedDict, total=False):
    """None is the same as nothing."""

    system: str | Sequence[Mapping[str, Any]] | None
    temperature: float | None
    max_tokens: int | None
    top_p: float | None
    stop_sequences: Sequence[str] | None
    tools: Sequence[Mapping[str, Any]] | None
    tool_choice: Mapping[str, Any] | None


class Block(Shape):
    """Text, thinking (signed, so that it can go back) or a call of a tool; `type` says which."""

    type: str
    text: str | None
    thinking: str | None
    signature: str | None
    data: str | None
    id: str | None
    name: str | None
    input: dict[str, Any] | None


class ClaudeMessage(Shape):
    """Anthropic's message: its `role` and its blocks, which is what goes back into `messages`. What is told
    of the answer beside it is an attribute and no field: its text in one piece, the model, why it ended, and
    the tokens, where the provider told them."""

    role: str
    content: list[Block]

    def __init__(self, answer: Completion) -> None:
        super().__init__(role="assistant", content=[Block(block) for block in blocks_of(answer.parts)])
        self.text = answer.text
        self.provider = answer.provider
        self.model = answer.model
        self.stop_reason = stop_reason_of(answer)
        self.stop_sequence = answer.stop
        self.usage = answer.usage


def stop_reason_of(answer: Completion) -> StopReason:
    match answer.reason:
        case FinishReason.LENGTH:
            return "max_tokens"
        case FinishReason.TOOL_CALLS:
            return "tool_use"
        case FinishReason.REFUSAL:
            return "refusal"
        case FinishReason.STOP:
            return "end_turn" if answer.stop is None else "stop_sequence"


@overload
async def send_claude_message(
    *,
    messages: Sequence[Mapping[str, Any]],
    model: str | None = ...,
    stream: Literal[False] = ...,
    provider: str = ...,
    **options: Unpack[ClaudeOptions],
) -> ClaudeMessage: ...


@overload
async def send_claude_message(
    *,
    messages: Sequence[Mapping[str, Any]],
    model: str | None = ...,
    stream: Literal[True],
    provider: str = ...,
    **options: Unpack[ClaudeOptions],
) -> Stream[str, ClaudeMessage]: ...


async def send_claude_message(
    *,
    messages: Sequence[Mapping[str, Any]],
    model: str | None = None,
    stream: bool = False,
    provider: str = "anthropic",
    **options: Unpack[ClaudeOptions],
) -> ClaudeMessage | Stream[str, ClaudeMessage]:
    """Answers `messages` with Anthropic's message; with `stream`, with the pieces of its text, and the
    message at the end of them (`stream.message`).

    `options` are fields of Anthropic's Messages API; `max_tokens` may be left out. The content of messages is
    a text or blocks: text, image, document, thinking, tool_use, tool_result. Another `provider` answers in
    this shape, too. Nothing is stored. Raises ProviderError, InvalidRequest (which says where), NotSupported.
    """
    models = await default_models()
    said = {name: value for name, value in options.items() if value is not None}
    question = form({**said, "messages": messages}, Question)
    asked = addressed(models, provider, model, request_of(question), question.max_tokens)
    if not stream:
        return ClaudeMessage(await generate(asked.model, asked.request))
    gathering = Gathering(asked.model.provider, asked.request.model)
    return await Stream(texts(asked, gathering), partial(_whole, gathering)).begin()


def _whole(gathering: Gathering) -> ClaudeMessage | None:
    return ClaudeMessage(gathering.completion) if gathering.finished else None
