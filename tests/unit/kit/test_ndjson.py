"""Lines of JSON come out the same wherever their bytes are cut."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.shared import pieces

from prosa.kit.bounds import Oversized
from prosa.kit.ndjson import Lines


def read(parts: list[bytes]) -> list[bytes]:
    lines = Lines()
    return [line for part in parts for line in lines.payloads(part)] + lines.rest()


def test_lines_without_blank_ones() -> None:
    assert read([b'{"a": 1}\n\n  \r\n{"b": 2}\r\n']) == [b'{"a": 1}', b'{"b": 2}\r']


def test_the_last_line_needs_no_newline() -> None:
    assert read([b"1\n2"]) == [b"1", b"2"]


@settings(deadline=None)
@given(st.lists(st.sampled_from([b"{}", b"1", b"", b" "])), st.integers(1, 9), st.sampled_from([b"", b"\n"]))
def test_any_cut_gives_the_same(lines: list[bytes], size: int, end: bytes) -> None:
    stream = b"\n".join(lines) + end
    assert read(pieces(stream, size)) == read([stream])


@pytest.mark.parametrize("size", [0, 1, 7])
def test_a_line_beyond_the_limit_is_refused(size: int) -> None:
    lines = Lines(limit=64)
    lines.payloads(b"x" * 32 + b"\n" + b"x" * 32)
    parts = pieces(b"x" * 65 + b"\n", size)
    with pytest.raises(Oversized):
        [lines.payloads(part) for part in parts]
