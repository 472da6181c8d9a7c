"""What of a model's answer is a title."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosa.domain.titles import INSTRUCTIONS, LONGEST, SHOWN, question, title_of


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        ("Férias em março", "Férias em março"),
        ('"Férias em março."', "Férias em março"),
        ("**Título:** Férias em março", "Férias em março"),
        ("Title: «Holidays in March»\n\nHere is why: …", "Holidays in March"),
        ("\n\n# Férias\n", "Férias"),
        ("<think>\nThe user wants\n</think>\nFérias", "Férias"),
        ("<think>never ends", None),
        ("'Don't panic'", "Don't panic"),
        ("O que é 'await'?", "O que é await?"),
        ("a\tb\x00\x1b[31mc\u202e", "a b [31mc"),
        ("x" * 200, "x" * (LONGEST - 1) + "…"),
        ("palavra " * 30, "palavra palavra palavra palavra palavra palavra palavra palavra palavra…"),
        ("", None),
        (' "" \n...\n', None),
    ],
)
def test_the_title_in_an_answer(answer: str, title: str | None) -> None:
    assert title_of(answer) == title


@given(st.text(max_size=300))
def test_a_title_is_one_short_line_of_something(answer: str) -> None:
    title = title_of(answer)
    if title is not None:
        assert 0 < len(title) <= LONGEST
        assert title.isprintable()
        assert not set(title) & set('"“”«»`*')
        assert title == title.strip()


def test_the_question_is_short_whatever_was_said() -> None:
    asked = question("m", "p" * 100_000, "r" * 100_000)
    assert asked.system == INSTRUCTIONS
    assert len(asked.turns[0].content) < 2 * SHOWN + 100
