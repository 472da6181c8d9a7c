"""Seed 003's functions for OpenAI: messages in its shape in, its message, text or chunks out."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal, Unpack, overload

import msgspec

from prosa.direct.asking import asking, texts
from prosa.direct.chunks import chunks
from prosa.direct.opened import default_models
from prosa.direct.options import ChunkOptions, Options
from prosa.direct.shape import Shape
from prosa.direct.stream import Stream
from prosa.domain.models import Completion
from prosa.services.models.generate import Gathering, generate
from prosa.transport.openai.answers import message_of, reason_of


class Function(Shape):
    """`arguments` is the JSON that the model wrote."""

    name: str
    arguments: str


class ToolCall(Shape):
    id: str
    type: str
    function: Function


class Message(Shape):
    """OpenAI's message, to be put back into `messages` as it is. What is told of the answer beside it is an
    attribute and no field: the model, why it ended ("stop", "length", "tool_calls", "function_call",
    "content_filter"), and the tokens, where the provider told them."""

    role: str
    content: str | None
    refusal: str | None
    reasoning_content: str | None
    function_call: Function | None
    tool_calls: list[ToolCall] | None

    def __init__(self, answer: Completion, *, of_old: bool) -> None:
        refused = answer.refusal is not None
        told = msgspec.to_builtins(message_of(answer.parts, refused=refused, of_old=of_old))
        super().__init__(
            {name: value for name, value in told.items() if value is not None or name == "content"}
        )
        if "function_call" in self:
            self["function_call"] = Function(self["function_call"])
        if "tool_calls" in self:
            self["tool_calls"] = [
                ToolCall({**call, "function": Function(call["function"])}) for call in self["tool_calls"]
            ]
        self.provider = answer.provider
        self.model = answer.model
        self.finish_reason = reason_of(answer.reason, refused=refused, of_old=of_old)
        self.usage = answer.usage


@overload
async def send_openai_message(
    *,
    messages: Sequence[Mapping[str, Any]],
    model: str | None = ...,
    stream: Literal[False] = ...,
    provider: str = ...,
    **options: Unpack[Options],
) -> Message: ...


@overload
async def send_openai_message(
    *,
    messages: Sequence[Mapping[str, Any]],
    model: str | None = ...,
    stream: Literal[True],
    provider: str = ...,
    **options: Unpack[Options],
) -> Stream[str, Message]: ...


async def send_openai_message(
    *,
    messages: Sequence[Mapping[str, Any]],
    model: str | None = None,
    stream: bool = False,
    provider: str = "openai",
    **options: Unpack[Options],
) -> Message | Stream[str, Message]:
    """Answers `messages` with OpenAI's message; with `stream`, with the pieces of its text, and the message
    at the end of them (`stream.message`).

    `options` are the other fields of a chat completion: `temperature`, `max_tokens`, `tools` and
    `tool_choice`, or the old `functions` and `function_call`, which are answered in their form;
    `response_format`, `stop`, `seed`, … Another `provider` is asked in its own language and answers in this
    one. Nothing is stored. Raises ProviderError, InvalidRequest (which says where), NotSupported.
    """
    models = await default_models()
    asked = asking(models, provider, messages, {**options}, model)
    if not stream:
        return Message(await generate(asked.model, asked.request), of_old=asked.of_old)
    gathering = Gathering(asked.model.provider, asked.request.model)
    pieces = texts(asked, gathering)
    return await Stream(pieces, partial(_whole, gathering, of_old=asked.of_old)).begin()


async def stream_openai_response(
    *,
    messages: Sequence[Mapping[str, Any]],
    model: str | None = None,
    provider: str = "openai",
    **options: Unpack[ChunkOptions],
) -> Stream[bytes, Message]:
    """The answer as the body of a `text/event-stream`: OpenAI's chunks, and `[DONE]`. The options are those
    of `send_openai_message`, and `stream_options`.

    What fails before the first word is raised (ProviderError, InvalidRequest, NotSupported), what fails later
    is an event of the stream, as OpenAI has it: `{"error": …}`.
    """
    models = await default_models()
    asked = asking(models, provider, messages, {**options}, model)
    gathering = Gathering(asked.model.provider, asked.request.model)
    pieces = chunks(asked, gathering, models.language)
    return await Stream(pieces, partial(_whole, gathering, of_old=asked.of_old)).begin()


def _whole(gathering: Gathering, *, of_old: bool) -> Message | None:
    return Message(gathering.completion, of_old=of_old) if gathering.finished else None
