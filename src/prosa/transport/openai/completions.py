"""`POST /v1/chat/completions`: any provider's answer, whole or as it is written."""

import asyncio
import time

import msgspec
from msgspec.structs import replace
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Send

from prosa.domain import errors as e
from prosa.domain.ids import to_foreign
from prosa.domain.models import Finish, FinishReason, ModelEvent, Origin, Reset, Usage
from prosa.domain.moderation import AnswerBlocked, ContentBlocked, ModerationUnavailable
from prosa.domain.time import SECOND, now
from prosa.services.completions import Begun, Generation, Tell
from prosa.transport.errors import Headers
from prosa.transport.middleware.bodies import LIMIT
from prosa.transport.openai.answers import (
    Chunks,
    CompletionForm,
    UsageChunk,
    Whole,
    head_of,
    usage_form,
)
from prosa.transport.openai.asked import asked_of, most_of, refuse_unbuilt
from prosa.transport.openai.caller import Caller, together
from prosa.transport.openai.errors import FAILURES, frame, refusal
from prosa.transport.openai.forms import ChatBody
from prosa.transport.operation import JSON, Call, Nothing, Operation, Stream, respond

PREFIX = "chatcmpl-"
LARGEST = 16 * 1024 * 1024
"""Bytes of a request: pictures come in it."""

_DONE = b"data: [DONE]\n\n"


async def create_chat_completion(call: Call[ChatBody, Nothing]) -> Stream:
    """The official clients work unchanged. Nothing is stored but the bill. The caller's tools are passed
    through; the server's own are not used here. Whoever leaves stops the answer. Where the route keeps
    answers, `Cache-Control: no-cache` asks for a new one; a kept one has its `Age` unless it is streamed."""
    refuse_unbuilt(call.body)
    if len(call.raw) > LIMIT:
        await asyncio.sleep(0)  # to read that much took a while, and to unpack it will, too
    fresh = "no-cache" in call.headers.get("cache-control", "").lower()
    asked = replace(asked_of(call.body), origin=Origin(call.principal, fresh=fresh))
    begun = await call.chat.completions.begin(
        call.principal, asked, most=most_of(call.body), number=int(call.body.n or 1)
    )
    answering = Answering(call.body, call.language)
    return Stream(lambda receive, send: answering.write(begun, receive, send), begun.close)


class Answering:
    """One request's answers on their way to the caller."""

    def __init__(self, body: ChatBody, language: str) -> None:
        self._language = language
        self._streamed = bool(body.stream)
        self._usage = body.stream_options is not None and bool(body.stream_options.include_usage)
        self._of_old = bool(body.functions)
        self._created = int(time.time())

    async def write(self, begun: Begun, receive: Receive, send: Send) -> None:
        """What fails before the first word is an error with a status, what fails later one in the stream."""
        caller = Caller(receive, send)
        try:
            async with begun as generations:
                if self._streamed:
                    await caller.attend(self._stream(generations, caller))
                else:
                    form = await caller.attend(self._whole(generations))
                    await respond(send, 200, [*JSON, *_age(generations)], msgspec.json.encode(form))
        except e.ProsaError as error:
            if caller.begun:
                await caller.end(frame(error, self._language))
            else:
                refused = refusal(error, self._language)
                await respond(send, refused.status, refused.headers, refused.body)
        except ClientDisconnect:
            return

    async def _whole(self, generations: list[Generation]) -> CompletionForm:
        choices = [Whole(index, of_old=self._of_old) for index in range(len(generations))]
        await together([_run(one, choice.tell) for one, choice in zip(generations, choices, strict=True)])
        first = generations[0]
        return CompletionForm(
            to_foreign(PREFIX, first.id),
            self._created,
            first.model,
            [choice.form for choice in choices],
            usage_form(_sum(generations)),
        )

    async def _stream(self, generations: list[Generation], caller: Caller) -> None:
        first = generations[0]
        identity = to_foreign(PREFIX, first.id)
        await together(
            [_run(one, self._teller(one, index, identity, caller)) for index, one in enumerate(generations)]
        )
        last = _DONE
        if self._usage:
            used = usage_form(_sum(generations))
            chunk = UsageChunk(identity, self._created, first.model, used)
            last = b"data: %b\n\n" % msgspec.json.encode(chunk) + last
        await caller.end(last)

    def _teller(self, generation: Generation, index: int, identity: str, caller: Caller) -> Tell:
        """Writes the events of one choice. Once some of it is written it can't be taken back."""
        chunks: Chunks | None = None

        async def tell(event: ModelEvent) -> None:
            nonlocal chunks
            if type(event) is Reset:
                if chunks is not None:
                    raise e.AnswerRestarted
                return
            if chunks is None:
                head = head_of(identity, self._created, generation.model)
                chunks = Chunks(head, index, usage=self._usage, of_old=self._of_old)
            if data := chunks.encode(event):
                await caller.write(data)

        return tell


def _age(generations: list[Generation]) -> Headers:
    kept = generations[0].cached_at
    return [] if kept is None else [(b"age", b"%d" % max(0, (now() - kept) // SECOND))]


async def _run(generation: Generation, tell: Tell) -> None:
    """An answer that was stopped for what it says ends as OpenAI ends one."""
    try:
        await generation.run(tell)
    except AnswerBlocked:
        await tell(Finish(FinishReason.REFUSAL))


def _sum(generations: list[Generation]) -> Usage:
    return sum((generation.used for generation in generations), Usage())


OPERATIONS = [
    Operation("POST", "/v1/chat/completions", "Answer messages", create_chat_completion,
              takes=ChatBody, gives={200: CompletionForm}, stream="text/event-stream", failures=FAILURES,
              limit=LARGEST,
              errors=(e.NotSupported, e.NoSuchModel, e.TokenLimitReached, e.CostLimitReached, e.PriceUnknown,
                      e.ProviderNotConfigured, e.ProviderRefused, e.ContextTooLong, e.ContentRefused,
                      ContentBlocked, e.RateLimited, e.QueueFull, ModerationUnavailable, e.ProviderError,
                      e.ProviderTimeout, e.ShuttingDown)),
]  # fmt: skip
