"""`/api/chat`: a message in, its answer out as it is written."""

import hashlib
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, field

from prosa.domain import errors as e
from prosa.domain import files as f
from prosa.domain.models import ToolChoice, ToolSpec
from prosa.domain.moderation import ContentBlocked, ModerationUnavailable
from prosa.services.runs.start import Send as Ask
from prosa.services.tools.registry import complaint
from prosa.transport.native.forms import Attachments, Id, Key, MaxTokens, Name, Prompt, Said, Temperature
from prosa.transport.operation import Call, HeaderField, Nothing, Operation, Stream
from prosa.transport.sse import PACED, Writing, stream_form

NotBuilt = Annotated[Any, Meta(extra_json_schema={"type": "null"}, description="Not supported yet.")]

IDEMPOTENCY_KEY = HeaderField(
    "Idempotency-Key",
    "The same key again gives the run that it began; with another body it is refused.",
    r"^[!-~](?:[ -~]{0,253}[!-~])?$",
)


class Unbuilt(Struct, frozen=True, rename="camel", kw_only=True):
    """Fields that callers know and this version does not heed: refused, lest they seem to do something."""

    functions: NotBuilt = None
    function_call: NotBuilt = None
    function_call_of_old: NotBuilt = field(name="function_call", default=None)


def refuse_unbuilt(body: Unbuilt) -> None:
    """Raises NotSupported."""
    names = zip(Unbuilt.__struct_fields__, Unbuilt.__struct_encode_fields__, strict=True)
    for name, on_the_wire in names:
        if getattr(body, name) is not None:
            raise e.NotSupported(f"`{on_the_wire}`")


class ToolForm(Struct, frozen=True):
    """A tool of the caller's own: the run waits for the outputs of its calls. `parameters` is the JSON
    Schema of its arguments."""

    name: Annotated[str, Meta(min_length=1, max_length=64, pattern="^[a-zA-Z0-9_-]+$")]
    description: Annotated[str, Meta(max_length=10_000, pattern=r"^[^\x00]*$")] = ""
    parameters: dict[str, Any] = {}


class NamedTool(Struct, frozen=True):
    name: Name


class SendFields(Unbuilt, frozen=True, rename="camel", kw_only=True):
    """`regenerate` (an answer's id) stands in place of `content`. `attachments` are ids of files that go with
    it; beside them it may be empty, or left out. `parentId` names the message to go on
    from (null: begin anew); without it, the newest of the branch that is shown. `tools` are names of tools
    of the server, and tools of the caller's own. Where the route keeps answers, `fresh` asks for a new one;
    so does `regenerate`. `accepts` says which events beside the plain ones the reader understands:
    "reset"."""

    content: Said | UnsetType = UNSET
    attachments: Attachments | None = None
    regenerate: Id | UnsetType = UNSET
    parent_id: Id | UnsetType | None = UNSET
    provider: Name | None = None
    model: Name | None = None
    system_prompt: Prompt | None = None
    temperature: Temperature | None = None
    max_tokens: MaxTokens | None = None
    client_message_id: Key | None = None
    tools: Annotated[tuple[str | ToolForm, ...], Meta(max_length=128)] | None = None
    tool_choice: Literal["auto", "none", "required"] | NamedTool | None = None
    fresh: bool = False
    accepts: tuple[str, ...] = ()


class SendBody(SendFields, frozen=True, rename="camel", kw_only=True):
    conversation_id: Id


_SHOWS: dict[str, Any] = {
    "required": ["attachments"],
    "properties": {"attachments": {"type": "array", "minItems": 1}},
}
ONE_OF: list[dict[str, Any]] = [
    {
        "required": ["content"],
        "properties": {"content": {"minLength": 1}},
        "not": {"required": ["regenerate"]},
    },
    {
        "required": ["attachments"],
        "properties": {**_SHOWS["properties"], "content": {"maxLength": 0}},
        "not": {"required": ["regenerate"]},
    },
    {
        "required": ["regenerate"],
        "properties": {},
        "not": {"anyOf": [{"required": ["content"]}, {"required": ["parentId"]}, _SHOWS]},
    },
]
"""What a schema says of `content`, `attachments` and `regenerate`."""


async def send_message(call: Call[SendBody, Nothing]) -> Stream:
    """Stores the message and streams the answer's events as Server-Sent Events: `start`, text (the only
    events with `content`, and without `type`), then `done` or `error`.

    The run goes on if the caller leaves. The same `clientMessageId` or `Idempotency-Key` again gives the
    same run's stream; with another body it is refused.
    """
    _, reader = await call.chat.engine.start(call.principal, ask_of(call, call.body), call.language)
    form = stream_form(PACED, call.body.accepts, call.language)
    return Stream(lambda receive, send: Writing(reader, receive, send).run(form))


