"""What Anthropic's streams may do that no recording shows."""

import json
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.adapters.models.anthropic.judge import REASONS, assembled, heard, judged, read
from tests.unit.adapters.models.speech import fed, message, text_of

from prosa.adapters.models.anthropic.blocks import OURS
from prosa.adapters.models.anthropic.decode import AnthropicDecoder, input_tokens, whole
from prosa.domain.content import TextPart, ThinkingPart, ToolCall
from prosa.domain.errors import BrokenStream, ProviderError, ProviderOverloaded
from prosa.domain.models import (
    Finish,
    FinishReason,
    ModelEvent,
    RefusalDelta,
    TextDelta,
    ThinkingDelta,
    Thought,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    Usage,
    UsageReport,
)

SSE = {"status": 200, "framing": "sse"}
COUNTS = {"input_tokens": 3, "output_tokens": 1}
OPENING = message("message_start", message={"id": "msg_1", "type": "message", "role": "assistant", "model": "m",
                                            "content": [], "usage": COUNTS})  # fmt: skip


def start(index: int, **block: Any) -> bytes:
    return message("content_block_start", index=index, content_block=block)


def call(index: int, given: Any = None, name: str = "clock") -> bytes:
    return start(index, type="tool_use", id=f"toolu_{index}", name=name, input=given or {})


def add(index: int, kind: str, **told: Any) -> bytes:
    return message("content_block_delta", index=index, delta={"type": f"{kind}_delta", **told})


def args(index: int, piece: str) -> bytes:
    return add(index, "input_json", partial_json=piece)


def stop(*indices: int) -> bytes:
    return b"".join(message("content_block_stop", index=index) for index in indices)


def end(reason: str = "end_turn", sequence: str | None = None, **more: Any) -> bytes:
    delta = {"stop_reason": reason, "stop_sequence": sequence, **more}
    return message("message_delta", delta=delta, usage={"output_tokens": 9}) + message("message_stop")


def events(*frames: bytes) -> list[ModelEvent]:
    """What is told between the usage and the end."""
    told = fed(AnthropicDecoder(), [b"".join(frames)])
    return [event for event in told if not isinstance(event, UsageReport | Finish)]


def test_blocks_that_are_open_side_by_side() -> None:
    told = events(
        OPENING,
        call(1),
        call(2),
        args(1, '{"a"'),
        args(2, "{"),
        args(1, ": 1}"),
        args(2, "}"),
        stop(1),
        stop(2),
        end("tool_use"),
    )
    assert told == [
        ToolCallStart("toolu_1", "clock"),
        ToolCallStart("toolu_2", "clock"),
        ToolCallDelta("toolu_1", '{"a"'),
        ToolCallDelta("toolu_2", "{"),
        ToolCallDelta("toolu_1", ": 1}"),
        ToolCallDelta("toolu_2", "}"),
        ToolCallEnd("toolu_1"),
        ToolCallEnd("toolu_2"),
    ]


@pytest.mark.parametrize(
    ("frames", "arguments"),
    [
        (call(0) + stop(0), "{}"),
        (call(0) + args(0, "") + stop(0), "{}"),
        (call(0, {"a": 1}) + stop(0), '{"a":1}'),
        (call(0, {"a": 1}) + args(0, '{"b": 2}') + stop(0), '{"b": 2}'),
        (call(0) + args(0, '{"b": '), '{"b": '),
        (call(0), "{}"),
        (start(0, type="tool_use", id="toolu_0", name="clock"), "{}"),
    ],
)
def test_arguments(frames: bytes, arguments: str) -> None:
    parts = assembled(fed(AnthropicDecoder(), [OPENING + frames + end("tool_use")]))
    assert parts == (ToolCall("toolu_0", "clock", arguments),)


def test_calls_without_ids_or_with_one_id_have_their_own() -> None:
    frames = [
        start(place, type="tool_use", id=given, name="clock") for place, given in enumerate([None, "x", "x"])
    ]
    parts = assembled(fed(AnthropicDecoder(), [OPENING, *frames, end("tool_use")]))
    assert len({part.id for part in parts if isinstance(part, ToolCall) and part.id}) == 3


def test_thoughts() -> None:
    told = events(
        start(0, type="thinking", thinking="", signature=""),
        add(0, "thinking", thinking="Hm"),
        add(0, "thinking", thinking=", sim"),
        add(0, "signature", signature="sig=="),
        stop(0),
        start(1, type="redacted_thinking", data="blob=="),
        stop(1),
        start(2, type="thinking", thinking="", signature="withheld=="),
        start(3, type="thinking", thinking="Livre", signature=""),
        stop(2, 3),
        end(),
    )
    assert told == [
        ThinkingDelta("Hm, sim"),
        Thought(ThinkingPart("Hm, sim", "sig==", provider="anthropic")),
        Thought(ThinkingPart(redacted="blob==", provider="anthropic")),
        ThinkingDelta("Livre"),
        Thought(ThinkingPart("", "withheld==", provider="anthropic")),
    ]


