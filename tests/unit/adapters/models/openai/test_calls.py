"""Tool calls, however a server marks their pieces."""

import json
import time
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.adapters.models.openai.judge import heard
from tests.unit.adapters.models.speech import chunk, fed, sse

from prosa.adapters.models.openai.decode import OpenAIDecoder, whole
from prosa.domain.content import ThinkingPart
from prosa.domain.models import (
    Finish,
    FinishReason,
    ModelEvent,
    TextDelta,
    Thought,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
)

DONE = b"data: [DONE]\n\n"
MISSING: Any = object()


def piece(
    index: int | None = None, identity: Any = None, name: str | None = None, arguments: Any = MISSING
) -> dict[str, Any]:
    """One entry of `tool_calls` with only what is given."""
    function: dict[str, Any] = {} if name is None else {"name": name}
    if arguments is not MISSING:
        function["arguments"] = arguments
    said: dict[str, Any] = {"function": function}
    if index is not None:
        said["index"] = index
    if identity is not None:
        said["id"] = identity
    return said


def calls_of(events: list[ModelEvent]) -> list[tuple[str, str]]:
    """The names and arguments of the calls, after checking that each is begun, told and ended in order."""
    state: dict[str, str] = {}
    for event in events:
        match event:
            case ToolCallStart(identity):
                assert identity
                assert identity not in state
                state[identity] = "open"
            case ToolCallDelta(identity, text):
                assert text
                assert state[identity] == "open"
            case ToolCallEnd(identity):
                assert state[identity] == "open"
                state[identity] = "over"
            case _:
                pass
    assert set(state.values()) <= {"over"}
    return [(name, arguments) for _, name, arguments in heard(events).calls]


def streamed(*chunks: list[dict[str, Any]]) -> list[ModelEvent]:
    stream = b"".join(chunk({"tool_calls": pieces}) for pieces in chunks)
    return fed(OpenAIDecoder(), [stream + chunk({}, "tool_calls") + DONE])


A, B = ("f", '{"a":1}'), ("g", '{"b":2}')
WAYS: dict[str, tuple[list[list[dict[str, Any]]], list[tuple[str, str]]]] = {
    "by index, in turns": (
        [
            [piece(0, "x", "f", "")],
            [piece(1, "y", "g", "")],
            [piece(0, None, None, '{"a"'), piece(1, None, None, '{"b"')],
            [piece(1, None, None, ":2}")],
            [piece(0, None, None, ":1}")],
        ],
        [A, B],
    ),
    "id and name again with every piece": (
        [
            [piece(0, "x", "f", '{"a"')],
            [piece(0, "x", "f", ":1}")],
            [piece(1, "y", "g", '{"b"')],
            [piece(1, "y", "g", ":2}")],
        ],
        [A, B],
    ),
    "a name again with every piece, never an id": (
        [[piece(0, None, "f", '{"a"')], [piece(0, None, "f", ":1}")]],
        [A],
    ),
    "empty ids and names with later pieces": (
        [[piece(0, "x", "f", '{"a"')], [piece(0, "", "", ":1}")]],
        [A],
    ),
    "whole calls in one event, without index": ([[piece(None, "x", *A), piece(None, "y", *B)]], [A, B]),
    "whole calls, without index or id": ([[piece(None, None, *A)], [piece(None, None, *B)]], [A, B]),
    "whole calls of one function, without index or id": (
        [[piece(None, None, *A)], [piece(None, None, "f", '{"a":2}')]],
        [A, ("f", '{"a":2}')],
    ),
    "whole calls, all at one index": ([[piece(0, "x", *A)], [piece(0, "y", *B)]], [A, B]),
    "whole calls of one function, all at one index with no id": (
        [[piece(0, "", *A)], [piece(0, "", "f", '{"a":2}')]],
        [A, ("f", '{"a":2}')],
    ),
    "other functions, all at one index with no id": ([[piece(0, None, *A)], [piece(0, None, *B)]], [A, B]),
    "pieces without index": (
        [
            [piece(None, "x", "f", "")],
            [piece(None, None, None, '{"a"')],
            [piece(None, None, None, ":1}")],
            [piece(None, "y", "g", "")],
            [piece(None, None, None, '{"b":2}')],
        ],
        [A, B],
    ),
    "pieces by id alone, in turns": (
        [
            [piece(None, "x", "f", '{"a"'), piece(None, "y", "g", '{"b"')],
            [piece(None, "x", None, ":1}"), piece(None, "y", None, ":2}")],
        ],
        [A, B],
    ),
    "the name after the id": (
        [[piece(0, "x")], [piece(0, "x", "f")], [piece(0, None, None, '{"a":1}')]],
        [A],
    ),
    "the arguments before the name": (
        [[piece(0, "x", None, '{"a"')], [piece(0, None, None, ":1")], [piece(0, None, "f", "}")]],
        [A],
    ),
    "never a name": ([[piece(0, "x", None, '{"a":1}')]], [("", '{"a":1}')]),
    "arguments as an object": ([[piece(0, "x", "f", {"a": 1})]], [A]),
    "arguments as null": ([[piece(0, "x", "f", None)], [piece(0, None, None, '{"a":1}')]], [A]),
    "no arguments": ([[piece(0, "x", "f")]], [("f", "")]),
    "one id twice": (
        [[piece(0, "x", *A)], [piece(1, "x", *B)]],
        [A, B],
    ),
    "another id with every piece": (
        [
            [piece(0, "x", "f", "")],
            [piece(0, "y", None, '{"a"'), piece(1, "z", "g", '{"b"')],
            [piece(0, "w", "", ":1}"), piece(1, "v", None, ":2}")],
        ],
        [A, B],
    ),
    "an id before its name, all at one index": (
        [[piece(0, "x", *A)], [piece(0, "y")], [piece(0, "y", "g", '{"b"')], [piece(0, "y", None, ":2}")]],
        [A, B],
    ),
    "a number for an id": ([[piece(0, 7, *A)]], [A]),
    "nothing at all": ([[piece(0)], [piece(None)], [{"index": 0}], []], []),
}


