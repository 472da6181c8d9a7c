"""Which of many questions is the likest, by their vectors."""

import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from prosa.domain.answers import Question
from prosa.services.caches.likeness import cosine, nearest, packed

DIMENSIONS = 384


@given(st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3))
@example([0.0, 5e-324, 5e-324])
def test_a_vector_is_like_itself(vector: list[float]) -> None:
    kept = packed(vector)
    assert not kept or abs(cosine(kept, kept) - 1) < 1e-5
    assert cosine(kept, packed([*vector, 1.0])) == 0


@pytest.mark.parametrize("common", [0.0, 0.5, 2.0], ids=["apart", "near", "all alike"])
def test_the_nearest_of_many_is_found(common: float) -> None:
    """Also where what all have in common makes them like each other: cosines of 0, 0.2 and 0.8."""
    chance = random.Random(common)
    shared = [common * chance.gauss(0, 1) for _ in range(DIMENSIONS)]

    def some(about: list[float], spread: float) -> list[float]:
        return [each + chance.gauss(0, spread) for each in about]

    others = [Question(str(place), packed(some(shared, 1))) for place in range(200)]
    for _ in range(20):
        asked = some(shared, 1)
        vector, like = packed(asked), packed(some(asked, 0.3))
        others[chance.randrange(200)] = Question("like", like)
        found = nearest(vector, others)
        assert found == ("like", cosine(vector, like))
        assert found.likeness > 0.9
        others = [each for each in others if each.id != "like"] + [Question("more", packed(some(shared, 1)))]


@pytest.mark.parametrize("dimensions", [3, DIMENSIONS])
def test_signs_that_tell_nothing_are_not_relied_upon(dimensions: int) -> None:
    """As those of a model whose numbers are all positive."""
    chance = random.Random(dimensions)
    vectors = [[abs(chance.gauss(0, 1)) for _ in range(dimensions)] for _ in range(200)]
    others = [Question(str(place), packed(vector)) for place, vector in enumerate(vectors)]
    for place in (0, 100, 199):
        found = nearest(packed(vectors[place]), others)
        assert found is not None
        assert found.id == str(place)


def test_vectors_of_other_lengths_are_left_out() -> None:
    one = packed([1.0, 2.0])
    assert nearest(one, []) is None
    assert nearest(one, [Question("longer", packed([1.0, 2.0, 3.0])), Question("none", b"")]) is None
    assert nearest(b"", [Question("some", one)]) is None
