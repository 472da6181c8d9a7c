"""`POST /api/chat`: seed 003's route: messages in, the bare text of the answer out."""

from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.types import Receive, Send

from prosa.domain import errors as e
from prosa.domain.events import Done, Error, Event, RequiresAction, Reset, Text, decode
from prosa.domain.models import Role, Turn
from prosa.domain.runs import Run
from prosa.services.runs.readers import Reader
from prosa.services.runs.start import Send as Ask
from prosa.services.runs.start import system_turns_apart
from prosa.transport.errors import Headers
from prosa.transport.native.chat import (
    ERRORS,
    IDEMPOTENCY_KEY,
    ONE_OF,
    SendBody,
    SendFields,
    ask_of,
    attachments_of,
    client_tools,
    hash_of,
    key_of,
    refuse_unbuilt,
    server_tools,
)
from prosa.transport.native.forms import Content, Id
from prosa.transport.operation import Call, Nothing, Operation, Stream
from prosa.transport.sse import Form, Writing

MOST_CHARACTERS = 512
"""In a write: 2 KB in UTF-8 at most."""

HEADERS: Headers = [
    (b"content-type", b"text/plain; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]


class TurnForm(Struct, frozen=True):
    role: Literal["user", "assistant", "system"]
    content: Content


class PlainBody(SendFields, frozen=True, rename="camel", kw_only=True):
    """Either `messages`, the last of which is the user's, or the fields of `/api/chat/send`."""

    messages: Annotated[list[TurnForm], Meta(min_length=1, max_length=1_000)] | UnsetType = UNSET
    conversation_id: Id | UnsetType = UNSET


_MESSAGES = {
    "required": ["messages"],
    "properties": dict.fromkeys(("content", "regenerate", "parentId"), False),
}
_SEND = [
    {
        **each,
        "required": ["conversationId", *each["required"]],
        "properties": {**each["properties"], "messages": False},
    }
    for each in ONE_OF
]
_EITHER = Annotated[PlainBody, Meta(extra_json_schema={"oneOf": [_MESSAGES, *_SEND]})]


async def chat(call: Call[PlainBody, Nothing]) -> Stream:
    """Answers with the bare text, as it is written. `messages` stand in for the stored history; they go on in
    the conversation `conversationId`, or begin one, whose id is in the header `X-Conversation-Id`. A failure
    in the middle breaks the connection off."""
    run, reader = await _start(call)
    first = await _first_words(run, reader)
    form = Form([*HEADERS, (b"x-conversation-id", run.conversation_id.encode())], bare)

    async def write(receive: Receive, send: Send) -> None:
        await Writing(reader, receive, send).run(form, first)

    return Stream(write)


async def _start(call: Call[PlainBody, Nothing]) -> tuple[Run, Reader]:
    """Begins the run, in a new conversation where none is named."""
    body, engine = call.body, call.chat.engine
    if body.messages is UNSET:
        if body.conversation_id is UNSET:
            raise e.InvalidRequest("messages, or conversationId and content, are needed.")
        _refuse_client_tools(body)
        shared = {name: getattr(body, name) for name in SendBody.__struct_fields__}
        return await engine.start(call.principal, ask_of(call, SendBody(**shared)), call.language)
    ask = _ask(call, body.messages)
    if ask.conversation_id:
        return await engine.start(call.principal, ask, call.language)
    return await call.chat.conversations.begin(call.principal, ask, call.language, ask.history or ())


def _ask(call: Call[PlainBody, Nothing], messages: Sequence[TurnForm]) -> Ask:
    body = call.body
    refuse_unbuilt(body)
    _refuse_client_tools(body)
    if any(each is not UNSET for each in (body.content, body.regenerate, body.parent_id)):
        raise e.InvalidRequest("messages stand in place of content, regenerate and parentId.")
    *before, last = messages
    if last.role != "user":
        raise e.InvalidRequest("the last of messages must be the user's.")
    system, history = system_turns_apart([Turn(Role(each.role), each.content) for each in before])
    key = key_of(call, body.client_message_id)
    return Ask(
        conversation_id="" if body.conversation_id is UNSET else body.conversation_id.lower(),
        content=last.content,
        attachments=attachments_of(body),
        history=history,
        provider=body.provider,
        model=body.model,
        system_prompt=body.system_prompt or system,
        temperature=body.temperature,
        max_tokens=None if body.max_tokens is None else int(body.max_tokens),
        tools=None if body.tools is None else server_tools(body.tools),
        key=key,
        body_hash=hash_of(body) if key is not None else "",
    )


def _refuse_client_tools(body: PlainBody) -> None:
    """Bare text can't tell of a call whose output the caller has to bring. Raises NotSupported."""
    if client_tools(body.tools or ()):
        raise e.NotSupported("a tool of the caller's own in a request for bare text")


async def _first_words(run: Run, reader: Reader) -> list[bytes]:
    """Waits for text or for the end: a run that fails before its first word is an error with a status.
    Raises AnswerFailed, ActionRequired."""
    while True:
        lines = list(await reader.read())
        events = [decode(line) for line in lines]
        if any(isinstance(event, RequiresAction) for event in events):
            raise e.ActionRequired(run.id)
        if lines and isinstance(events[-1], Error) and not any(isinstance(event, Text) for event in events):
            raise e.AnswerFailed(events[-1].code, events[-1].message)
        if not lines or any(isinstance(event, Text | Done) for event in events):
            return lines


async def bare(writing: Writing, lines: Sequence[bytes]) -> None:
    """The text alone: whole characters in each write, and small writes apart from each other, for a reader
    that decodes each piece by itself."""
    events: list[Event] = [decode(line) for line in lines]
    text = ""
    for event in events:
        if isinstance(event, Text):
            text += event.content
        elif isinstance(event, Reset):
            if writing.begun:  # what was written can't be taken back
                writing.break_off()
                writing.finish()
                return
            text = ""
    for at in range(0, len(text), MOST_CHARACTERS):
        if writing.hurried():
            await writing.rest()
        if writing.left:
            return
        await writing.body(text[at : at + MOST_CHARACTERS].encode())
    if isinstance(events[-1], Error | RequiresAction):
        writing.break_off()
        writing.finish()


OPERATIONS = [
    Operation("POST", "/api/chat", "Send messages, get the answer as bare text", chat, takes=_EITHER,
              gives={200: None}, stream="text/plain", any_type=True, headers=(IDEMPOTENCY_KEY,),
              errors=(*ERRORS, e.AnswerFailed, e.ActionRequired)),
]  # fmt: skip
