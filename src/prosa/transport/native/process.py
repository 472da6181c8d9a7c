"""`POST /api/chat/process`: seed 000's action: one message in, one whole answer out."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from prosa.domain import errors as e
from prosa.domain.events import Error, RequiresAction
from prosa.domain.models import Role, Turn
from prosa.services.context.told import context_of
from prosa.services.process import Question, failed
from prosa.transport.native.chat import (
    ERRORS,
    IDEMPOTENCY_KEY,
    Unbuilt,
    attachments_of,
    hash_of,
    key_of,
    refuse_unbuilt,
)
from prosa.transport.native.forms import (
    Attachments,
    Key,
    MaxTokens,
    MessageForm,
    Name,
    Prompt,
    RunForm,
    Said,
    Temperature,
    message_form,
    run_form,
)
from prosa.transport.operation import Call, Nothing, Operation, Reply


class HistoryForm(Struct, frozen=True):
    role: Literal["user", "assistant"]
    content: Said


class ProcessBody(Unbuilt, frozen=True, rename="camel", kw_only=True):
    """`sessionId` is a conversation's id, or a name of your own for one. `userMessageId` names a message that
    is stored already. `attachments` are ids of files that go with the message; beside them its text may be
    empty. `chatHistory` stands in for the stored history in this call. `tools` are names of tools of the
    server. Where the route keeps answers, `fresh` asks for a new one."""

    user_message_content: Said
    session_id: Key
    client_id: Annotated[str, Meta(max_length=255, pattern=r"^[^\x00]*$")] = ""
    chat_history: Annotated[list[HistoryForm], Meta(max_length=1_000)] | None = None
    user_message_id: Key | None = None
    attachments: Attachments | None = None
    provider: Name | None = None
    model: Name | None = None
    system_prompt: Prompt | None = None
    temperature: Temperature | None = None
    max_tokens: MaxTokens | None = None
    tools: Annotated[tuple[Name, ...], Meta(max_length=128)] | None = None
    fresh: bool = False


_BODY = Annotated[ProcessBody, Meta(extra_json_schema={"anyOf": [
    {"properties": {"userMessageContent": {"minLength": 1}}},
    {"required": ["attachments"], "properties": {"attachments": {"type": "array", "minItems": 1}}},
]})]  # fmt: skip


class AnswerForm(Struct, frozen=True, rename="camel"):
    success: bool
    conversation_id: str
    assistant_message: MessageForm
    run: RunForm


async def process_message(call: Call[ProcessBody, Nothing]) -> Reply:
    """Waits for the whole answer. It is stored even if the caller leaves meanwhile."""
    body = call.body
    refuse_unbuilt(body)
    attached = attachments_of(body)
    if not body.user_message_content and not attached:
        raise e.InvalidRequest("userMessageContent must say something where nothing is attached.")
    key = key_of(call, None)
    question = Question(
        content=body.user_message_content,
        session_id=body.session_id,
        client_id=body.client_id,
        history=None if body.chat_history is None else tuple(
            Turn(Role(each.role), each.content) for each in body.chat_history
        ),
        user_message_id=body.user_message_id,
        attachments=attached,
        provider=body.provider,
        model=body.model,
        system_prompt=body.system_prompt,
        temperature=body.temperature,
        max_tokens=None if body.max_tokens is None else int(body.max_tokens),
        tools=body.tools,
        fresh=body.fresh,
        key=key,
        body_hash=hash_of(body) if key is not None else "",
    )  # fmt: skip
    answer = await call.chat.process.answer(call.principal, question, call.language)
    if isinstance(answer.end, Error):
        raise e.AnswerFailed(answer.end.code, answer.end.message)
    if isinstance(answer.end, RequiresAction):
        raise e.ActionRequired(answer.run.id)
    form = AnswerForm(
        success=not failed(answer),
        conversation_id=answer.message.conversation_id,
        assistant_message=message_form(answer.placed),
        run=run_form(answer.run, await context_of(call.chat.store.of(call.principal), answer.run)),
    )
    return Reply(200, form)


OPERATIONS = [
    Operation("POST", "/api/chat/process", "Send a message, get the whole answer", process_message,
              takes=_BODY, gives={200: AnswerForm}, headers=(IDEMPOTENCY_KEY,),
              errors=(*ERRORS, e.ClientMismatch, e.AnswerFailed, e.ActionRequired)),
]  # fmt: skip
