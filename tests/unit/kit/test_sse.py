"""Server-sent events come out the same wherever their bytes are cut."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.shared import RECORDINGS, needs_recordings, pieces, recording

from prosa.kit.bounds import Oversized
from prosa.kit.sse import Event, Splitter

MIDDLE = 200
CASES: list[tuple[str, bytes, list[Event]]] = [
    ("plain", b"data: oi\n\n", [Event(b"oi")]),
    ("named", b"event: ping\ndata: {}\n\n", [Event(b"{}", "ping")]),
    ("name resets", b"event: a\ndata: 1\n\ndata: 2\n\n", [Event(b"1", "a"), Event(b"2")]),
    ("many lines", b"data: um\ndata\ndata:dois\n\n", [Event(b"um\n\ndois")]),
    ("no data, no event", b"event: a\n\nid: 7\n\n: hello\n\n", []),
    ("empty data counts", b"data\n\n", [Event(b"")]),
    ("one blank goes", b"data:  x\n\n", [Event(b" x")]),
    ("CRLF", b"data: a\r\n\r\ndata: b\r\n\r\n", [Event(b"a"), Event(b"b")]),
    ("CR", b"data: a\r\rdata: b\r\r", [Event(b"a"), Event(b"b")]),
    ("all three", b"data: a\r\ndata: b\rdata: c\n\n", [Event(b"a\nb\nc")]),
    ("mark", b"\xef\xbb\xbfdata: a\n\n", [Event(b"a")]),
    ("half a mark", b"\xef\xbbdata: a\n\ndata: b\n\n", [Event(b"b")]),
    ("id stays", b"id: 1\ndata: a\n\ndata: b\n\n", [Event(b"a", id="1"), Event(b"b", id="1")]),
    ("id with NUL", b"id: 1\n\nid: 2\0\ndata: a\n\n", [Event(b"a", id="1")]),
    ("id is emptied", b"id: 1\n\nid\ndata: a\n\n", [Event(b"a")]),
    ("unknown", b"foo: 1\nDATA: 2\n data: 3\ndata: 4\n\n", [Event(b"4")]),
    ("no last blank line", b"data: a\n\ndata: b\n", [Event(b"a")]),
    ("blank lines", b"\n\n\n\ndata: a\n\n\n\ndata: b\n\n\n", [Event(b"a"), Event(b"b")]),
    ("data that looks like the end of a line", b'data: "a\\n\\n"\n\n', [Event(b'"a\\n\\n"')]),
    (
        "two names, one datum",
        b"event: a\n\ndata: 1\n\nevent: b\ndata: 2\n\n",
        [Event(b"1"), Event(b"2", "b")],
    ),
]


def read(parts: list[bytes]) -> list[Event]:
    splitter = Splitter()
    return [event for part in parts for event in splitter.feed(part)]


def read_payloads(parts: list[bytes]) -> list[bytes]:
    splitter = Splitter()
    return [payload for part in parts for payload in splitter.payloads(part)]


def every_cut(stream: bytes) -> list[list[bytes]]:
    """Uncut, byte by byte, and in two at each place, but for the middle of very long ones."""
    places = [at for at in range(1, len(stream)) if min(at, len(stream) - at) < MIDDLE]
    return [[stream], pieces(stream, 1), *([stream[:at], stream[at:]] for at in places)]


@pytest.mark.parametrize(("stream", "events"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_events_at_every_cut(stream: bytes, events: list[Event]) -> None:
    for parts in every_cut(stream):
        assert read(parts) == events
        assert read_payloads(parts) == [event.data for event in events]


@pytest.mark.parametrize(
    "vector", recording("sse_vectors") if RECORDINGS.is_dir() else [], ids=lambda v: v["name"]
)
@needs_recordings
def test_vectors_of_the_standard(vector: Any) -> None:
    stream = vector["text"].encode()
    expected = [(event["event"], event["data"]) for event in vector["events"]]
    for parts in every_cut(stream):
        splitter = Splitter()
        events = [event for part in parts for event in splitter.feed(part)]
        assert [(event.event, event.data.decode()) for event in events] == expected
        assert splitter.retry == vector["retry"]
        assert read_payloads(parts) == [data.encode() for _, data in expected]


LINES = st.sampled_from(
    [
        b"data: {}",
        b"data:x",
        b"data",
        b"event: a",
        b"event",
        b"id: 3",
        b": c",
        b"",
        b"",
        b"retry: 5",
        b"\xef\xbb\xbf",
    ]
)
ENDS = st.sampled_from([b"\n", b"\n", b"\r\n", b"\r"])


@settings(deadline=None)
@given(st.lists(st.tuples(LINES, ENDS)), st.lists(st.integers(0, 200)))
def test_any_cut_gives_the_same(lines: list[tuple[bytes, bytes]], cuts: list[int]) -> None:
    stream = b"".join(line + end for line, end in lines)
    places = [0, *sorted(cuts), len(stream)]
    parts = [stream[start:end] for start, end in pairwise(places)]
    assert read(parts) == read([stream])
    assert read_payloads(parts) == read_payloads([stream]) == [event.data for event in read([stream])]


@pytest.mark.parametrize("feed", [Splitter.feed, Splitter.payloads])
@pytest.mark.parametrize("size", [0, 1, 7])
def test_an_event_beyond_the_limit_is_refused(feed: Callable[[Splitter, bytes], object], size: int) -> None:
    splitter = Splitter(limit=64)
    feed(splitter, (b"data: " + b"x" * 32 + b"\n\n") * 9)
    parts = pieces(b"data: " + b"x" * 64 + b"\n\n", size)
    with pytest.raises(Oversized):
        [feed(splitter, part) for part in parts]


def test_a_wait_that_nobody_means_is_ignored() -> None:
    splitter = Splitter()
    splitter.feed(b"retry: 1500\n\nretry: 99999999999999999999\n\nretry: -1\n\n")
    assert splitter.retry == 1500
