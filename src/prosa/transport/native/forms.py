"""What the native API takes and gives, as JSON."""

from collections.abc import Sequence
from typing import Annotated, Any, Generic, Literal, TypeVar

from msgspec import UNSET, Meta, Struct, UnsetType, structs

from prosa.domain.content import DocumentPart, ImagePart, Part, TextPart, ThinkingPart, ToolCall, ToolResult
from prosa.domain.conversations import Conversation, Message
from prosa.domain.feedback import Feedback
from prosa.domain.files import MOST_ATTACHMENTS
from prosa.domain.money import to_dollars
from prosa.domain.principal import DESK
from prosa.domain.runs import Run, RunStatus
from prosa.domain.steps import Step, StepStatus
from prosa.domain.time import to_iso
from prosa.services.context.counts import told_count
from prosa.services.context.told import Context
from prosa.services.messages import Placed

T = TypeVar("T")

_PLAIN = r"^[^\x00]*$"  # Postgres keeps no NUL, and no reader wants one

Content = Annotated[str, Meta(min_length=1, max_length=400_000, pattern=_PLAIN)]
Said = Annotated[str, Meta(max_length=400_000, pattern=_PLAIN)]
Prompt = Annotated[str, Meta(max_length=100_000, pattern=_PLAIN)]
Title = Annotated[str, Meta(max_length=500, pattern=_PLAIN)]
Name = Annotated[str, Meta(min_length=1, max_length=200, pattern=_PLAIN)]
Key = Annotated[str, Meta(min_length=1, max_length=255, pattern=_PLAIN)]
Id = Annotated[
    str, Meta(min_length=36, max_length=36, pattern="^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")
]
Temperature = Annotated[float, Meta(ge=0, le=2)]
MaxTokens = Annotated[
    float, Meta(ge=1, le=1_000_000, multiple_of=1, extra_json_schema={"type": "integer"})
]  # as JSON has it, where 7.0 is a whole number
Attachments = Annotated[tuple[Id, ...], Meta(max_length=MOST_ATTACHMENTS)]
"""Ids of files."""
PageLimit = Annotated[int, Meta(ge=1, le=200)]
Role = Literal["user", "assistant"]


class Page(Struct, Generic[T], frozen=True, rename="camel"):
    items: list[T]
    next_cursor: str | None


class ConversationForm(Struct, frozen=True, rename="camel"):
    id: str
    external_id: str | None
    client_id: str | None
    title: str | None
    system_prompt: str | None
    provider: str | None
    model: str | None
    status: Literal["open", "closed"]
    head_id: str | None
    metadata: dict[str, Any]
    created_at: str
    updated_at: str
    ticket_id: str | None
    pinned: bool
    archived: bool


class NewConversation(Struct, frozen=True, rename="camel"):
    external_id: Key | None = None
    client_id: Name | None = None
    title: Title | None = None
    system_prompt: Prompt | None = None
    provider: Name | None = None
    model: Name | None = None
    metadata: dict[str, Any] = {}


class ConversationChanges(Struct, frozen=True, rename="camel"):
    """Only the fields that are there change."""

    title: Title | UnsetType | None = UNSET
    status: Literal["open", "closed"] | UnsetType = UNSET
    system_prompt: Prompt | UnsetType | None = UNSET
    provider: Name | UnsetType | None = UNSET
    model: Name | UnsetType | None = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET
    head_id: Id | UnsetType = UNSET
    pinned: bool | UnsetType = UNSET
    archived: bool | UnsetType = UNSET


class TextForm(Struct, frozen=True, tag="text"):
    text: str


class ThinkingForm(Struct, frozen=True, tag="thinking"):
    text: str


class MediaForm(Struct, frozen=True, tag="media", rename="camel"):
    """A picture or a document of the user's. `fileId` names the file that it is, `size` is in bytes."""

    media_type: str | None
    url: str | None = None
    name: str | None = None
    file_id: str | None = None
    size: int | None = None


class ToolCallForm(Struct, frozen=True, tag="tool_call"):
    """`arguments` is the JSON text that the model wrote."""

    id: str
    name: str
    arguments: str


