"""The window: the newest turns that fit, the system prompt always, the last turn or nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosa.domain.errors import ContextTooLong
from prosa.domain.models import Role, Turn
from prosa.services.context.window import bound, estimate, fit, size

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=120)
turns = st.lists(
    st.builds(Turn, st.sampled_from([Role.USER, Role.ASSISTANT]), texts), min_size=1, max_size=12
)
systems = st.none() | texts


@given(turns, systems, st.integers(0, 800))
def test_what_is_kept(all_turns: list[Turn], system: str | None, room: int) -> None:
    try:
        kept = fit(all_turns, system, room, "fake")
    except ContextTooLong:
        assert estimate(system or "") + estimate(all_turns[-1].content) > room
        return
    assert kept
    assert list(kept) == all_turns[-len(kept) :]
    assert (estimate(system) if system else 0) + sum(estimate(turn.content) for turn in kept) <= room
    if len(kept) < len(all_turns):  # what was cut begins with the user, and could not have begun earlier
        assert kept[0].role is Role.USER or len(kept) == 1
        before = all_turns[: -len(kept)]
        users = [place for place, turn in enumerate(before) if turn.role is Role.USER]
        if users:
            longer = all_turns[users[-1] :]
            assert (estimate(system) if system else 0) + sum(estimate(turn.content) for turn in longer) > room


@given(turns, systems)
def test_all_is_kept_where_there_is_room(all_turns: list[Turn], system: str | None) -> None:
    assert fit(all_turns, system, 10**6, "fake") == tuple(all_turns)


@given(turns, systems)
def test_the_estimate_is_never_above_the_bound(all_turns: list[Turn], system: str | None) -> None:
    """Else what was settled could be more than what was held."""
    estimated = estimate(system or "") + sum(estimate(turn.content) for turn in all_turns)
    assert estimated <= bound(all_turns, system)


@given(texts)
def test_size_is_bytes(text: str) -> None:
    assert size(text) == len(text.encode())


def test_a_last_turn_that_does_not_fit() -> None:
    with pytest.raises(ContextTooLong):
        fit([Turn(Role.USER, "x" * 3_000)], None, 500, "fake")
    with pytest.raises(ContextTooLong):
        fit([Turn(Role.USER, "x")], None, -5, "fake")
