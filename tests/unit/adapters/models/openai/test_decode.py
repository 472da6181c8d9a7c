"""What servers of OpenAI's wire say in their own ways, and what a bad one can do."""

import json
import tracemalloc
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.adapters.models.openai.judge import heard
from tests.unit.adapters.models.speech import chunk, counts, fed, sse, text_of, usage_of

from prosa.adapters.models.openai.decode import OpenAIDecoder, whole
from prosa.domain.content import ThinkingPart
from prosa.domain.errors import (
    BrokenStream,
    ContentRefused,
    ProviderError,
    ProviderOverloaded,
    ProviderRefused,
    RateLimited,
)
from prosa.domain.models import (
    Finish,
    FinishReason,
    ModelEvent,
    RefusalDelta,
    TextDelta,
    ThinkingDelta,
    Thought,
    ToolCallStart,
    Usage,
)
from prosa.kit.bounds import LIMIT

DONE = b"data: [DONE]\n\n"
STOP = Finish(FinishReason.STOP)


def said(message: dict[str, Any], reason: str | None = "stop", **more: Any) -> bytes:
    """A whole answer."""
    return json.dumps(
        {"choices": [{"index": 0, "message": message, "finish_reason": reason}], **more}
    ).encode()


def test_a_whole_answer_is_told_in_the_order_of_a_stream() -> None:
    message = {
        "role": "assistant",
        "content": "Sim.",
        "reasoning_content": "Hm.",
        "refusal": None,
        "tool_calls": [{"id": "x", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
    }
    events = whole(said(message, "tool_calls", usage=counts(10, 20)), OpenAIDecoder())
    assert events[:3] == [ThinkingDelta("Hm."), TextDelta("Sim."), ToolCallStart("x", "f")]
    assert usage_of(events) == Usage(10, 20)
    assert events[-1] == Finish(FinishReason.TOOL_CALLS)


def test_a_whole_refusal() -> None:
    events = whole(said({"content": None, "refusal": "Não posso."}), OpenAIDecoder())
    assert events == [RefusalDelta("Não posso."), Finish(FinishReason.REFUSAL)]


def test_of_several_answers_the_first_is_told() -> None:
    choices = [{"index": at, "message": {"content": f"{at}"}, "finish_reason": "stop"} for at in range(3)]
    assert whole(json.dumps({"choices": choices}).encode(), OpenAIDecoder()) == [TextDelta("0"), STOP]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", BrokenStream),
        (b"{}", BrokenStream),
        (b"[]", BrokenStream),
        (b'{"choices": []}', BrokenStream),
        (b'{"choices": null, "usage": null}', BrokenStream),
        (b'{"choices": [{"message": {"content": "Me', BrokenStream),
        (b"<html></html>", BrokenStream),
        (b'{"choices": 3}', BrokenStream),
        (b'{"error": {"message": "no", "code": 400}}', ProviderRefused),
        (b'{"error": {"message": "no", "code": "429"}}', RateLimited),
        (
            b'{"error": {"message": "no", "innererror": {"code": "ResponsibleAIPolicyViolation"}}}',
            ContentRefused,
        ),
        (b'[{"error": {"message": "no", "status": "RESOURCE_EXHAUSTED"}}]', RateLimited),
        (b'{"object": "error", "message": "no", "type": "BadRequestError", "code": 400}', ProviderRefused),
    ],
)
def test_what_is_no_answer(body: bytes, kind: type[ProviderError]) -> None:
    with pytest.raises(ProviderError) as raised:
        whole(body, OpenAIDecoder())
    assert type(raised.value) is kind


def test_thoughts_go_back_where_the_server_wants_them() -> None:
    stream = chunk({"reasoning_content": "Hm", "content": None}) + chunk({"reasoning_content": "m"})
    stream += chunk({"content": "Sim", "reasoning_content": None}, "stop") + DONE
    thought = Thought(ThinkingPart("Hmm", provider="deepseek"))
    expected = [ThinkingDelta("Hmm"), thought, TextDelta("Sim"), STOP]
    assert fed(OpenAIDecoder("deepseek", returning=True), [stream]) == expected
    one_by_one = fed(
        OpenAIDecoder("deepseek", returning=True), [stream[at : at + 1] for at in range(len(stream))]
    )
    assert [event for event in one_by_one if isinstance(event, Thought)] == [thought]
    assert not any(isinstance(event, Thought) for event in fed(OpenAIDecoder(), [stream]))


