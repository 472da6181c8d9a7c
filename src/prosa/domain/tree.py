"""The tree of a conversation's messages: branches, siblings, heads, and what a deletion leaves.

Summaries are nodes of it, each between the last message that it tells of and the first one that follows. They
are looked through: whoever chooses among siblings or looks for a leaf sees the messages below them in their
place. A summary without a child does not exist, so none is a leaf.
"""

from collections.abc import Iterable


class Tree:
    """Messages by id, in the order of their making; `None` stands for the conversation, the root."""

    def __init__(
        self, nodes: Iterable[tuple[str, str | None]] = (), summaries: frozenset[str] = frozenset()
    ) -> None:
        self._parents: dict[str, str | None] = dict(nodes)
        self._children: dict[str | None, list[str]] = {None: [], **{node: [] for node in self._parents}}
        for node, parent in self._parents.items():
            self._children[parent].append(node)
        self.summaries = summaries

    def __contains__(self, node: str) -> bool:
        return node in self._parents

    def __len__(self) -> int:
        return len(self._parents)

    def parent(self, node: str) -> str | None:
        """The message above `node`, or None."""
        parent = self._parents[node]
        while parent in self.summaries:
            parent = self._parents[parent]
        return parent

    def replies(self, node: str | None) -> list[str]:
        """The messages right below `node`, in order."""
        children = self._children[node]
        if not self.summaries.intersection(children):
            return list(children)
        return sorted(
            each
            for child in children
            for each in (self.replies(child) if child in self.summaries else (child,))
        )

    def siblings(self, node: str) -> list[str]:
        """What hangs beside `node`, itself included, in order; a summary stands alone."""
        return [node] if node in self.summaries else self.replies(self.parent(node))

    def branch(self, head: str | None) -> list[str]:
        """The path from the first message to `head`, summaries and all; empty for None."""
        path: list[str] = []
        while head is not None:
            path.append(head)
            head = self._parents[head]
        path.reverse()
        return path

    def subtree(self, node: str) -> list[str]:
        """`node` and all below it, parents first."""
        found = [node]
        for each in found:
            found.extend(self._children[each])
        return found

    def felled(self, node: str) -> list[str]:
        """What goes with `node`: its subtree, and the summaries right above it that it leaves without a
        child."""
        gone = self.subtree(node)
        above = self._parents[node]
        while above in self.summaries and self._children[above] == [node]:
            gone.append(above)
            node, above = above, self._parents[above]
        return gone

    def leaf(self, node: str | None) -> str | None:
        """The newest leaf below `node`, or `node` itself; None only for the root of an empty tree."""
        while found := self.replies(node):
            node = max(found)
        return node

    def head_without(self, node: str, head: str | None) -> str | None:
        """The head to show once `node`'s subtree is gone: `head` where it stays, else the newest leaf
        among what remains beside or above the gap."""
        gone = set(self.subtree(node))
        if head is not None and head not in gone:
            return head
        others = [each for each in self.siblings(node) if each != node]
        return self.leaf(max(others)) if others else self.parent(node)
