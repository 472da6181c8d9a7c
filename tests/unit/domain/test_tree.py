"""The message tree against a naive model that looks through all nodes each time."""

from hypothesis import given
from hypothesis import strategies as st

from prosa.domain.tree import Tree

Nodes = list[tuple[str, str | None]]


@st.composite
def trees(draw: st.DrawFn, least: int = 1) -> Nodes:
    """Nodes in the order of their making, whose ids grow as those of messages do."""
    count = draw(st.integers(least, 25))
    parents = [draw(st.integers(-1, place - 1)) for place in range(count)]
    return [(f"m{place:03}", None if up < 0 else f"m{up:03}") for place, up in enumerate(parents)]


class Naive:
    def __init__(self, nodes: Nodes) -> None:
        self.nodes = nodes

    def children(self, node: str | None) -> list[str]:
        return [each for each, parent in self.nodes if parent == node]

    def branch(self, head: str | None) -> list[str]:
        return [] if head is None else [*self.branch(dict(self.nodes)[head]), head]

    def subtree(self, node: str) -> set[str]:
        return {each for each, _ in self.nodes if node in self.branch(each)}

    def leaves(self) -> list[str]:
        return [each for each, _ in self.nodes if not self.children(each)]


@given(trees())
def test_branches_siblings_and_subtrees(nodes: Nodes) -> None:
    tree, naive = Tree(nodes), Naive(nodes)
    assert len(tree) == len(nodes)
    for node, parent in nodes:
        assert node in tree
        assert tree.branch(node) == naive.branch(node)
        assert tree.siblings(node) == naive.children(parent)
        subtree = tree.subtree(node)
        assert set(subtree) == naive.subtree(node)
        assert len(subtree) == len(set(subtree))
        places = {each: place for place, each in enumerate(subtree)}
        assert all(places[up] < places[each] for each, up in nodes if each in places and each != node)


@given(trees(), st.data())
def test_a_head_stays_or_moves_to_a_leaf_of_what_remains(nodes: Nodes, data: st.DataObject) -> None:
    tree, naive = Tree(nodes), Naive(nodes)
    node = data.draw(st.sampled_from([each for each, _ in nodes]))
    head = data.draw(st.sampled_from([None, *naive.leaves()]))
    after = tree.head_without(node, head)
    gone = naive.subtree(node)
    rest = Naive([(each, parent) for each, parent in nodes if each not in gone])
    if head is not None and head not in gone:
        assert after == head
    elif after is None:
        assert dict(nodes)[node] is None
        assert not rest.children(None)
    else:
        assert after in rest.leaves()
        parent = dict(nodes)[node]
        assert parent is None or parent in rest.branch(after)


@given(trees())
def test_the_newest_leaf_below_a_node(nodes: Nodes) -> None:
    tree, naive = Tree(nodes), Naive(nodes)
    for node, _ in nodes:
        leaf = tree.leaf(node)
        assert leaf in naive.subtree(node)
        assert leaf in naive.leaves()


@st.composite
def summarised(draw: st.DrawFn) -> tuple[Nodes, Nodes, frozenset[str]]:
    """A tree, and the same tree with summaries above some of its messages."""
    nodes = draw(trees())
    inside = [node for node, parent in nodes if parent is not None]
    chosen = draw(st.lists(st.sampled_from(inside), unique=True)) if inside else []
    parents = dict(nodes)
    summaries: Nodes = []
    for node in chosen:
        name = f"{parents[node]}+{node}"  # sorts after the message above it, before the next one
        summaries.append((name, parents[node]))
        parents[node] = name
    return nodes, sorted([*parents.items(), *summaries]), frozenset(name for name, _ in summaries)


@given(summarised(), st.data())
def test_summaries_are_looked_through(made: tuple[Nodes, Nodes, frozenset[str]], data: st.DataObject) -> None:
    """Whoever asks for parents, siblings, leaves and heads gets what he got before there were any."""
    nodes, with_summaries, summaries = made
    plain, tree = Tree(nodes), Tree(with_summaries, summaries)
    for node, parent in nodes:
        assert tree.parent(node) == parent
        assert tree.siblings(node) == plain.siblings(node)
        assert tree.replies(node) == plain.replies(node)
        assert [each for each in tree.branch(node) if each not in summaries] == plain.branch(node)
        assert tree.leaf(node) == plain.leaf(node)
    for summary in summaries:
        assert tree.siblings(summary) == [summary]
        assert tree.leaf(summary) not in summaries
    node = data.draw(st.sampled_from([each for each, _ in nodes]))
    head = data.draw(st.sampled_from([None, *Naive(nodes).leaves()]))
    assert tree.head_without(node, head) == plain.head_without(node, head)
    gone = set(tree.felled(node))
    assert {each for each in gone if each not in summaries} == set(plain.subtree(node))
    left = [(each, parent) for each, parent in with_summaries if each not in gone]
    assert all(parent not in gone for _, parent in left)
    assert all(any(parent == each for _, parent in left) for each, _ in left if each in summaries)


def test_the_empty_tree() -> None:
    tree = Tree()
    assert (tree.branch(None), tree.leaf(None), len(tree)) == ([], None, 0)


def test_a_long_branch_needs_no_recursion() -> None:
    nodes = [(f"{place:06}", f"{place - 1:06}" if place else None) for place in range(20_000)]
    tree = Tree(nodes)
    assert len(tree.branch("019999")) == 20_000
    assert tree.leaf(None) == "019999"
    assert len(tree.subtree("000000")) == 20_000
