"""Cursors: what was put in comes out, and nothing else is taken."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosa.kit.pages import from_cursor, to_cursor

keys = st.lists(
    st.integers(-(2**63), 2**64 - 1) | st.text(st.characters(exclude_categories=["Cs"])), max_size=4
)


@given(keys)
def test_keys_come_back(those: list[int | str]) -> None:
    cursor = to_cursor(*those)
    assert from_cursor(cursor) == those
    assert cursor.isascii()
    assert not set(cursor) & set("+/=&? #")


@pytest.mark.hostile(27)
@given(st.text(st.characters(exclude_categories=[])))
def test_whatever_else_is_sent_is_refused_or_understood(cursor: str) -> None:
    found = from_cursor(cursor)
    assert found is None or all(isinstance(each, int | str) for each in found)


@pytest.mark.hostile(27)
@pytest.mark.parametrize(
    "inner", [b"", b"null", b"{}", b"[null]", b"[[1]]", b"[1.5]", b"[true]", b"[1", b"\xff", b"[" * 10_000]
)
def test_only_flat_lists_of_keys(inner: bytes) -> None:
    assert from_cursor(base64.urlsafe_b64encode(inner).decode().rstrip("=")) is None


@pytest.mark.parametrize("cursor", ["", "é", "WzFd!", "'; DROP TABLE runs; --", "W", "\ud800"])
def test_not_ours(cursor: str) -> None:
    assert from_cursor(cursor) is None
