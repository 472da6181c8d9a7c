"""The tree of a conversation's messages: branches, siblings, heads, and what a deletion leaves."""

from collections.abc import Iterable


class Tree:
    """Messages by id, in the order of their making; `None` stands for the conversation, the root."""

    def __init__(self, nodes: Iterable[tuple[str, str | None]] = ()) -> None:
        self._parents: dict[str, str | None] = dict(nodes)
        self._children: dict[str | None, list[str]] = {None: [], **{node: [] for node in self._parents}}
        for node, parent in self._parents.items():
            self._children[parent].append(node)

    def __contains__(self, node: str) -> bool:
        return node in self._parents

    def __len__(self) -> int:
        return len(self._parents)

    def siblings(self, node: str) -> list[str]:
        """The children of the node's parent in order, itself included."""
        return list(self._children[self._parents[node]])

    def branch(self, head: str | None) -> list[str]:
        """The path from the first message to `head`; empty for None."""
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

    def leaf(self, node: str | None) -> str | None:
        """The newest leaf below `node`, or `node` itself; None only for the root of an empty tree."""
        while self._children[node]:
            node = max(self._children[node])
        return node

    def head_without(self, node: str, head: str | None) -> str | None:
        """The head to show once `node`'s subtree is gone: `head` where it stays, else the newest leaf
        among what remains beside or above the gap."""
        gone = set(self.subtree(node))
        if head is not None and head not in gone:
            return head
        parent = self._parents[node]
        others = [each for each in self._children[parent] if each != node]
        return self.leaf(max(others)) if others else parent