def test_a_thought_that_calls_at_once_is_whole_before_the_call() -> None:
    call = {"index": 0, "id": "x", "function": {"name": "f", "arguments": "{}"}}
    stream = chunk({"reasoning": "Hm"}) + chunk({"tool_calls": [call]}) + DONE
    kinds = [type(event) for event in fed(OpenAIDecoder("openrouter", returning=True), [stream])]
    assert kinds[:3] == [ThinkingDelta, Thought, ToolCallStart]


def test_thinking_and_text_in_one_event() -> None:
    stream = chunk({"reasoning": "Hm", "content": "Sim"}, "stop") + DONE
    assert fed(OpenAIDecoder(), [stream]) == [ThinkingDelta("Hm"), TextDelta("Sim"), STOP]


def test_reasoning_that_is_no_text_is_left_alone() -> None:
    stream = chunk({"reasoning": {"tokens": 3}, "content": "Sim"}, "stop") + DONE
    assert fed(OpenAIDecoder(), [stream]) == [TextDelta("Sim"), STOP]


def test_content_in_parts() -> None:
    parts = [{"type": "text", "text": "Si"}, {"type": "text", "text": "m"}, {"type": "new"}, 3, None]
    assert fed(OpenAIDecoder(), [chunk({"content": parts}, "stop")]) == [TextDelta("Sim"), STOP]
    no = [{"type": "refusal", "refusal": "Não"}]
    assert fed(OpenAIDecoder(), [chunk({"content": no})])[0] == RefusalDelta("Não")


def test_azure_begins_with_what_it_filtered() -> None:
    results = [{"prompt_index": 0, "content_filter_results": {"hate": {"filtered": False}}}]
    stream = sse({"choices": [], "id": "", "model": "", "object": "", "prompt_filter_results": results})
    stream += chunk({"content": "Oi"}) + sse(
        {"choices": [{"index": 0, "delta": {}, "content_filter_results": {}, "finish_reason": None}]}
    )
    stream += chunk({}, "content_filter") + DONE
    assert fed(OpenAIDecoder(), [stream]) == [TextDelta("Oi"), Finish(FinishReason.REFUSAL)]


def test_the_stop_sequence_where_the_server_tells_it() -> None:
    end = {"index": 0, "delta": {}, "finish_reason": "stop"}
    for told, stop in (("###", "###"), (None, None), (128_009, None), ("", None)):
        stream = sse({"choices": [{**end, "stop_reason": told}]})
        assert fed(OpenAIDecoder(), [stream]) == [Finish(FinishReason.STOP, stop)]


@pytest.mark.parametrize(
    ("choice", "kind"),
    [
        ({"finish_reason": "insufficient_system_resource"}, ProviderOverloaded),
        ({"finish_reason": "error"}, ProviderError),
        ({"finish_reason": "error", "error": {"code": 429, "message": "slow"}}, RateLimited),
        ({"finish_reason": "error", "error": {"code": 502, "message": "upstream"}}, ProviderError),
    ],
)
def test_reasons_that_are_faults(choice: dict[str, Any], kind: type[ProviderError]) -> None:
    decoder = OpenAIDecoder()
    told = decoder.feed(chunk({"content": "Me"}) + sse({"choices": [{"index": 0, "delta": {}, **choice}]}))
    assert text_of(told) == "Me"
    assert decoder.over
    with pytest.raises(ProviderError) as raised:
        decoder.end()
    assert type(raised.value) is kind


