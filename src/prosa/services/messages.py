"""Messages: the branch that is shown, and messages that are stored without a run."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from prosa.domain.conversations import Message, MessageStatus
from prosa.domain.errors import InvalidRequest
from prosa.domain.feedback import Feedback
from prosa.domain.ids import new_id, parse_id
from prosa.domain.models import Role, Turn
from prosa.domain.principal import Principal
from prosa.domain.stretch import Place
from prosa.domain.time import now
from prosa.kit.pages import from_cursor, to_cursor
from prosa.ports.store import Store
from prosa.services.files.files import Files

Order = Literal["asc", "desc"]


class Placed(Struct, frozen=True):
    """A message and its siblings' ids, itself included, in the order of their making."""

    message: Message
    siblings: list[str]
    feedback: Feedback | None = None


class Messages:
    def __init__(self, store: Store, files: Files) -> None:
        self._store = store
        self._files = files

    async def page(
        self,
        principal: Principal,
        conversation_id: str,
        *,
        head: str | None,
        order: Order,
        limit: int,
        cursor: str | None,
    ) -> tuple[list[Placed], str | None]:
        """The branch that ends at `head` (None: the conversation's), page by page. Raises
        ConversationNotFound, MessageNotFound (`head`), InvalidRequest (`cursor`)."""
        records = self._store.of(principal)
        found = await records.messages.stretch(conversation_id, head, order, limit, _place(cursor))
        said = await records.feedback.of([each.id for each in found.messages if _is_answer(each)])
        placed = [
            Placed(message, siblings, said.get(message.id))
            for message, siblings in zip(found.messages, found.siblings, strict=True)
        ]
        return placed, None if found.next is None else to_cursor(found.next.after, found.next.head)

    async def get(self, principal: Principal, conversation_id: str, message_id: str) -> Placed:
        """Raises ConversationNotFound, MessageNotFound."""
        records = self._store.of(principal)
        message, siblings = await records.messages.placed(conversation_id, message_id)
        said = await records.feedback.of([message_id] if _is_answer(message) else [])
        return Placed(message, siblings, said.get(message_id))

    async def append(
        self,
        principal: Principal,
        conversation_id: str,
        role: Role,
        content: str,
        parent_id: str | UnsetType | None = UNSET,
    ) -> Placed:
        """Stores a message without a run: under the head where `parent_id` is UNSET. Raises
        ConversationNotFound, ConversationClosed, MessageNotFound (the parent), RunInProgress."""
        parent = None if parent_id is UNSET else parent_id
        message = stored_message(principal, conversation_id, Turn(role, content), parent)
        records = self._store.of(principal).messages
        stored = await records.append(message, at_head=parent_id is UNSET)
        return Placed(*await records.placed(conversation_id, stored.id))

    async def rewrite(
        self, principal: Principal, conversation_id: str, message_id: str, content: str
    ) -> Placed:
        """Raises ConversationNotFound, MessageNotFound, RunInProgress."""
        records = self._store.of(principal).messages
        await records.rewrite(conversation_id, message_id, content, now())
        return Placed(*await records.placed(conversation_id, message_id))

    async def delete(
        self, principal: Principal, conversation_id: str, message_id: str, *, subtree: bool = True
    ) -> None:
        """With its subtree, and the files that nothing else shows. Raises ConversationNotFound,
        MessageNotFound, RunInProgress; MessageHasReplies where the subtree is to stay, and there is one."""
        records = self._store.of(principal).messages
        async with self._files.deleting(principal, conversation_id):
            await records.delete(conversation_id, message_id, now(), subtree=subtree)


def stored_message(
    principal: Principal, conversation_id: str, turn: Turn, parent_id: str | None = None
) -> Message:
    """A new message that no run has written."""
    return Message(
        id=new_id(),
        user_id=principal.user_id,
        conversation_id=conversation_id,
        parent_id=parent_id,
        role=turn.role,
        content=turn.content,
        status=MessageStatus.COMPLETED,
        run_id=None,
        provider=None,
        model=None,
        created_at=now(),
    )


def _is_answer(message: Message | None) -> bool:
    return message is not None and message.role is Role.ASSISTANT


def _place(cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    match from_cursor(cursor):
        case [str(identity), str(head)] if parse_id(identity) and parse_id(head):
            return Place(identity, head)
    raise InvalidRequest("cursor must be the nextCursor of an earlier answer.")
