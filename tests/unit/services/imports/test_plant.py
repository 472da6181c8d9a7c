"""Whatever a file tells, what is stored is a tree, the same each time, whose ids are the owner's."""

import gc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.stores import ANA, BIA, NOON

from prosa.domain.ids import moment_of, new_id, parse_id
from prosa.domain.imports import Planting, Told, ToldMessage, TooMuch
from prosa.domain.models import Role
from prosa.domain.principal import Principal
from prosa.domain.time import SECOND, Instant
from prosa.domain.tree import Tree
from prosa.services.imports.plant import Owner, plant

ANAS = Owner(ANA, "chatgpt", NOON)
OUR = Owner(ANA, "prosa", NOON)


def said(name: str, parent: str | None = None, at: int | None = None, **fields: Any) -> ToldMessage:
    created = None if at is None else Instant(at)
    return ToldMessage(id=name, parent=parent, role=Role.USER, content=name, created_at=created, **fields)


def told(*messages: ToldMessage, **fields: Any) -> Told:
    return Told(id="c", messages=messages, **fields)


def ids(planting: Planting) -> dict[str, str]:
    return {each.message.content: each.message.id for each in planting.seedlings}


NAMES = st.sampled_from("abcdefgh")


@given(
    st.lists(
        st.tuples(NAMES, st.none() | NAMES | st.just("nobody"), st.none() | st.integers(-(2**62), 2**62)),
        max_size=12,
    ),
    st.none() | NAMES,
    st.sampled_from([ANAS, OUR, Owner(Principal("ana", "acme"), "openai", NOON)]),
)
def test_any_graph_becomes_a_tree(
    nodes: list[tuple[str, str | None, int | None]], head: str | None, owner: Owner
) -> None:
    def planted() -> Planting:
        return plant(owner, told(*(said(*each) for each in nodes), head=head))

    planting = planted()
    messages = [each.message for each in planting.seedlings]
    assert {each.content for each in messages} == {name for name, _, _ in nodes}
    assert len({each.id for each in messages} | {each.other for each in planting.seedlings}) == 2 * len(
        messages
    )
    seen: set[str | None] = {None}
    for each in messages:
        assert each.parent_id in seen
        assert each.parent_id is None or each.parent_id < each.id
        assert 0 <= each.created_at <= NOON + 86_400 * SECOND
        seen.add(each.id)
    shown = planting.conversation.head_id
    assert (shown is None) == (not messages)
    assert shown is None or not any(each.parent_id == shown for each in messages)
    again = planted()
    assert ids(again) == ids(planting)
    assert again == planting


def test_siblings_stay_in_their_order() -> None:
    same = [said(name, "a", at=NOON) for name in "bcdefghij"]
    found = ids(plant(ANAS, told(said("a", at=NOON), *same)))
    assert sorted(found, key=found.__getitem__) == list("abcdefghij")
    later = [said("a", at=NOON), *same, said("k", "c", NOON), said("l", "b", NOON - 10 * SECOND)]
    more = ids(plant(ANAS, told(*later)))
    assert {name: more[name] for name in found} == found
    assert more["l"] > more["b"]


def test_ids_tell_the_time() -> None:
    found = ids(plant(ANAS, told(said("a", at=NOON), said("b", "a"))))
    for each in found.values():
        assert parse_id(each) == each
        moment = moment_of(each)
        assert moment is not None
        assert moment >> 26 == NOON // 1_000


def test_whose_ids_they_are() -> None:
    whole = told(said("a", at=NOON))
    ours, theirs = plant(ANAS, whole), plant(Owner(BIA, "chatgpt", NOON), whole)
    elsewhere = plant(Owner(ANA, "claude", NOON), whole)
    assert len({each.conversation.id for each in (ours, theirs, elsewhere)}) == 3
    assert len({each.seedlings[0].message.id for each in (ours, theirs, elsewhere)}) == 3


def test_our_own_ids_are_kept_and_no_others() -> None:
    own, v4, future = new_id(), "6562d1f0-0000-4000-a000-000000000001", "ffffffff-ffff-7000-8000-000000000000"
    now = Owner(ANA, "prosa", Instant(NOON * 2))
    wanted = Told(
        id=own, messages=[said(name, at=NOON) for name in (own.upper()[:36].lower(), v4, future, "x")]
    )
    planting = plant(now, wanted)
    assert planting.conversation.id == own
    kept = [each.message.id for each in planting.seedlings]
    assert [moment_of(each) is not None for each in kept] == [True] * 4
    assert (kept[0], v4 in kept, future in kept) == (own, False, False)
    other = plant(Owner(ANA, "chatgpt", Instant(NOON * 2)), wanted)
    assert own not in (other.conversation.id, other.seedlings[0].message.id)
    door = Told(id=f"thread_{own.replace('-', '')}", messages=[said(f"msg_{own.replace('-', '')}")])
    planting = plant(Owner(ANA, "openai", Instant(NOON * 2)), door)
    assert (planting.conversation.id, planting.seedlings[0].message.id) == (own, own)


def test_what_is_too_long() -> None:
    fields = {"title": "t" * 600, "external_id": "e" * 300, "model": "m" * 300, "client_id": "c" * 300}
    found = plant(ANAS, told(said("a"), **fields)).conversation
    assert (len(found.title or ""), found.external_id, len(found.model or ""), len(found.client_id)) == (
        500,
        None,
        200,
        200,
    )
    for wrong in (told(said("x" * 4_000_001)), told(said("a"), system_prompt="x" * 100_001)):
        with pytest.raises(TooMuch):
            plant(ANAS, wrong)


def test_a_token_says_which_client_it_is() -> None:
    assert (
        plant(Owner(Principal("ana", "acme"), "prosa", NOON), told(client_id="evil")).conversation.client_id
        == "acme"
    )
    assert plant(OUR, told(client_id="acme")).conversation.client_id == "acme"


def test_times() -> None:
    found = plant(
        ANAS,
        told(said("a", at=NOON - 5), said("b", "a", at=NOON + 10 * 86_400 * SECOND), said("c", "b", at=-1)),
    )
    assert [each.message.created_at for each in found.seedlings] == [NOON - 5] * 3
    assert (found.conversation.created_at, found.conversation.updated_at) == (NOON - 5, NOON - 5)
    none = plant(ANAS, told(said("a")))
    assert (none.conversation.created_at, none.seedlings[0].message.created_at) == (NOON, NOON)
    assert ids(none) == ids(plant(Owner(ANA, "chatgpt", Instant(NOON + SECOND)), told(said("a"))))


def test_external_ids_are_one_each() -> None:
    found = plant(ANAS, told(said("a", external_id="m"), said("b", external_id="m"), said("c")))
    assert [each.message.external_id for each in found.seedlings] == ["m", None, None]


def test_the_collector_has_nothing_to_look_through() -> None:
    """With a hundred thousand messages it would stop everybody for a quarter of a second, many times."""
    one = said("a", metadata={"a": [1]})
    planted = plant(Owner(ANA, "prosa", NOON), told(one)).seedlings[0]
    assert planted.message.metadata == {"a": [1]}
    assert not any(map(gc.is_tracked, (one, planted, planted.message)))


def test_a_branch_of_a_hundred_thousand() -> None:
    messages = [said(str(place), str(place - 1), NOON) for place in range(100_000)]
    found = plant(ANAS, told(*reversed(messages)))
    tree = Tree((each.message.id, each.message.parent_id) for each in found.seedlings)
    assert len(tree.branch(found.conversation.head_id)) == 100_000
