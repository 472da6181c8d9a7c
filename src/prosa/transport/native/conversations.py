"""`/api/conversations`."""

from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from prosa.domain import errors as e
from prosa.domain.conversations import ConversationStatus, Filter
from prosa.services.conversations import Draft
from prosa.transport.native.forms import (
    ConversationChanges,
    ConversationForm,
    Name,
    NewConversation,
    Page,
    PageLimit,
    Title,
    conversation_form,
)
from prosa.transport.native.moments import Moment, since, until
from prosa.transport.operation import Call, Nothing, Operation, Reply

MOST_METADATA = 16_384
DEEPEST_METADATA = 32

_MODELS = (e.NoSuchProvider, e.ProviderNotConfigured)


class ConversationsQuery(Struct, frozen=True, rename="camel"):
    limit: PageLimit = 50
    cursor: str | None = None
    status: Literal["open", "closed"] | None = None
    archived: Literal["true", "false", "all"] = "false"
    pinned: bool | None = None
    since: Moment | None = field(default=None, name="from")
    until: Moment | None = field(default=None, name="to")
    provider: Name | None = None
    model: Name | None = None
    client_id: Name | None = None
    q: Title | None = None


async def create_conversation(call: Call[NewConversation, Nothing]) -> Reply:
    """With an `externalId` it gets the conversation that has it, or creates it."""
    body = call.body
    draft = Draft(
        external_id=body.external_id,
        client_id=body.client_id or "",
        title=body.title,
        system_prompt=body.system_prompt,
        provider=body.provider,
        model=body.model,
        metadata=checked(body.metadata),
    )
    conversation, made = await call.chat.conversations.create(call.principal, draft)
    return Reply(201 if made else 200, conversation_form(conversation))


async def list_conversations(call: Call[Nothing, ConversationsQuery]) -> Reply:
    """Without those that are archived, unless they are asked for. `from` and `to` bound the last change (a
    date alone is the whole day, in UTC); `provider` and `model` are those that answered last; `q` is a part
    of the title, whatever its case and accents."""
    query = call.query
    wanted = Filter(
        archived=None if query.archived == "all" else query.archived == "true",
        pinned=query.pinned,
        status=None if query.status is None else ConversationStatus(query.status),
        since=since(query.since),
        until=until(query.until),
        provider=query.provider,
        model=query.model,
        client_id=query.client_id,
        title=query.q,
    )
    found, cursor = await call.chat.conversations.page(call.principal, query.limit, query.cursor, wanted)
    return Reply(200, Page([conversation_form(each) for each in found], cursor))


async def get_conversation(call: Call[Nothing, Nothing]) -> Reply:
    identity = call.id("conversationId", e.ConversationNotFound)
    return Reply(200, conversation_form(await call.chat.conversations.get(call.principal, identity)))


async def update_conversation(call: Call[ConversationChanges, Nothing]) -> Reply:
    identity = call.id("conversationId", e.ConversationNotFound)
    changes = {
        name: value
        for name in ConversationChanges.__struct_fields__
        if (value := getattr(call.body, name)) is not msgspec.UNSET
    }
    if "metadata" in changes:
        checked(changes["metadata"])
    if "status" in changes:
        changes["status"] = ConversationStatus(changes["status"])
    if "head_id" in changes:
        changes["head_id"] = changes["head_id"].lower()
    updated = await call.chat.conversations.update(call.principal, identity, changes)
    return Reply(200, conversation_form(updated))


async def delete_conversation(call: Call[Nothing, Nothing]) -> Reply:
    """With its messages and runs; what it cost stays in the ledger. An answer in progress is stopped."""
    await call.chat.conversations.delete(call.principal, call.id("conversationId", e.ConversationNotFound))
    return Reply(204)


def checked(metadata: dict[str, Any]) -> dict[str, Any]:
    """`metadata`, if it can be stored. Raises InvalidRequest."""
    level: list[Any] = [metadata]
    for _ in range(DEEPEST_METADATA):
        if any(isinstance(each, str) and "\0" in each for each in level):
            raise e.InvalidRequest("metadata must not contain NUL characters.")
        level = [below for each in level for below in _inside(each)]
    if level:
        raise e.InvalidRequest(f"metadata must not be nested deeper than {DEEPEST_METADATA} levels.")
    if len(msgspec.json.encode(metadata)) > MOST_METADATA:
        raise e.InvalidRequest(f"metadata must not be larger than {MOST_METADATA} bytes.")
    return metadata


def _inside(value: object) -> list[Any]:
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    return value if isinstance(value, list) else []


_ONE = "/api/conversations/{conversationId}"

OPERATIONS = [
    Operation("POST", "/api/conversations", "Create a conversation", create_conversation,
              takes=NewConversation, gives={201: ConversationForm, 200: ConversationForm},
              errors=(*_MODELS, e.ClientMismatch)),
    Operation("GET", "/api/conversations", "List conversations, newest change first", list_conversations,
              query=ConversationsQuery, gives={200: Page[ConversationForm]}),
    Operation("GET", _ONE, "Get a conversation", get_conversation,
              gives={200: ConversationForm}, errors=(e.ConversationNotFound,)),
    Operation("PATCH", _ONE, "Change a conversation", update_conversation, takes=ConversationChanges,
              gives={200: ConversationForm}, errors=(e.ConversationNotFound, e.MessageNotFound, *_MODELS)),
    Operation("DELETE", _ONE, "Delete a conversation", delete_conversation,
              gives={204: None}, errors=(e.ConversationNotFound, e.RunInProgress)),
]  # fmt: skip
