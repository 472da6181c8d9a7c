"""Trees of other programs, in which there are nodes that nobody sees."""

from collections.abc import Collection, Mapping


def visible_parents(parents: Mapping[str, str | None], kept: Collection[str]) -> dict[str, str | None]:
    """For each of `kept` the nearest of them above it. A way that leads nowhere, or into itself, ends at the
    root."""
    known: dict[str, str | None] = {}

    def climb(node: str | None) -> str | None:
        way: list[str] = []
        seen: set[str] = set()
        while node is not None and node not in kept and node not in known and node not in seen:
            way.append(node)
            seen.add(node)
            node = parents.get(node)
        if node is not None and node not in kept:
            node = known.get(node)
        known.update(dict.fromkeys(way, node))
        return node

    return {node: climb(parents.get(node)) for node in kept}


def nearest(node: str | None, parents: Mapping[str, str | None], kept: Collection[str]) -> str | None:
    """`node`, or the nearest of `kept` above it."""
    seen: set[str] = set()
    while node is not None and node not in kept:
        if node in seen:
            return None
        seen.add(node)
        node = parents.get(node)
    return node
