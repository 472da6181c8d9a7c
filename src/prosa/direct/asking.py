"""Options as OpenAI names them, read as what a model is asked; and what it tells, followed to the end."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from prosa.bootstrap import Models
from prosa.domain.errors import AnswerRestarted, ContentRefused, InvalidRequest, NotSupported
from prosa.domain.models import ChatRequest, Finish, FinishReason, RefusalDelta, Reset, TextDelta
from prosa.ports.models import ChatModel
from prosa.services.completions import room
from prosa.services.models.generate import Gathering
from prosa.transport.openai.asked import asked_of, most_of, refuse_unbuilt
from prosa.transport.openai.forms import ChatBody

F = TypeVar("F")


class Asking(Struct, frozen=True):
    """One question and who is to answer it. `of_old` says that it came with `functions`."""

    model: ChatModel
    request: ChatRequest
    of_old: bool = False
    counted: bool = False
    """Whether a stream of chunks ends with the usage."""


def asking(
    models: Models, provider: str, messages: object, options: dict[str, Any], model: str | None
) -> Asking:
    """What `messages` and `options` (the fields of a chat completion) ask, and whom: `provider`, with `model`
    where the options name none. Raises InvalidRequest, which says where, NotSupported, NoSuchProvider,
    ProviderNotConfigured."""
    said = {name: value for name, value in options.items() if value is not None}
    if "stream" in said or "messages" in said:
        raise InvalidRequest("`stream` and `messages` are no options here.")
    body = form({**said, "messages": messages}, ChatBody)
    refuse_unbuilt(body)
    if body.n not in (None, 1):
        raise NotSupported("`n`")
    asked = addressed(models, provider, body.model or model, asked_of(body), most_of(body))
    counted = body.stream_options is not None and bool(body.stream_options.include_usage)
    return replace(asked, of_old=bool(body.functions), counted=counted)


def addressed(
    models: Models, provider: str, model: str | None, request: ChatRequest, most: int | None
) -> Asking:
    """`request` with the model that answers, and with the bound of the answer: `most`, or the usual one."""
    choice = models.catalogue.choose((provider, model))
    bound = most or room(request, models.catalogue.window(choice), models.max_output_tokens)
    return Asking(
        models.catalogue.resolve(choice), replace(request, model=choice.model, max_tokens=max(bound, 1))
    )


def form(given: object, kind: type[F]) -> F:
    """`given` (dicts, lists, Shapes, Structs) as `kind`. Raises InvalidRequest, which says where and why."""
    try:
        return msgspec.convert(msgspec.to_builtins(given), kind)
    except RecursionError as error:
        raise InvalidRequest("the options are nested too deeply.") from error
    except (msgspec.ValidationError, TypeError, OverflowError) as error:
        raise InvalidRequest(f"{str(error).rstrip('.')}.") from error


async def texts(asked: Asking, gathering: Gathering | None = None) -> AsyncGenerator[str, None]:
    """The pieces of the text as they come; `gathering` hears of all else.

    Raises ProviderError; AnswerRestarted where another model of a route began anew after some text,
    ContentRefused where the provider gave no word of an answer.
    """
    said = False
    async with aclosing(asked.model.stream(asked.request)) as told:
        async for event in told:
            if gathering is not None:
                gathering.add(event)
            match event:
                case TextDelta(text) | RefusalDelta(text):
                    said = True
                    yield text
                case Reset() if said:
                    raise AnswerRestarted
                case Finish(FinishReason.REFUSAL) if not said:
                    raise ContentRefused(asked.model.provider)
                case _:
                    pass
