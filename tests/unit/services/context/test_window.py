"""How large things are: bytes bound tokens, and no estimate is above its bound."""

from hypothesis import given
from hypothesis import strategies as st

from prosa.domain.models import Role, Turn
from prosa.services.context.window import bound, estimate, size, tokens

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=120)
turns = st.lists(
    st.builds(Turn, st.sampled_from([Role.USER, Role.ASSISTANT]), texts), min_size=1, max_size=12
)
systems = st.none() | texts


@given(turns, systems)
def test_the_estimate_is_never_above_the_bound(all_turns: list[Turn], system: str | None) -> None:
    """Else what was settled could be more than what was held."""
    estimated = estimate(system or "") + sum(estimate(turn.content) for turn in all_turns)
    assert tokens(all_turns, system) <= estimated <= bound(all_turns, system)


@given(texts)
def test_size_is_bytes(text: str) -> None:
    assert size(text) == len(text.encode())