class ToolResultForm(Struct, frozen=True, tag="tool_result"):
    id: str
    name: str
    status: Literal["completed", "failed", "denied"]
    result: str


PartForm = TextForm | ThinkingForm | MediaForm | ToolCallForm | ToolResultForm


class MessageForm(Struct, frozen=True, rename="camel"):
    """`userId` is null on what the user did not write. A summary stands in for the messages above it when a
    model is asked. `tokens` is null where nobody has counted them, `cachedAt` unless the answer was kept:
    then it was given before, at that time."""

    id: str
    role: Literal["user", "assistant", "system", "tool"]
    content: str
    parts: list[PartForm]
    status: Literal["in_progress", "completed", "incomplete"]
    parent_id: str | None
    siblings: list[str]
    run_id: str | None
    user_id: str | None
    provider: str | None
    model: str | None
    created_at: str
    feedback: "FeedbackForm | None"
    kind: Literal["message", "summary"]
    tokens: int | None
    cached_at: str | None


class FeedbackForm(Struct, frozen=True, rename="camel"):
    """What somebody thinks of an answer."""

    thumb: Literal["up", "down"] | None
    rating: int | None
    tags: list[str]
    comment: str | None
    updated_at: str


class NewMessage(Struct, frozen=True, rename="camel"):
    role: Role
    content: Content
    parent_id: Id | UnsetType | None = UNSET


class MessageChanges(Struct, frozen=True, rename="camel"):
    content: Content


class UsageForm(Struct, frozen=True, rename="camel"):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    cached_tokens: int
    reasoning_tokens: int


class RunError(Struct, frozen=True):
    code: str
    message: str


RunState = Literal[
    "queued", "in_progress", "requires_action", "cancelling",
    "completed", "incomplete", "failed", "cancelled", "expired",
]  # fmt: skip


class WantedForm(Struct, frozen=True):
    """A call that the run waits for: its output, or leave to make it."""

    id: str
    name: str
    needs: Literal["output", "approval"]
    arguments: str


class RequiredAction(Struct, frozen=True, rename="camel"):
    calls: list[WantedForm]
    expires_at: str | None


class StepForm(Struct, frozen=True, rename="camel"):
    """One call of a tool. `needs` is what it waits, or waited, for."""

    id: str
    name: str
    kind: Literal["function", "http", "client"]
    needs: Literal["output", "approval"] | None
    arguments: str
    status: Literal["waiting", "allowed", "in_progress", "completed", "failed", "denied", "cancelled"]
    result: str | None
    created_at: str
    ended_at: str | None


class ContextForm(Struct, frozen=True, rename="camel"):
    """What the model was shown: these messages, oldest first, below the summary `summaryId`. `leftOut`
    messages were neither sent nor told of in it. `tokens` has instructions and tools in it."""

    message_ids: list[str]
    tokens: int
    estimated: bool
    left_out: int
    summary_id: str | None


class RunForm(Struct, frozen=True, rename="camel"):
    id: str
    conversation_id: str
    user_message_id: str | None
    message_id: str
    status: RunState
    reason: str | None
    provider: str
    model: str
    usage: UsageForm | None
    cost: str | None
    error: RunError | None
    created_at: str
    ended_at: str | None
    route: str | None
    required_action: RequiredAction | None
    context: ContextForm | None


class ListQuery(Struct, frozen=True):
    limit: PageLimit = 50
    cursor: str | None = None


class DeletionQuery(Struct, frozen=True):
    subtree: bool = True


class MessagesQuery(Struct, frozen=True):
    limit: PageLimit = 50
    cursor: str | None = None
    order: Literal["asc", "desc"] = "asc"
    head: str | None = None


