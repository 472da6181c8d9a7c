"""What Ollama's wire can bring that no recording has."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.json import encode
from tests.unit.adapters.models.ollama.judge import assembled, heard, judged, read
from tests.unit.adapters.models.speech import fed, line

from prosa.adapters.models.ollama.cards import cards, embedding, embeddings
from prosa.adapters.models.ollama.decode import OllamaDecoder, whole
from prosa.domain.content import ToolCall
from prosa.domain.errors import BrokenStream, ProviderError
from prosa.domain.models import (
    Finish,
    FinishReason,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    Usage,
    UsageReport,
)

STREAMED: dict[str, Any] = {"status": 200, "framing": "ndjson"}


def said(**message: Any) -> bytes:
    return line({"model": "m", "message": {"role": "assistant", "content": "", **message}, "done": False})


def end(reason: str = "stop", **more: Any) -> bytes:
    told = {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": reason}
    return line({**told, "prompt_eval_count": 3, "eval_count": 2, **more})


def call(name: str, arguments: Any, **more: Any) -> dict[str, Any]:
    return {"function": {"name": name, "arguments": arguments}, **more}


def test_a_call_without_a_name_is_told_as_one() -> None:
    for function in ({"name": None, "arguments": {}}, {}, None):
        [made] = assembled(fed(OllamaDecoder(), [said(tool_calls=[{"function": function}]) + end()]))
        assert isinstance(made, ToolCall)
        assert (made.name, made.arguments) == ("", "{}")


def test_calls_come_whole_and_may_lack_ids() -> None:
    stream = said(tool_calls=[call("add", {"x": 1}, id="call_1"), call("add", {"x": 2})])
    stream += said(tool_calls=[call("ping", {}, id="call_1")]) + end()
    events = fed(OllamaDecoder(), [stream])
    assert events[:3] == [
        ToolCallStart("call_1", "add"),
        ToolCallDelta("call_1", '{"x":1}'),
        ToolCallEnd("call_1"),
    ]
    assert events[-1] == Finish(FinishReason.TOOL_CALLS)
    calls = [part for part in assembled(events) if isinstance(part, ToolCall)]
    assert [(made.name, made.arguments) for made in calls] == [
        ("add", '{"x":1}'),
        ("add", '{"x":2}'),
        ("ping", "{}"),
    ]
    assert len({made.id for made in calls}) == 3


@pytest.mark.parametrize(
    ("arguments", "text"),
    [({"x": "é"}, '{"x":"é"}'), ('{"x": 1}', '{"x": 1}'), (None, "{}"), ("", "{}"), ({}, "{}")],
)
def test_arguments(arguments: Any, text: str) -> None:
    [made] = assembled(fed(OllamaDecoder(), [said(tool_calls=[call("add", arguments)]) + end()]))
    assert isinstance(made, ToolCall)
    assert made.arguments == text


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("stop", FinishReason.STOP),
        ("length", FinishReason.LENGTH),
        ("load", FinishReason.STOP),
        ("yet_to_come", FinishReason.STOP),
    ],
)
def test_reasons(reason: str, expected: FinishReason) -> None:
    assert fed(OllamaDecoder(), [end(reason)])[-1] == Finish(expected)


def test_a_call_that_was_cut_short_is_no_reason_to_call() -> None:
    stream = said(tool_calls=[call("add", {})]) + end("length")
    assert fed(OllamaDecoder(), [stream])[-1] == Finish(FinishReason.LENGTH)


@pytest.mark.parametrize(
    ("counts", "usage"),
    [
        ({}, Usage(3, 2)),
        ({"prompt_eval_cached_count": 2}, Usage(3, 2, 2)),
        ({"prompt_eval_count": None}, None),
        ({"eval_count": None}, None),
        ({"prompt_eval_count": -1}, None),
        ({"eval_count": "2"}, None),
    ],
)
def test_usage(counts: dict[str, Any], usage: Usage | None) -> None:
    """Where a prompt was cached nobody knows its length: then it is estimated, and not taken for none."""
    events = fed(OllamaDecoder(), [end(**counts)])
    assert [event.usage for event in events if isinstance(event, UsageReport)] == ([usage] if usage else [])


words = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=8)
"""Without the line breaks of Unicode, at which the official client (not the wire) cuts lines in two."""
calls = st.lists(st.tuples(words, st.dictionaries(words, words, max_size=2)), max_size=2)


@settings(deadline=None, max_examples=60)
@given(lines=st.lists(st.tuples(words, words, calls), max_size=8), length=st.booleans())
def test_any_mixture_is_read_as_the_official_client_does(
    lines: list[tuple[str, str, Any]], *, length: bool
) -> None:
    stream = b"".join(
        said(content=content, thinking=thinking, tool_calls=[call(*made) for made in called])
        for content, thinking, called in lines
    )
    stream += end("length" if length else "stop")
    assert heard(read(STREAMED, stream)) == judged(STREAMED, stream)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b"<html>", b'{"done": false}', b'{"message'])
def test_what_is_no_answer(body: bytes) -> None:
    with pytest.raises(BrokenStream):
        whole(body)


def test_only_newlines_end_lines() -> None:
    text = "a\u2028b\u0085c\x0bd"
    stream = said(content=text) + end()
    assert "\u2028".encode() in stream
    assert heard(read(STREAMED, stream)).text == text


def test_an_error_in_the_place_of_an_answer() -> None:
    with pytest.raises(ProviderError):
        whole(encode({"error": "unexpected EOF"}))


def test_an_error_ends_the_stream_without_a_last_line() -> None:
    decoder = OllamaDecoder()
    decoder.feed(said(content="Ol") + line({"error": "unexpected EOF"}))
    assert decoder.over
    with pytest.raises(ProviderError):
        decoder.end()


@pytest.mark.parametrize("body", [b"", b"{}", b'{"models": 3}', b'{"embeddings": 1}', b'{"embedding": []}'])
def test_lists_that_are_none(body: bytes) -> None:
    with pytest.raises(BrokenStream):
        cards(body)
    with pytest.raises(BrokenStream):
        embeddings(body, 1)
    with pytest.raises(BrokenStream):
        embedding(body)


def test_a_vector_for_each_text() -> None:
    with pytest.raises(BrokenStream):
        embeddings(b'{"embeddings": [[1], [2]]}', 3)
    assert embeddings(b'{"embeddings": [[1], [2]]}', 2).usage is None