@pytest.mark.parametrize(("chunks", "calls"), WAYS.values(), ids=WAYS)
def test_in_a_stream(chunks: list[list[dict[str, Any]]], calls: list[tuple[str, str]]) -> None:
    events = streamed(*chunks)
    assert calls_of(events) == calls
    assert events[-1] == Finish(FinishReason.TOOL_CALLS if calls else FinishReason.STOP)


def answer(message: dict[str, Any], reason: str = "tool_calls") -> bytes:
    return json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": reason}]}).encode()


@pytest.mark.parametrize(
    "pieces",
    [
        [piece(None, "x", *A), piece(None, "y", *B)],
        [piece(None, None, *A), piece(None, None, *B)],
        [piece(0, "x", *A), piece(0, "x", *B)],
        [piece(None, "x", "f", {"a": 1}), piece(None, "y", "g", {"b": 2})],
    ],
)
def test_in_one_piece_each_entry_is_a_call(pieces: list[dict[str, Any]]) -> None:
    events = whole(answer({"content": "Vou ver.", "tool_calls": pieces}), OpenAIDecoder())
    assert events[0] == TextDelta("Vou ver.")
    assert calls_of(events) == [A, B]


@pytest.mark.parametrize("extra", [{"google": {"thought_signature": "c2ln"}}, {"google": 3}, 3, None])
def test_geminis_signature_is_a_thought_before_its_call(extra: Any) -> None:
    signed = {**piece(0, "x", *A), "extra_content": extra}
    stream = chunk({"tool_calls": [signed, piece(1, "y", *B)]}, "tool_calls") + DONE
    thought = Thought(ThinkingPart(signature="c2ln", provider="gemini"))
    expected = [thought] if isinstance(extra, dict) and extra["google"] != 3 else []
    for events in (
        fed(OpenAIDecoder("gemini", returning=True), [stream]),
        whole(answer({"tool_calls": [signed, piece(1, "y", *B)]}), OpenAIDecoder("gemini", returning=True)),
    ):
        assert calls_of(events) == [A, B]
        assert [event for event in events if isinstance(event, Thought)] == expected
        assert not expected or events[0] == thought
    assert not any(isinstance(event, Thought) for event in fed(OpenAIDecoder(), [stream]))