def conversation_form(conversation: Conversation) -> ConversationForm:
    return ConversationForm(
        id=conversation.id,
        external_id=conversation.external_id,
        client_id=conversation.client_id or None,
        title=conversation.title,
        system_prompt=conversation.system_prompt,
        provider=conversation.provider,
        model=conversation.model,
        status=conversation.status.value,
        head_id=conversation.head_id,
        metadata=conversation.metadata,
        created_at=to_iso(conversation.created_at),
        updated_at=to_iso(conversation.updated_at),
        ticket_id=conversation.ticket_id,
        pinned=conversation.pinned,
        archived=conversation.archived,
    )


def message_form(placed: Placed) -> MessageForm:
    message = placed.message
    return MessageForm(
        id=message.id,
        role=message.role.value,
        content=message.content,
        parts=part_forms(message),
        status=message.status.value,
        parent_id=message.parent_id,
        siblings=placed.siblings,
        run_id=message.run_id,
        user_id=_author(message),
        provider=message.provider,
        model=message.model,
        created_at=to_iso(message.created_at),
        feedback=None if placed.feedback is None else feedback_form(placed.feedback),
        kind=message.kind.value,
        tokens=None if message.tokens is None else told_count(message.tokens, message.model),
        cached_at=None if message.cached_at is None else to_iso(message.cached_at),
    )


def _author(message: Message) -> str | None:
    """Who wrote it, where that is known: of what a desk shares, nobody in particular."""
    written = message.role == "user" and not message.user_id.startswith(DESK)
    return message.user_id if written else None


def feedback_form(said: Feedback) -> FeedbackForm:
    return FeedbackForm(said.thumb, said.rating, [*said.tags], said.comment, to_iso(said.updated_at))


def part_forms(message: Message) -> list[PartForm]:
    """What its reader may see of a message's parts: no provider's signature, no redacted thought."""
    if not message.parts:
        return [TextForm(message.content)] if message.content else []
    return [form for part in message.parts if (form := _part_form(part)) is not None]


def _part_form(part: Part) -> PartForm | None:
    match part:
        case TextPart(text):
            return TextForm(text)
        case ThinkingPart(text):
            return ThinkingForm(text) if text else None
        case ToolCall(identity, name, arguments):
            return ToolCallForm(identity, name, arguments)
        case ToolResult(identity, result, name, status):
            return ToolResultForm(identity, name, status.value, result)
        case ImagePart() | DocumentPart():
            return MediaForm(part.media_type, part.url, part.name, part.file, part.size or None)


def step_form(step: Step) -> StepForm:
    return StepForm(
        id=step.call_id,
        name=step.name,
        kind=step.kind,
        needs=step.needs,
        arguments=step.arguments,
        status=step.status.value,
        result=step.result,
        created_at=to_iso(step.created_at),
        ended_at=None if step.ended_at is None else to_iso(step.ended_at),
    )


def run_form(run: Run, context: Context | None, steps: Sequence[Step] = ()) -> RunForm:
    """`steps` are needed only of a run that waits for its caller."""
    usage = None if run.ended_at is None else run.usage
    return RunForm(
        id=run.id,
        conversation_id=run.conversation_id,
        user_message_id=run.user_message_id,
        message_id=run.message_id,
        status=run.status.value,
        reason=run.reason,
        provider=run.provider,
        model=run.model,
        usage=None
        if usage is None
        else UsageForm(
            usage.prompt_tokens,
            usage.completion_tokens,
            usage.total_tokens,
            usage.cached_tokens,
            usage.reasoning_tokens,
        ),
        cost=None if run.cost is None else to_dollars(run.cost),
        error=None if run.error_code is None else RunError(run.error_code, run.error_message or ""),
        created_at=to_iso(run.created_at),
        ended_at=None if run.ended_at is None else to_iso(run.ended_at),
        route=run.route,
        required_action=_required(run, steps) if run.status is RunStatus.REQUIRES_ACTION else None,
        context=None if context is None else ContextForm(**structs.asdict(context)),
    )


def _required(run: Run, steps: Sequence[Step]) -> RequiredAction:
    waiting = [step for step in steps if step.status is StepStatus.WAITING]
    return RequiredAction(
        [WantedForm(step.call_id, step.name, step.needs or "output", step.arguments) for step in waiting],
        None if run.expires_at is None else to_iso(run.expires_at),
    )
