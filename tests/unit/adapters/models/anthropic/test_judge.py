"""Of every recording, we read the same as Anthropic's own client does, however the bytes were cut."""

import json
from datetime import datetime
from itertools import pairwise
from typing import Any

import anthropic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.shared import RECORDINGS, body, names, needs_recordings, pieces, recording
from tests.unit.adapters.models.anthropic.judge import QUESTION, client, heard, judged, read
from tests.unit.adapters.models.speech import text_of

from prosa.adapters.models.anthropic.cards import page
from prosa.adapters.models.anthropic.decode import AnthropicDecoder, input_tokens
from prosa.adapters.models.anthropic.errors import fault
from prosa.adapters.models.faults import Reply, retry_after
from prosa.domain.errors import (
    ContextTooLong,
    NoSuchModel,
    ProviderError,
    ProviderKeyRefused,
    ProviderOverloaded,
    ProviderRefused,
    RateLimited,
)
from prosa.domain.models import ModelEvent

pytestmark = needs_recordings

SIZES = [0, 1, 7]
REPORTED = sorted(f"reported/{path.stem}" for path in (RECORDINGS / "reported").glob("anthropic_*.json"))
EVERY = names("anthropic") + REPORTED
ERRORS = [name for name in EVERY if "error_" in name or "_429_" in name or "_500_" in name or "_529_" in name]
BROKEN = [name for name in ERRORS if "stream_error" in name]
OTHERS = ["anthropic/count_tokens__ruby_llm__1", "anthropic/models_list__ellmer__1"]
ANSWERS = [name for name in EVERY if name not in ERRORS + OTHERS]
KINDS: dict[type[Exception], tuple[type[ProviderError], ...]] = {
    anthropic.BadRequestError: (ProviderRefused, ContextTooLong),
    anthropic.AuthenticationError: (ProviderKeyRefused,),
    anthropic.NotFoundError: (NoSuchModel,),
    anthropic.RateLimitError: (RateLimited,),
    anthropic.InternalServerError: (ProviderError, ProviderOverloaded),
}


def test_the_count_of_what_is_judged() -> None:
    assert (len(ANSWERS), len(ERRORS), len(BROKEN), len(OTHERS)) == (36, 13, 2, 2)
    assert len(EVERY) == 51


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer(name: str, size: int) -> None:
    found = recording(name)
    response, bytes_ = found["response"], body(found)
    assert heard(read(response, bytes_, size)) == judged(response, bytes_, size)


@pytest.mark.parametrize("name", [name for name in ERRORS if name not in BROKEN])
def test_an_error(name: str) -> None:
    found = recording(name)
    response, bytes_ = found["response"], body(found)
    with client(response, bytes_) as asked, pytest.raises(anthropic.APIStatusError) as raised:
        asked.messages.create(**QUESTION)
    ours = fault(Reply(response["status"], bytes_, retry_after(response["headers"])), "some-model")
    kinds = next(ours for theirs, ours in KINDS.items() if isinstance(raised.value, theirs))
    assert type(ours) in kinds


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", BROKEN)
def test_an_error_in_mid_stream(name: str, size: int) -> None:
    found = recording(name)
    response, bytes_ = found["response"], body(found)
    with (
        client(response, bytes_, size) as asked,
        asked.messages.create(**QUESTION, stream=True) as stream,
        pytest.raises(anthropic.APIStatusError) as raised,
    ):
        list(stream)
    assert "overloaded_error" in str(raised.value.body)
    decoder = AnthropicDecoder("some-model")
    events = [event for part in pieces(bytes_, size) for event in decoder.feed(part)]
    assert text_of(events) == ("Hel" if name.endswith("mid") else "")
    with pytest.raises(ProviderOverloaded):
        decoder.end()


def test_a_count() -> None:
    found = recording(OTHERS[0])
    with client(found["response"], body(found)) as asked:
        told = asked.messages.count_tokens(model="m", messages=QUESTION["messages"])
    assert input_tokens(body(found)) == told.input_tokens == 14


def test_the_models() -> None:
    found = recording(OTHERS[1])
    with client(found["response"], body(found)) as asked:
        theirs = list(asked.models.list())
    ours, more = page(body(found))
    assert more is None
    assert len(ours) == len(theirs) == 11
    for card, model in zip(ours, theirs, strict=True):
        assert (card.id, card.name, card.window) == (model.id, model.display_name, model.max_input_tokens)
        assert isinstance(model.created_at, datetime)
        assert card.created == int(model.created_at.timestamp())


STREAMS = [name for name in ANSWERS if recording(name)["response"].get("framing") == "sse"]


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_any_cut_tells_the_same(data: st.DataObject) -> None:
    found = recording(data.draw(st.sampled_from(STREAMS)))
    stream = body(found)
    places = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    decoder = AnthropicDecoder()
    events: list[ModelEvent] = []
    for start, end in pairwise([0, *places, len(stream)]):
        events += decoder.feed(stream[start:end])
    assert heard(events + decoder.end()) == heard(read(found["response"], stream))


def test_a_whole_answer_and_its_stream_are_the_same() -> None:
    """Each recorded stream, told as one message, has the same parts."""
    assert len(STREAMS) == 15
    for name in STREAMS:
        found = recording(name)
        stream = body(found)
        with client(found["response"], stream) as asked, asked.messages.stream(**QUESTION) as told:
            message: dict[str, Any] = told.get_final_message().to_dict()
        at_once = {"status": 200, "headers": {}}
        assert heard(read(at_once, json.dumps(message).encode())) == heard(read(found["response"], stream))
