"""`/api/conversations/{id}/messages`."""

from typing import Any

from msgspec import UNSET

from prosa.domain import errors as e
from prosa.domain.conversations import MessageHasReplies
from prosa.domain.ids import parse_id
from prosa.domain.models import Role
from prosa.transport.native.forms import (
    DeletionQuery,
    MessageChanges,
    MessageForm,
    MessagesQuery,
    NewMessage,
    Page,
    message_form,
)
from prosa.transport.operation import Call, Nothing, Operation, Reply


async def list_messages(call: Call[Nothing, MessagesQuery]) -> Reply:
    """The branch that is shown, or the one that ends at the message `head`."""
    query = call.query
    head = None
    if query.head is not None and (head := parse_id(query.head)) is None:
        raise e.MessageNotFound
    placed, cursor = await call.chat.messages.page(
        call.principal,
        _conversation(call),
        head=head,
        order=query.order,
        limit=query.limit,
        cursor=query.cursor,
    )
    return Reply(200, Page([message_form(each) for each in placed], cursor))


async def create_message(call: Call[NewMessage, Nothing]) -> Reply:
    """Stores a message without a run: under the newest of the branch, or under `parentId` (null: first)."""
    body = call.body
    parent = body.parent_id.lower() if isinstance(body.parent_id, str) else body.parent_id
    placed = await call.chat.messages.append(
        call.principal,
        _conversation(call),
        Role(body.role),
        body.content,
        UNSET if parent is UNSET else parent,
    )
    return Reply(201, message_form(placed))


async def get_message(call: Call[Nothing, Nothing]) -> Reply:
    return Reply(
        200, message_form(await call.chat.messages.get(call.principal, _conversation(call), _message(call)))
    )


async def update_message(call: Call[MessageChanges, Nothing]) -> Reply:
    placed = await call.chat.messages.rewrite(
        call.principal, _conversation(call), _message(call), call.body.content
    )
    return Reply(200, message_form(placed))


async def delete_message(call: Call[Nothing, DeletionQuery]) -> Reply:
    """With all that follows it; with `subtree=false` only where nothing does."""
    await call.chat.messages.delete(
        call.principal, _conversation(call), _message(call), subtree=call.query.subtree
    )
    return Reply(204)


async def clear_messages(call: Call[Nothing, Nothing]) -> Reply:
    """The conversation stays, with no message. An answer in progress is stopped; what it cost stays in the
    ledger."""
    await call.chat.conversations.clear(call.principal, _conversation(call))
    return Reply(204)


def _conversation(call: Call[Any, Any]) -> str:
    return call.id("conversationId", e.ConversationNotFound)


def _message(call: Call[Any, Any]) -> str:
    return call.id("messageId", e.MessageNotFound)


_ALL = "/api/conversations/{conversationId}/messages"
_ONE = _ALL + "/{messageId}"
_MISSING = (e.ConversationNotFound, e.MessageNotFound)
_BUSY = (*_MISSING, e.RunInProgress)

OPERATIONS = [
    Operation("GET", _ALL, "List the messages of a branch", list_messages,
              query=MessagesQuery, gives={200: Page[MessageForm]}, errors=_MISSING),
    Operation("POST", _ALL, "Store a message", create_message,
              takes=NewMessage, gives={201: MessageForm}, errors=(*_BUSY, e.ConversationClosed)),
    Operation("GET", _ONE, "Get a message", get_message, gives={200: MessageForm}, errors=_MISSING),
    Operation("PATCH", _ONE, "Change a message's text", update_message,
              takes=MessageChanges, gives={200: MessageForm}, errors=_BUSY),
    Operation("DELETE", _ONE, "Delete a message", delete_message,
              query=DeletionQuery, gives={204: None}, errors=(*_BUSY, MessageHasReplies)),
    Operation("DELETE", _ALL, "Delete all messages", clear_messages,
              gives={204: None}, errors=(e.ConversationNotFound,)),
]  # fmt: skip