@pytest.mark.parametrize(
    ("frame", "usage"),
    [
        ({"usage": {**counts(10, 20), "prompt_cache_hit_tokens": 8}}, Usage(10, 20, 8)),
        (
            {
                "usage": {
                    **counts(10, 20),
                    "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 5},
                }
            },
            Usage(10, 20, 4, 0, 5),
        ),
        ({"x_groq": {"id": "x", "usage": counts(10, 20)}}, Usage(10, 20)),
        ({"x_groq": {"id": "x"}}, None),
        ({"x_groq": {"usage": counts(1, 1)}, "usage": counts(10, 20)}, Usage(10, 20)),
        ({"usage": {}}, None),
        ({"usage": "many"}, None),
        ({"usage": {"prompt_tokens": -1, "completion_tokens": 5}}, None),
    ],
)
def test_usage_in_other_places(frame: dict[str, Any], usage: Usage | None) -> None:
    in_the_last = chunk({"content": "Oi"}, "stop", **frame) + DONE
    assert usage_of(fed(OpenAIDecoder(), [in_the_last])) == usage
    behind_it = chunk({"content": "Oi"}, "stop") + sse({"choices": [], **frame}) + DONE
    if "x_groq" not in frame:
        assert usage_of(fed(OpenAIDecoder(), [behind_it])) == usage


def test_usage_in_every_event_costs_no_text() -> None:
    stream = b"".join(chunk({"content": f"{at}"}, usage=counts(3, at)) for at in range(10))
    events = fed(OpenAIDecoder(), [stream + chunk({}, "stop") + DONE])
    assert (text_of(events), usage_of(events)) == ("0123456789", Usage(3, 9))


PIECES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@settings(deadline=None)
@given(
    spoken=st.lists(st.tuples(st.sampled_from(["content", "refusal", "reasoning"]), PIECES), max_size=8),
    data=st.data(),
)
def test_any_cut_of_a_stream_and_of_a_whole_answer(
    spoken: list[tuple[str, str]], data: st.DataObject
) -> None:
    texts = {
        kind: "".join(text for name, text in spoken if name == kind)
        for kind in ("content", "refusal", "reasoning")
    }
    stream = b"".join(chunk({kind: text}) for kind, text in spoken) + chunk({}, "stop") + DONE
    for told in (stream, said(texts)):
        places = [0, *sorted(data.draw(st.lists(st.integers(0, len(told)), max_size=9))), len(told)]
        events = fed(OpenAIDecoder(), [told[start:end] for start, end in pairwise(places)])
        found = heard(events)
        assert [found.text, found.refusal, found.thinking] == list(texts.values())
        assert found.reason is (FinishReason.REFUSAL if texts["refusal"] else FinishReason.STOP)


def peak(decoder: OpenAIDecoder, piece: bytes, times: int) -> tuple[int, list[ModelEvent]]:
    """The most bytes that were held while `piece` came so often, and what was told."""
    events: list[ModelEvent] = []
    tracemalloc.start()
    try:
        for _ in range(times):
            events += decoder.feed(piece)
        return tracemalloc.get_traced_memory()[1], events
    finally:
        tracemalloc.stop()


MEGABYTE = 1024 * 1024


@pytest.mark.hostile(32)
@pytest.mark.parametrize(
    "opening",
    [b'data: {"choices": [{"delta": {"content": "', b'{"choices": [{"message": {"content": "', b"x"],
)
def test_a_line_of_two_hundred_megabytes_is_not_kept(opening: bytes) -> None:
    decoder = OpenAIDecoder()
    decoder.feed(opening)
    most, events = peak(decoder, b"x" * MEGABYTE, 200)
    assert (most < 4 * LIMIT, events, decoder.over) == (True, [], True)
    with pytest.raises(BrokenStream):
        decoder.end()


@pytest.mark.hostile(32)
@pytest.mark.parametrize(
    "ping", [b": ping\n\n", b"\n\n", b'data: {"type": "ping"}\n\n', b"event: ping\n\n", b" "]
)
def test_endless_pings_leave_nothing_behind(ping: bytes) -> None:
    decoder = OpenAIDecoder()
    most, events = peak(decoder, ping * 100, 1_000)
    assert (most < MEGABYTE, events) == (True, [])
    assert fed(decoder, [b"\n\n" + chunk({"content": "Oi"}, "stop")]) == [TextDelta("Oi"), STOP]


@pytest.mark.hostile(32)
def test_a_cut_in_mid_event_breaks_after_what_came() -> None:
    stream = chunk({"content": "Metade"}) + chunk({"content": "nunca"})
    for end in range(len(chunk({"content": "Metade"})), len(stream) - 1):
        decoder = OpenAIDecoder()
        assert text_of(decoder.feed(stream[:end])) == "Metade"
        with pytest.raises(BrokenStream):
            decoder.end()
