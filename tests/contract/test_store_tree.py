"""Whatever is done to a conversation leaves a tree: its head is a leaf, or null when it is empty; no orphan, no
cycle; and what is found in it is what is there."""

from collections.abc import Awaitable, Callable

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace
from tests.counts import counts
from tests.stores import ANA, BOOT, NOON, begin, conversation, ending, insert, message

from prosa.domain.conversations import Conversation, MessageHasReplies, MessageKind, MessageStatus
from prosa.domain.errors import RunInProgress
from prosa.domain.ids import between
from prosa.domain.models import Role
from prosa.domain.runs import Run, RunStatus
from prosa.domain.search import Sought, phrases_of
from prosa.ports.store import Store


class Talk:
    """A conversation, and a naive copy of its tree: each message's parent, who said it, what is written."""

    def __init__(self, store: Store, chat: Conversation, draw: st.DataObject) -> None:
        self.store = store
        self.chat = chat
        self.draw = draw
        self.parents: dict[str, str | None] = {}
        self.roles: dict[str, Role] = {}
        self.runs: dict[str, Run] = {}
        self.head: str | None = None

    @property
    def records(self):  # type: ignore[no-untyped-def]  # as in the port
        return self.store.of(ANA)

    def some(self, *roles: Role) -> str | None:
        """One of the messages (of these roles), or None where there is none."""
        known = [each for each in self.parents if not roles or self.roles[each] in roles]
        return self.draw.draw(st.sampled_from(known)) if known else None

    def below(self, node: str) -> set[str]:
        found = {node}
        while more := {each for each, parent in self.parents.items() if parent in found} - found:
            found |= more
        return found

    def has_replies(self, node: str) -> bool:
        return len(self.below(node)) > 1

    def forget(self, gone: set[str]) -> None:
        for each in gone:
            self.parents.pop(each, None)

    def see(self, node: str, parent: str | None, role: Role) -> None:
        self.parents[node], self.roles[node] = parent, role

    # What can be done. Each is refused where it must be, and then changes nothing.

    async def append(self) -> None:
        parent = self.draw.draw(st.sampled_from([None, *self.parents]))
        at_head = self.draw.draw(st.booleans())
        under = self.head if at_head else parent
        said = message(self.chat, "tema", parent_id=parent)
        if under in self.runs:
            await refused(self.records.messages.append(said, at_head=at_head), RunInProgress)
        else:
            await self.records.messages.append(said, at_head=at_head)
            self.see(said.id, under, Role.USER)

    async def send(self) -> None:
        """Under the head, under any message (which makes branches), or as a first message."""
        parent = self.draw.draw(st.sampled_from([UNSET, None, *self.parents]))
        under = self.head if parent is UNSET else parent
        if under in self.runs:
            await refused(begin(self.store, self.chat, "tema", parent_id=parent), RunInProgress)
            return
        run = (await begin(self.store, self.chat, "tema", parent_id=parent)).run
        assert run.user_message_id is not None
        self.see(run.user_message_id, under, Role.USER)
        await self._answer(run)

    async def edit(self) -> None:
        """Another message beside one of the user's."""
        beside = self.some(Role.USER)
        if beside is not None and self.parents[beside] not in self.runs:
            run = (await begin(self.store, self.chat, "tema", parent_id=self.parents[beside])).run
            self.see(str(run.user_message_id), self.parents[beside], Role.USER)
            await self._answer(run)

    async def regenerate(self) -> None:
        answer = self.some(Role.ASSISTANT)
        if answer in self.runs:
            await refused(begin(self.store, self.chat, None, regenerate=answer), RunInProgress)
        elif answer is not None:
            await self._answer((await begin(self.store, self.chat, None, regenerate=answer)).run)

    async def _answer(self, run: Run) -> None:
        self.see(run.message_id, run.user_message_id, Role.ASSISTANT)
        self.runs[run.message_id] = run
        if self.draw.draw(st.booleans()):
            await self.end(run.message_id)

    async def end(self, answer: str | None = None) -> None:
        """An answer is complete, or broke off."""
        answer = answer or (self.draw.draw(st.sampled_from(list(self.runs))) if self.runs else None)
        if answer is None:
            return
        run = self.runs.pop(answer)
        whole = self.draw.draw(st.booleans())
        status = RunStatus.COMPLETED if whole else RunStatus.FAILED
        kept = MessageStatus.COMPLETED if whole else MessageStatus.INCOMPLETE
        over = ending(run, "tema", status=status, message_status=kept)
        assert await self.store.engine.commit(BOOT, [], [over]) == (
            {run.id} if answer in self.parents else set()
        )

    async def switch(self) -> None:
        there = self.draw.draw(st.sampled_from([None, *self.parents]))
        await self.records.conversations.update(self.chat.id, {"head_id": there}, NOON)

    async def delete(self) -> None:
        node, subtree = self.some(), self.draw.draw(st.booleans())
        if node is None:
            return
        asked = self.records.messages.delete(self.chat.id, node, NOON, subtree=subtree)
        if not subtree and self.has_replies(node):
            await refused(asked, MessageHasReplies)
        elif self.below(node) & self.runs.keys():
            await refused(asked, RunInProgress)
        else:
            await asked
            self.forget(self.below(node))

    async def clear(self) -> None:
        await self.records.messages.clear(self.chat.id, NOON)
        self.forget(set(self.parents))

    async def summarise(self) -> None:
        """A node that readers look through, above a message with which an exchange begins."""
        child = self.some(Role.USER)
        above = None if child is None else self.parents[child]
        tree, _ = await self.records.messages.tree(self.chat.id)
        if child is None or above is None or tree.branch(child)[-2] != above:
            return
        told = message(self.chat, "tema", parent_id=above, role=Role.SYSTEM, kind=MessageKind.SUMMARY)
        told = replace(told, id=between(above, child))
        assert await insert(self.store, told, child)

    async def check(self) -> None:
        tree, head = await self.records.messages.tree(self.chat.id)
        messages = {each for node in [None, *self.parents] for each in tree.replies(node)}
        assert messages == self.parents.keys()
        assert len(tree) == len(messages) + len(tree.summaries)
        for each in messages:
            assert tree.parent(each) == self.parents[each]
            assert len(set(tree.branch(each))) == len(tree.branch(each))
        assert all(tree.replies(each) for each in tree.summaries), "a summary without a child"
        if messages:
            assert head in messages
            assert head is not None
            assert not tree.replies(head)
            assert not self.has_replies(head)
        else:
            assert (head, len(tree)) == (None, 0)
        self.head = head

    async def check_search(self) -> None:
        await self.store.index()
        found = await self.records.search.page(
            Sought(phrases_of("tema"), conversation_id=self.chat.id), 1_000, None
        )
        assert sorted(each.message_id for each in found) == sorted(self.parents.keys() - self.runs.keys())


async def refused(work: Awaitable[object], error: type[Exception]) -> None:
    try:
        await work
    except error:
        return
    raise AssertionError(f"not refused with {error.__name__}")


DEEDS: list[Callable[[Talk], Awaitable[None]]] = [
    Talk.append, Talk.send, Talk.send, Talk.edit, Talk.regenerate, Talk.end, Talk.switch, Talk.delete, Talk.delete,
    Talk.clear, Talk.summarise,
]  # fmt: skip


@settings(max_examples=counts(400, 10), suppress_health_check=list(HealthCheck))
@given(data=st.data())
async def test_whatever_is_done_leaves_a_tree(store: Store, data: st.DataObject) -> None:
    chat, _ = await store.of(ANA).conversations.create(conversation(ANA))
    talk = Talk(store, chat, data)
    for _ in range(data.draw(st.integers(1, 25))):
        deed = data.draw(st.sampled_from(DEEDS))
        event(deed.__name__)
        await deed(talk)
        await talk.check()
        if data.draw(st.integers(0, 4)) == 0:
            await talk.check_search()
    await talk.check_search()
    for run in [*talk.runs.values()]:
        await talk.end(run.message_id)
