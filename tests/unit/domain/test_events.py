"""Events as lines: each can be read again, and no text breaks the framing around it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosa.domain.events import (
    Done,
    Error,
    Event,
    Gap,
    Start,
    Text,
    Thinking,
    Tokens,
    decode,
    encode,
    seq_of,
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
nasty = st.sampled_from(
    [
        "\n\nevent: done\ndata: {}\n\n",
        "\r",
        "\r\n\r\ndata: x",
        "\x00",
        "\u2028\u2029",
        '"},"seq":9}',
        "\\",
        "\ufeff",
    ]
)
words = st.builds("".join, st.lists(texts | nasty, max_size=3))
counts = st.integers(0, 2**53)
tokens = st.builds(Tokens, counts, counts, counts, counts, counts)
events = st.one_of(
    st.builds(Start, words, words, st.none() | words, words),
    st.builds(Text, words),
    st.builds(Thinking, words),
    st.builds(Gap, words),
    st.builds(
        Done, words, words, words, st.none() | tokens, st.none() | words, st.none() | st.just({"tokens": 3})
    ),
    st.builds(Error, words, words, st.booleans()),
)


@pytest.mark.hostile(31)
@given(events, st.integers(1, 2**53))
def test_a_line_is_one_line_and_says_what_was_meant(event: Event, seq: int) -> None:
    line = encode(event, seq)
    assert b"\n" not in line
    assert b"\r" not in line
    assert decode(line) == event
    assert seq_of(line) == seq


@given(events, st.integers(1, 2**53))
def test_any_json_reader_can_take_it(event: Event, seq: int) -> None:
    told = json.loads(encode(event, seq))
    assert told["seq"] == seq
    assert list(told)[-1] == "seq"
    assert ("content" in told) == isinstance(event, Text)
    assert ("type" in told) != isinstance(event, Text)


@pytest.mark.hostile(31)
@given(st.lists(words, min_size=1, max_size=5))
def test_joined_lines_come_apart_again(said: list[str]) -> None:
    """The journal joins lines with a line feed; a reader of the stream splits at blank lines."""
    lines = [encode(Text(each), seq) for seq, each in enumerate(said, 1)]
    stored = b"\n".join(lines)
    assert stored.split(b"\n") == lines
    frames = b"".join(b"data: %b\n\n" % line for line in lines)
    assert [decode(frame[6:]) for frame in frames.split(b"\n\n")[:-1]] == [Text(each) for each in said]


def test_names_on_the_wire() -> None:
    assert encode(Text("Olá"), 2) == '{"content":"Olá","seq":2}'.encode()
    assert json.loads(encode(Start("r", "c", None, "m"), 1)) == {
        "type": "start", "runId": "r", "conversationId": "c", "userMessageId": None, "messageId": "m", "seq": 1,
    }  # fmt: skip
    assert json.loads(encode(Gap("m"), 7)) == {"type": "gap", "messageId": "m", "seq": 7}
    done = Done("m", "completed", "stop", Tokens(1, 2, 3, 0, 0), "0.5")
    assert json.loads(encode(done, 9)) == {
        "type": "done", "messageId": "m", "status": "completed", "reason": "stop",
        "usage": {"promptTokens": 1, "completionTokens": 2, "totalTokens": 3, "cachedTokens": 0, "reasoningTokens": 0},
        "cost": "0.5", "remaining": None, "seq": 9,
    }  # fmt: skip
    assert json.loads(encode(Error("timeout", "Too long.", retryable=True), 3)) == {
        "type": "error", "code": "timeout", "message": "Too long.", "retryable": True, "seq": 3,
    }  # fmt: skip