def ask_of(call: Call[Any, Any], body: SendBody) -> Ask:
    """Raises InvalidRequest and NotSupported."""
    refuse_unbuilt(body)
    attached = attachments_of(body)
    content = ("" if attached else None) if body.content is UNSET else body.content
    regenerate = None if body.regenerate is UNSET else body.regenerate.lower()
    if (content is None) == (regenerate is None):
        raise e.InvalidRequest("content or regenerate is needed, and not both.")
    if content == "" and not attached:
        raise e.InvalidRequest("content must say something where nothing is attached.")
    if regenerate is not None and body.parent_id is not UNSET:
        raise e.InvalidRequest("parentId has no meaning beside regenerate.")
    key = key_of(call, body.client_message_id)
    return Ask(
        conversation_id=body.conversation_id.lower(),
        content=content,
        regenerate=regenerate,
        attachments=attached,
        parent_id=body.parent_id.lower() if isinstance(body.parent_id, str) else body.parent_id,
        provider=body.provider,
        model=body.model,
        system_prompt=body.system_prompt,
        temperature=body.temperature,
        max_tokens=None if body.max_tokens is None else int(body.max_tokens),
        tools=None if body.tools is None else server_tools(body.tools),
        client_tools=client_tools(body.tools or ()),
        tool_choice=_choice(body.tool_choice),
        fresh=body.fresh,
        key=key,
        body_hash=hash_of(body) if key is not None else "",
    )


def attachments_of(body: Any) -> tuple[str, ...]:
    """The ids of files in a body, each once, in their order."""
    return tuple(dict.fromkeys(each.lower() for each in body.attachments or ()))


def server_tools(given: Sequence[str | ToolForm]) -> tuple[str, ...]:
    """The names of the server's tools among them."""
    return tuple(tool for tool in given if isinstance(tool, str))


def client_tools(given: Sequence[str | ToolForm]) -> tuple[ToolSpec, ...]:
    """The tools of the caller's own. Raises InvalidRequest for one that models can't be told of, or two of
    one name."""
    specs = tuple(
        ToolSpec(tool.name, tool.description, tool.parameters or {"type": "object"})
        for tool in given
        if isinstance(tool, ToolForm)
    )
    for spec in specs:
        if wrong := complaint(spec):
            raise e.InvalidRequest(wrong)
    names = [tool if isinstance(tool, str) else tool.name for tool in given]
    if len(set(names)) < len(names):
        raise e.InvalidRequest("two of the tools have the same name.")
    return specs


def _choice(given: str | NamedTool | None) -> ToolChoice | None:
    match given:
        case None:
            return None
        case NamedTool(name):
            return ToolChoice("tool", name)
        case "none" | "required" | "auto" as mode:
            return ToolChoice(mode)
    raise AssertionError(given)


def key_of(call: Call[Any, Any], in_body: str | None) -> str | None:
    """The request's idempotency key: the body's, else the header's. Raises InvalidRequest."""
    if in_body:
        return in_body
    key = call.headers.get("idempotency-key")
    if key is not None and not re.fullmatch(IDEMPOTENCY_KEY.pattern, key):
        raise e.InvalidRequest("Idempotency-Key must have 1 to 255 characters of ASCII.")
    return key


def hash_of(body: Struct) -> str:
    return hashlib.sha256(msgspec.json.encode(body)).hexdigest()


OPERATIONS = [
    Operation("POST", "/api/chat/send", "Send a message, stream the answer", send_message,
              takes=Annotated[SendBody, Meta(extra_json_schema={"oneOf": ONE_OF})],
              gives={200: None}, stream="text/event-stream", headers=(IDEMPOTENCY_KEY,),
              errors=(e.NotSupported, e.NoSuchProvider, e.NoSuchTool, e.QueueFull, e.ConversationNotFound,
                      e.MessageNotFound, f.FileNotFound, f.FileInUse, f.ModelTakesNoImages,
                      f.ModelTakesNoDocuments, f.AttachmentsTooLarge, e.ConversationClosed,
                      e.RunInProgress, e.IdempotencyMismatch, e.ContextTooLong, ContentBlocked,
                      e.TokenLimitReached, e.CostLimitReached, ModerationUnavailable,
                      e.ProviderNotConfigured, e.ShuttingDown)),
]  # fmt: skip
ERRORS = OPERATIONS[0].errors