def test_the_form_of_before() -> None:
    begun = chunk({"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": ""}})
    stream = begun + chunk({"function_call": {"arguments": '{"a"'}})
    stream += chunk({"function_call": {"arguments": ":1}"}}) + chunk({}, "function_call") + DONE
    events = fed(OpenAIDecoder(), [stream])
    assert calls_of(events) == [A]
    assert events[-1] == Finish(FinishReason.TOOL_CALLS)
    old = answer({"content": None, "function_call": {"name": "f", "arguments": '{"a":1}'}}, "function_call")
    assert calls_of(whole(old, OpenAIDecoder())) == [A]


def test_a_call_that_was_prescribed_ends_with_stop_on_the_wire() -> None:
    stream = chunk({"tool_calls": [piece(0, "x", *A)]}) + chunk({}, "stop") + DONE
    assert fed(OpenAIDecoder(), [stream])[-1] == Finish(FinishReason.TOOL_CALLS)


def test_a_call_that_ran_out_of_tokens_ends_with_length() -> None:
    stream = chunk({"tool_calls": [piece(0, "x", "f", '{"a"')]}) + chunk({}, "length") + DONE
    events = fed(OpenAIDecoder(), [stream])
    assert calls_of(events) == [("f", '{"a"')]
    assert events[-1] == Finish(FinishReason.LENGTH)


fragments = st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), max_size=5)


@settings(deadline=None)
@given(
    spoken=st.lists(fragments, min_size=1, max_size=4),
    repeated=st.booleans(),
    data=st.data(),
)
def test_any_interleaving_and_any_cut(spoken: list[list[str]], repeated: bool, data: st.DataObject) -> None:
    """Each call begins in its order, then its pieces come in any order among the others', cut anywhere."""
    order = [index for index, pieces in enumerate(spoken) for _ in pieces]
    order = data.draw(st.permutations(order))
    stream = b"".join(
        chunk({"tool_calls": [piece(index, f"id{index}", f"f{index}", "")]}) for index in range(len(spoken))
    )
    rest = [list(pieces) for pieces in spoken]
    for index in order:
        more = (f"id{index}", f"f{index}") if repeated else (None, None)
        stream += chunk({"tool_calls": [piece(index, *more, rest[index].pop(0))]})
    stream += chunk({}, "tool_calls") + DONE
    places = [0, *sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12))), len(stream)]
    events = fed(OpenAIDecoder(), [stream[start:end] for start, end in pairwise(places)])
    assert calls_of(events) == [(f"f{index}", "".join(pieces)) for index, pieces in enumerate(spoken)]
    assert [call[0] for call in heard(events).calls] == [f"id{index}" for index in range(len(spoken))]


def seconds(count: int) -> float:
    """What it costs to read the arguments of a call in `count` pieces."""
    decoder = OpenAIDecoder()
    decoder.feed(chunk({"tool_calls": [piece(0, "x", "f", "{")]}))
    pieces = [chunk({"tool_calls": [piece(0, None, None, "}{x")]})] * count
    began = time.process_time()
    told = sum(len(decoder.feed(data)) for data in pieces)
    assert told == count
    return time.process_time() - began


@pytest.mark.hostile(32)
def test_a_hundred_thousand_pieces_cost_a_hundred_times_a_thousand() -> None:
    few, many = min(seconds(1_000) for _ in range(5)), seconds(100_000)
    assert many < 100 * few * 4


def test_a_second_answer_calls_nothing() -> None:
    other = {"index": 1, "delta": {"tool_calls": [piece(0, "x", *A)]}, "finish_reason": None}
    events = fed(OpenAIDecoder(), [sse({"choices": [other]}) + chunk({"content": "Oi"}, "stop")])
    assert events == [TextDelta("Oi"), Finish(FinishReason.STOP)]