def test_a_thought_without_an_opening_or_an_end() -> None:
    told = events(add(0, "thinking", thinking="Hm"), add(0, "signature", signature="s"), end())
    assert told == [ThinkingDelta("Hm"), Thought(ThinkingPart("Hm", "s", provider="anthropic"))]


def test_what_is_not_the_models_word_is_left_out() -> None:
    told = events(
        OPENING,
        start(0, type="server_tool_use", id="srvtoolu_1", name="web_search", input={}),
        args(0, '{"query": "x"}'),
        stop(0),
        start(1, type="web_search_tool_result", tool_use_id="srvtoolu_1", content=[{"title": "x"}]),
        stop(1),
        start(2, type="text", text="Olá", citations=[]),
        add(2, "citations", citation={"type": "web_search_result_location", "cited_text": "x"}),
        message("ping"),
        add(2, "text", text="!"),
        stop(2),
        start(3, type="yet_to_come", text={"a": 1}, input=[1], data=[]),
        add(3, "unheard_of", piece="x", text="x"),
        stop(3),
        start(4),
        start(4, type=["text"], text="x"),
        message("content_block_start", index=5, content_block=None),
        end(),
    )
    assert told == [TextDelta("Olá!")]


@pytest.mark.parametrize("reason", [*REASONS, "yet_to_come"])
def test_each_reason_to_stop(reason: str) -> None:
    called = call(0) + stop(0) if reason == "tool_use" else b""
    sequence = "fim" if reason == "stop_sequence" else None
    finish = Finish(REASONS.get(reason, FinishReason.STOP), sequence)
    assert fed(AnthropicDecoder(), [OPENING + called + end(reason, sequence)])[-1] == finish


def test_a_refusal_without_a_word_is_told_in_the_providers() -> None:
    details = {"type": "refusal", "category": "cyber", "explanation": "Isto não."}
    said = start(0, type="text", text="") + add(0, "text", text="Bem")
    assert events(OPENING, end("refusal", stop_details=details)) == [RefusalDelta("Isto não.")]
    assert events(OPENING, said, end("refusal", stop_details=details)) == [TextDelta("Bem")]
    assert events(OPENING, end("refusal", stop_details={"explanation": 3})) == []


def test_usage_in_two_parts() -> None:
    first = {"input_tokens": 5, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 40}
    stream = message("message_start", message={"usage": {**first, "output_tokens": 1}})
    last = {"input_tokens": None, "output_tokens": 9, "output_tokens_details": {"thinking_tokens": 4}}
    stream += message("message_delta", delta={"stop_reason": "end_turn"}, usage=last)
    told = [event.usage for event in fed(AnthropicDecoder(), [stream]) if isinstance(event, UsageReport)]
    assert told == [Usage(145, 1, 100, 0, 40), Usage(145, 9, 100, 4, 40)]


@pytest.mark.parametrize("block", [{"type": "text", "text": 3}, {"type": "tool_use", "id": ["x"]}])
def test_a_block_of_ours_that_cannot_be_one_breaks_the_answer(block: dict[str, Any]) -> None:
    with pytest.raises(BrokenStream):
        fed(AnthropicDecoder(), [OPENING + start(0, **block) + end()])
    with pytest.raises(BrokenStream):
        whole(json.dumps({"type": "message", "content": [block], "stop_reason": "end_turn"}).encode())


@pytest.mark.parametrize("size", [0, 1, 7])
def test_halves_of_characters_in_arguments_and_thoughts(size: int) -> None:
    halves = OPENING + start(0, type="thinking", thinking="", signature="s")
    halves += add(0, "thinking", thinking="@1") + add(0, "thinking", thinking="@2") + stop(0)
    halves += call(1) + args(1, '"@1') + args(1, '@2"') + stop(1) + end("tool_use")
    halves = halves.replace(b"@1", rb"\ud83c").replace(b"@2", rb"\udf0d")
    assert assembled(read(SSE, halves, size)) == (
        ThinkingPart("🌍", "s", provider="anthropic"),
        ToolCall("toolu_1", "clock", '"🌍"'),
    )


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"{}", b'{"type": "message", "content": 3}', b"<html>"]
)
def test_a_whole_answer_that_is_none_is_broken(body: bytes) -> None:
    with pytest.raises(BrokenStream):
        whole(body)


def test_a_complaint_in_place_of_a_whole_answer() -> None:
    with pytest.raises(ProviderOverloaded):
        whole(b'{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}')


def test_a_whole_answer_of_nothing() -> None:
    told = whole(b'{"type": "message", "content": null, "stop_reason": "end_turn"}')
    assert told == [Finish(FinishReason.STOP)]


def test_a_whole_answer_with_lone_halves() -> None:
    body = (
        rb'{"type": "message", "content": [{"type": "text", "text": "a\ud83c"}], "stop_reason": "end_turn"}'
    )
    assert text_of(list(whole(body))) == "a\ufffd"
    called = rb'{"type": "tool_use", "id": "x", "name": "y", "input": {"a": "\ud83c", "b": "\ud83c\udf0d"}}'
    body = b'{"type": "message", "content": [%b], "stop_reason": "tool_use"}' % called
    assert assembled(list(whole(body))) == (ToolCall("x", "y", '{"a": "\ufffd", "b": "🌍"}'),)


