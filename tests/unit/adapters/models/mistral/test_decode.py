"""What Mistral's wire can bring that no recording has."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.json import decode, encode
from tests.unit.adapters.models.mistral.judge import assembled, judged, read
from tests.unit.adapters.models.speech import chunk, counts, fed, sse

from prosa.adapters.models.mistral.cards import cards, embeddings
from prosa.adapters.models.mistral.decode import MistralDecoder, whole
from prosa.domain.content import TextPart, ThinkingPart, ToolCall
from prosa.domain.errors import BrokenStream, ContextTooLong, ProviderError, RateLimited
from prosa.domain.models import (
    Finish,
    FinishReason,
    TextDelta,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    Usage,
    UsageReport,
)

DONE = b"data: [DONE]\n\n"
STREAMED: dict[str, Any] = {"status": 200, "framing": "sse"}


def call(arguments: Any, name: str | None = None, **more: Any) -> dict[str, Any]:
    return {"function": {"arguments": arguments, "name": name}, **more}


def called(*chunks: list[dict[str, Any]]) -> list[ToolCall]:
    """The calls of a stream that has these pieces."""
    stream = b"".join(chunk({"tool_calls": pieces}) for pieces in chunks) + chunk({}, "tool_calls") + DONE
    events = fed(MistralDecoder(), [stream])
    assert events[-1] == Finish(FinishReason.TOOL_CALLS)
    return [part for part in assembled(events) if isinstance(part, ToolCall)]


def test_calls_that_come_whole_and_together() -> None:
    pieces = [call('{"x": 1}', "add", id="abcdefghi", index=0), call("{}", "ping", id="jklmnopqr", index=1)]
    stream = chunk({"tool_calls": pieces}, "tool_calls") + DONE
    assert fed(MistralDecoder(), [stream]) == [
        ToolCallStart("abcdefghi", "add"),
        ToolCallDelta("abcdefghi", '{"x": 1}'),
        ToolCallStart("jklmnopqr", "ping"),
        ToolCallDelta("jklmnopqr", "{}"),
        ToolCallEnd("abcdefghi"),
        ToolCallEnd("jklmnopqr"),
        Finish(FinishReason.TOOL_CALLS),
    ]


def test_calls_in_pieces() -> None:
    expected = [ToolCall("abcdefghi", "add", '{"x": 1}'), ToolCall("jklmnopqr", "add", '{"x": 2}')]
    by_index = called(
        [call('{"x"', "add", id="abcdefghi", index=0), call('{"x"', "add", id="jklmnopqr", index=1)],
        [call(": 1", index=0), call(": 2", index=1)],
        [call("}", index=1, id="null"), call("}", "", index=0, id="null")],
    )
    by_id = called(
        [call('{"x"', "add", id="abcdefghi")],
        [call('{"x": 2}', "add", id="jklmnopqr"), call(": 1}", id="abcdefghi")],
    )
    by_order = called(
        [call('{"x"', "add", id="abcdefghi"), call(": 1}")], [call('{"x": 2}', "add", id="jklmnopqr")]
    )
    assert by_index == by_id == by_order == expected


def test_an_index_that_is_always_0_is_not_believed() -> None:
    found = called([call("{}", "a", id="abcdefghi", index=0)], [call("{}", "b", id="jklmnopqr", index=0)])
    assert [made.name for made in found] == ["a", "b"]


def test_calls_without_ids_get_some() -> None:
    found = called([call("{}", "a", id="null"), call("{}", "b", id=None)], [call("{}", "c")])
    assert [made.name for made in found] == ["a", "b", "c"]
    assert len({made.id for made in found} - {"", "null"}) == 3


@pytest.mark.parametrize(
    ("arguments", "text"), [({"x": [1, 2.5, "é"]}, '{"x":[1,2.5,"é"]}'), ({}, "{}"), ('{"x": 1}', '{"x": 1}')]
)
def test_arguments_as_an_object(arguments: Any, text: str) -> None:
    [found] = called([call(arguments, "add", id="abcdefghi")])
    assert found.arguments == text


def test_numbers_of_an_object_beyond_64_bits() -> None:
    stream = chunk({"tool_calls": [call({"x": 0}, "add", id="abcdefghi")]}, "tool_calls")
    stream = stream.replace(b'"x":0', b'"x":123456789012345678901234567890')
    [found] = [part for part in assembled(fed(MistralDecoder(), [stream])) if isinstance(part, ToolCall)]
    assert found.arguments == '{"x":123456789012345678901234567890}'


words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8)
pieces = st.one_of(
    words,
    st.tuples(st.just("text"), words).map(lambda made: [{"type": made[0], "text": made[1]}]),
    words.map(lambda text: [{"type": "thinking", "thinking": [{"type": "text", "text": text}]}]),
    st.just([{"type": "reference", "reference_ids": [1, "a"]}]),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(pieces, max_size=12))
def test_any_mixture_of_contents_is_read_as_the_official_client_does(contents: list[Any]) -> None:
    stream = b"".join(chunk({"content": content}) for content in contents)
    stream += chunk({"content": ""}, "stop", usage=counts(3, 2)) + DONE
    stream = stream.replace(b'"id":"x"', b'"id":"x","model":"m"')
    parts = assembled(read(STREAMED, stream))
    theirs = judged(STREAMED, stream)
    assert "".join(part.text for part in parts if isinstance(part, TextPart)) == theirs.text
    assert "".join(part.text for part in parts if isinstance(part, ThinkingPart)) == theirs.thinking


def test_thoughts_keep_their_signature_and_their_place() -> None:
    def thinking(text: str, **more: Any) -> dict[str, Any]:
        return {"type": "thinking", "thinking": [{"type": "text", "text": text}], **more}

    contents = [[thinking("Hm")], [thinking("m", signature="s1")], "Sim", [thinking("Ou"), {"text": "não"}]]
    stream = b"".join(chunk({"content": content}) for content in contents) + chunk({}, "stop")
    assert assembled(fed(MistralDecoder(), [stream])) == (
        ThinkingPart("Hmm", "s1", provider="mistral"),
        TextPart("Sim"),
        ThinkingPart("Ou", provider="mistral"),
        TextPart("não"),
    )


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        ({**counts(9, 4), "prompt_tokens_details": {"cached_tokens": 8}}, Usage(9, 4, 8)),
        ({**counts(9, 4), "num_cached_tokens": 8}, Usage(9, 4, 8)),
        ({**counts(9, 4), "completion_tokens_details": {"reasoning_tokens": 3}}, Usage(9, 4, 0, 3)),
        ({**counts(9, 4), "prompt_tokens_details": None}, Usage(9, 4)),
        ({"prompt_tokens": 9}, None),
        ({"prompt_tokens": -1, "completion_tokens": 10**12}, None),
        ("many", None),
    ],
)
def test_usage(told: Any, usage: Usage | None) -> None:
    events = fed(MistralDecoder(), [chunk({"content": "a"}, "stop", usage=told)])
    assert [event.usage for event in events if isinstance(event, UsageReport)] == ([usage] if usage else [])


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("stop", FinishReason.STOP),
        ("length", FinishReason.LENGTH),
        ("model_length", FinishReason.LENGTH),
        ("tool_calls", FinishReason.STOP),
        ("yet_to_come", FinishReason.STOP),
    ],
)
def test_reasons(reason: str, expected: FinishReason) -> None:
    assert fed(MistralDecoder(), [chunk({"content": "a"}, reason)])[-1] == Finish(expected)


def test_a_second_choice_is_not_read() -> None:
    second = sse({"choices": [{"index": 1, "delta": {"content": "b"}, "finish_reason": "length"}]})
    events = fed(MistralDecoder(), [chunk({"content": "a"}) + second + chunk({}, "stop")])
    assert events == [TextDelta("a"), Finish(FinishReason.STOP)]


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        ({"object": "error", "message": "Rate limit exceeded", "type": "rate_limited"}, RateLimited),
        ({"error": {"message": "x", "type": "internal_server_error"}}, ProviderError),
        ({"detail": "Prompt contains 9 tokens, too large for model"}, ContextTooLong),
        ({"choices": [{"index": 0, "delta": {}, "finish_reason": "error"}]}, ProviderError),
    ],
)
def test_an_error_in_mid_stream(frame: Any, kind: type[ProviderError]) -> None:
    decoder = MistralDecoder()
    assert decoder.feed(chunk({"content": "Ol"}) + sse(frame)) == [TextDelta("Ol")]
    with pytest.raises(ProviderError) as raised:
        decoder.end()
    assert type(raised.value) is kind


def test_an_answer_in_one_piece() -> None:
    message = {"role": "assistant", "content": "Olá", "tool_calls": [call({"x": 1}, "add", id="abcdefghi")]}
    body = {"choices": [{"index": 0, "message": message, "finish_reason": "length"}], "usage": counts(3, 2)}
    events = whole(encode(body))
    assert assembled(events) == (TextPart("Olá"), ToolCall("abcdefghi", "add", '{"x":1}'))
    assert events[-2:] == [ToolCallEnd("abcdefghi"), Finish(FinishReason.LENGTH)]
    assert UsageReport(Usage(3, 2)) in events


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b"<html>", b'{"choices": []}', b'{"choices'])
def test_what_is_no_answer(body: bytes) -> None:
    with pytest.raises(BrokenStream):
        whole(body)


def test_an_error_in_the_place_of_an_answer() -> None:
    with pytest.raises(RateLimited):
        whole(encode({"object": "error", "message": "x", "type": "rate_limited"}))


@pytest.mark.hostile(32)
def test_arguments_in_very_many_pieces() -> None:
    opening = chunk({"tool_calls": [call('"', "add", id="abcdefghi", index=0)]})
    piece = chunk({"tool_calls": [call("x", index=0)]})
    decoder = MistralDecoder()
    events = fed(decoder, [opening, piece * 100_000, chunk({"tool_calls": [call('"')]}, "tool_calls")])
    assert len(events) < 10
    [found] = [part for part in assembled(events) if isinstance(part, ToolCall)]
    assert decode(found.arguments) == "x" * 100_000


@pytest.mark.parametrize("body", [b"", b"{}", b'{"data": 3}', b'{"data": [{}]}', b'{"data": [{"id": 3}]}'])
def test_lists_that_are_none(body: bytes) -> None:
    with pytest.raises(BrokenStream):
        cards(body)
    with pytest.raises(BrokenStream):
        embeddings(body, 1)


def test_vectors_stand_in_the_order_of_their_indexes() -> None:
    body = encode({"data": [{"index": 1, "embedding": [2]}, {"index": 0, "embedding": [1]}]})
    assert embeddings(body, 2).vectors == ((1.0,), (2.0,))
    with pytest.raises(BrokenStream):
        embeddings(body, 3)
