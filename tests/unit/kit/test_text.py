"""Text that leaves is text that UTF-8 and a database can hold."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosa.kit.text import open_half, well_formed


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("plain", "plain"),
        ("a\0b", "a\ufffdb"),
        ("é\0", "é\ufffd"),
        ("a\ud83d\ude00b", "a\N{GRINNING FACE}b"),
        ("a\ud83d", "a\ufffd"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
        ("\ud83d\ud83d\ude00", "\ufffd\N{GRINNING FACE}"),
    ],
)
def test_what_no_text_may_hold(text: str, mended: str) -> None:
    assert well_formed(text) == mended


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=[])))
def test_all_text_can_be_written_afterwards(text: str) -> None:
    assert "\0" not in well_formed(text).encode().decode()


@settings(deadline=None)
@given(st.text())
def test_good_text_stays_as_it_is(text: str) -> None:
    assert well_formed(text) == text.replace("\0", "\ufffd")


def test_only_a_high_half_at_the_end_is_open() -> None:
    assert open_half("a\ud83d") == "\ud83d"
    assert [open_half(text) for text in ("", "a", "\ud83da", "\ude00")] == [""] * 4