def test_counts_that_can_be_believed() -> None:
    assert input_tokens(b'{"input_tokens": 14}') == 14
    assert input_tokens(b'{"input_tokens": -1}') is input_tokens(b"{}") is None
    with pytest.raises(BrokenStream):
        input_tokens(b"[]")


WORDS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=8)
INPUTS = st.dictionaries(WORDS, st.integers(-9, 9) | WORDS | st.lists(WORDS, max_size=2), max_size=3)
SPOKEN = st.lists(
    st.one_of(
        st.tuples(st.just("text"), WORDS),
        st.tuples(st.just("thinking"), WORDS),
        st.tuples(st.just("redacted_thinking"), st.just("blob==")),
        st.tuples(st.just("server_tool_use"), INPUTS),
    ),
    max_size=4,
)


def spoken(index: int, kind: str, said: Any) -> bytes:
    """One block from its opening to its end, a character a piece."""
    match kind:
        case "text":
            inner = start(index, type=kind, text="") + b"".join(add(index, kind, text=char) for char in said)
        case "thinking":
            inner = start(index, type=kind, thinking="", signature="")
            inner += b"".join(add(index, kind, thinking=char) for char in said)
            inner += add(index, "signature", signature=f"sig{index}")
        case "redacted_thinking":
            inner = start(index, type=kind, data=said)
        case _:
            inner = start(index, type=kind, id=f"srvtoolu_{index}", name="web_search", input={})
            inner += args(index, json.dumps(said))
    return inner + stop(index)


def interleaved(first: int, inputs: list[Any], order: list[int]) -> bytes:
    """Calls that are open side by side, their pieces in any order."""
    waiting = [
        [args(first + place, char) for char in json.dumps(value)] for place, value in enumerate(inputs)
    ]
    pieces = [waiting[turn].pop(0) for turn in order if turn < len(waiting) and waiting[turn]]
    pieces += [piece for rest in waiting for piece in rest]
    places = range(first, first + len(inputs))
    return b"".join([*map(call, places), *pieces, stop(*places)])


@settings(deadline=None, max_examples=150)
@given(
    blocks=SPOKEN,
    inputs=st.lists(INPUTS, max_size=3),
    order=st.lists(st.integers(0, 2), max_size=60),
    data=st.data(),
)
def test_any_answer_cut_anywhere_is_read_as_the_client_reads_it(
    blocks: list[Any], inputs: list[Any], order: list[int], data: st.DataObject
) -> None:
    stream = OPENING + b"".join(spoken(place, *block) for place, block in enumerate(blocks))
    stream += interleaved(len(blocks), inputs, order) + end("tool_use" if inputs else "end_turn")
    places = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=9)))
    parts = [stream[begin:until] for begin, until in pairwise([0, *places, len(stream)])]
    assert heard(fed(AnthropicDecoder(), parts)) == judged(SSE, stream)


def test_text_is_one_part_though_other_blocks_lie_between() -> None:
    frames = (
        start(0, type="text", text="a")
        + stop(0)
        + start(1, type="server_tool_use", id="x", name="y", input={})
    )
    frames += stop(1) + start(2, type="text", text="b") + stop(2)
    assert assembled(fed(AnthropicDecoder(), [OPENING + frames + end()])) == (TextPart("ab"),)


@pytest.mark.hostile(32)
def test_arguments_in_a_hundred_thousand_pieces() -> None:
    said = json.dumps({"text": "x" * 99_990})
    decoder = AnthropicDecoder()
    told = decoder.feed(OPENING + call(0))
    for char in said:
        told += decoder.feed(args(0, char))
    told += decoder.feed(stop(0) + end("tool_use"))
    assert assembled(told + decoder.end()) == (ToolCall("toolu_0", "clock", said),)


FIELDS = ["type", "content", "stop_reason", "stop_details", "usage", "index", "delta", "text", "thinking",
          "content_block", "signature", "data", "id", "name", "input", "error", "input_tokens"]  # fmt: skip
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.sampled_from([*OURS]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5),
    max_leaves=4,
)
ONE = st.fixed_dictionaries({"type": st.sampled_from([*OURS]) | ANY}, optional=dict.fromkeys(FIELDS[1:], ANY))
TOLD = st.fixed_dictionaries(
    {"type": st.sampled_from(["message", "error"])},
    optional={**dict.fromkeys(FIELDS[1:], ANY), "content": st.lists(ONE, max_size=3), "content_block": ONE},
)


@settings(deadline=None)
@given(
    told=TOLD, kind=st.sampled_from(["message_delta", "content_block_start", "content_block_delta", "error"])
)
def test_any_value_is_survived(told: dict[str, Any], kind: str) -> None:
    """Whatever stands in the fields, an answer ends as one or with an error of the domain."""
    body = json.dumps(told).encode()
    frame = json.dumps({**told, "type": kind}).encode()
    for answer in (
        lambda: whole(body),
        lambda: fed(AnthropicDecoder(), [OPENING + b"data: " + frame + b"\n\n"]),
    ):
        with suppress(ProviderError):
            assert isinstance(answer()[-1], Finish)
