"""Messages: the branch that is shown, and messages that are stored without a run."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType, structs

from prosa.domain.conversations import Message, MessageStatus
from prosa.domain.errors import InvalidRequest, MessageNotFound
from prosa.domain.feedback import Feedback
from prosa.domain.ids import new_id, parse_id
from prosa.domain.models import Role, Turn
from prosa.domain.principal import Principal
from prosa.domain.time import now
from prosa.domain.tree import Tree
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
        records, feedback = self._store.of(principal).messages, self._store.of(principal).feedback
        tree, shown = await records.tree(conversation_id)
        if head is not None and head not in tree:
            raise MessageNotFound
        branch = tree.branch(head or shown)
        if order == "desc":
            branch.reverse()
        start = _after(branch, cursor)
        ids = branch[start : start + limit]
        found = await records.many(conversation_id, ids)
        said = await feedback.of([each for each in ids if _is_answer(found.get(each))])
        placed = [Placed(found[each], tree.siblings(each), said.get(each)) for each in ids if each in found]
        more = start + limit < len(branch)
        return placed, to_cursor(ids[-1]) if more else None

    async def get(self, principal: Principal, conversation_id: str, message_id: str) -> Placed:
        """Raises ConversationNotFound, MessageNotFound."""
        records, feedback = self._store.of(principal).messages, self._store.of(principal).feedback
        tree, _ = await records.tree(conversation_id)
        message = await records.get(conversation_id, message_id)
        said = await feedback.of([message_id] if _is_answer(message) else [])
        return structs.replace(_placed(tree, message), feedback=said.get(message_id))

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
        tree, _ = await records.tree(conversation_id)
        return _placed(tree, stored)

    async def rewrite(
        self, principal: Principal, conversation_id: str, message_id: str, content: str
    ) -> Placed:
        """Raises ConversationNotFound, MessageNotFound, RunInProgress."""
        records = self._store.of(principal).messages
        message = await records.rewrite(conversation_id, message_id, content, now())
        tree, _ = await records.tree(conversation_id)
        return _placed(tree, message)

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


def _placed(tree: Tree, message: Message) -> Placed:
    return Placed(message, tree.siblings(message.id) if message.id in tree else [message.id])


def _after(branch: list[str], cursor: str | None) -> int:
    """The place behind the message that the cursor names; it may have been deleted since: then an error,
    for there is no right place to go on."""
    if cursor is None:
        return 0
    match from_cursor(cursor):
        case [str(identity)] if parse_id(identity) is not None:
            if identity in branch:
                return branch.index(identity) + 1
            raise InvalidRequest("cursor is no longer in this branch. Start from the first page.")
    raise InvalidRequest("cursor must be the nextCursor of an earlier answer.")
