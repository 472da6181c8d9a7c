"""How large things are: bytes bound tokens, and no estimate is above its bound."""

from hypothesis import given
from hypothesis import strategies as st

from prosa.domain.content import ImagePart, TextPart
from prosa.domain.models import Role, ToolSpec, Turn
from prosa.services.context.counts import MESSAGE
from prosa.services.context.encodings import count
from prosa.services.context.window import OVERHEAD, bound, estimate, size, tokens
from prosa.services.guard.inspection import LEFT_OUT

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


def test_what_a_provider_says_of_tools_is_within_the_bound() -> None:
    """Claude 3 Opus is told 530 tokens by its maker, however small the tools are."""
    asked = (Turn(Role.USER, "Hi"),)
    assert bound(asked, None, (ToolSpec("t", ""),)) >= bound(asked, None) + 530


def test_what_is_left_out_is_no_longer_than_what_was_there() -> None:
    assert count(LEFT_OUT, "o200k_base") + MESSAGE <= OVERHEAD + 1


def test_a_picture_is_within_the_bound_of_the_model_that_counts_most_for_it() -> None:
    """One of 768 by 2,048 points is eight tiles."""
    asked = (Turn(Role.USER, "Hi", (TextPart("Hi"), ImagePart(url="https://x.io/a.png"))),)
    assert bound(asked, None, (), "openai/gpt-4o-mini-2024-07-18") >= 8 * 5_667 + 2_833
    assert bound(asked, None, (), "gpt-4o") < 7_000
