"""Of every recording, we read the same as Ollama's own client does, however the bytes were cut."""

from itertools import pairwise

import ollama
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.json import encode
from tests.shared import RECORDINGS, body, exchanges, needs_recordings, pieces, recording
from tests.unit.adapters.models.ollama.judge import QUESTION, assembled, client, heard, judged, read

from prosa.adapters.models.faults import Reply
from prosa.adapters.models.ollama.cards import cards, embedding, embeddings
from prosa.adapters.models.ollama.decode import OllamaDecoder
from prosa.adapters.models.ollama.errors import fault
from prosa.domain.content import ThinkingPart
from prosa.domain.errors import (
    ContextTooLong,
    NoSuchModel,
    ProviderError,
    ProviderKeyRefused,
    ProviderOverloaded,
    ProviderRefused,
)
from prosa.domain.models import ModelEvent

pytestmark = needs_recordings

SIZES = [0, 1, 7]
REPORTED = sorted(f"reported/{path.stem}" for path in (RECORDINGS / "reported").glob("ollama_*.json"))
ANSWERS = [name for name, found in exchanges("ollama") if found["request"]["path"] == "/api/chat"]
VECTORS = [name for name, found in exchanges("ollama") if found["request"]["path"] == "/api/embed"]
STREAMS = [name for name in ANSWERS if recording(name)["response"].get("framing") == "ndjson"]
ERRORS = {
    "ollama/errors__ruby_llm__1": ContextTooLong,
    "ollama/errors__ruby_llm__2": ProviderKeyRefused,
    "reported/ollama_400_no_thinking": ProviderRefused,
    "reported/ollama_400_no_tools": ProviderRefused,
    "reported/ollama_404_model": NoSuchModel,
    "reported/ollama_500_runner": ProviderError,
    "reported/ollama_503_queue_full": ProviderOverloaded,
}
BROKEN = "reported/ollama_stream_error_mid"


def test_the_count_of_what_is_judged() -> None:
    """The others are of `/api/generate` and `/api/show`, which we never ask, and of OpenAI's wire."""
    assert (len(ANSWERS), len(STREAMS), len(VECTORS), len(ERRORS)) == (19, 10, 2, 7)
    assert {*REPORTED} == {name for name in ERRORS if name.startswith("reported")} | {BROKEN}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer(name: str, size: int) -> None:
    found = recording(name)
    response, bytes_ = found["response"], body(found)
    ours = heard(read(response, bytes_, size))
    assert ours == judged(response, bytes_, size)
    assert ours.text or ours.calls
    assert ours.usage is not None


@pytest.mark.parametrize("name", [name for name in ANSWERS if "thinking" in name])
def test_thoughts_are_ready_to_go_back(name: str) -> None:
    found = recording(name)
    parts = assembled(read(found["response"], body(found)))
    [thought] = [part for part in parts if isinstance(part, ThinkingPart)]
    assert thought.provider == "ollama"
    assert thought.text == judged(found["response"], body(found)).thinking != ""


@pytest.mark.parametrize("name", ERRORS)
def test_an_error(name: str) -> None:
    found = recording(name)
    response, bytes_ = found["response"], body(found)
    with pytest.raises(ollama.ResponseError) as raised:
        client(response, bytes_).chat(**QUESTION)
    assert raised.value.status_code == response["status"]
    ours = fault(Reply(response["status"], bytes_), "some-model")
    assert type(ours) is ERRORS[name]
    if ERRORS[name] is ProviderRefused:
        assert ours.details["detail"] == raised.value.error


@pytest.mark.parametrize("size", SIZES)
def test_an_error_in_mid_stream(size: int) -> None:
    found = recording(BROKEN)
    bytes_ = body(found)
    theirs = ""
    with pytest.raises(ollama.ResponseError):  # noqa: PT012 - it comes in the middle
        for line in client(found["response"], bytes_, size).chat(**QUESTION, stream=True):
            theirs += line.message.content or ""
    decoder = OllamaDecoder()
    events = [event for part in pieces(bytes_, size) for event in decoder.feed(part)]
    assert "".join(getattr(event, "text", "") for event in events) == theirs == "Hel"
    with pytest.raises(ProviderError):
        decoder.end()


@pytest.mark.parametrize("name", VECTORS)
def test_vectors(name: str) -> None:
    found = recording(name)
    theirs = client(found["response"], body(found)).embed(model="m", input="Oi")
    ours = embeddings(body(found), 1)
    assert [list(vector) for vector in ours.vectors] == theirs.embeddings
    assert ours.usage is not None
    assert ours.usage.prompt_tokens == theirs.prompt_eval_count


def test_a_vector_of_an_old_server() -> None:
    told = encode({"embedding": [0.5, -1.0, 3]})
    theirs = client({"status": 200}, told).embeddings(model="m", prompt="Oi")
    assert list(embedding(told)) == theirs.embedding == [0.5, -1, 3]


def test_the_models() -> None:
    tags = [
        {"name": "llama3.2:1b", "model": "llama3.2:1b", "modified_at": "2026-08-05T10:11:12.123456789+02:00"},
        {
            "name": "someone/mine:latest",
            "model": "someone/mine:latest",
            "modified_at": "2026-08-05T08:00:00Z",
        },
    ]
    told = encode({"models": tags})
    theirs = client({"status": 200}, told).list().models
    ours = cards(told)
    assert [card.id for card in ours] == [model.model for model in theirs]
    assert [card.created for card in ours] == [
        int(model.modified_at.timestamp()) for model in theirs if model.modified_at is not None
    ]
    assert [card.owner for card in ours] == ["library", "someone"]
    assert cards(b'{"models": null}') == []


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_any_cut_tells_the_same(data: st.DataObject) -> None:
    found = recording(data.draw(st.sampled_from(STREAMS)))
    stream = body(found)
    places = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    decoder = OllamaDecoder()
    events: list[ModelEvent] = []
    for start, end in pairwise([0, *places, len(stream)]):
        events += decoder.feed(stream[start:end])
    assert heard(events + decoder.end()) == heard(read(found["response"], stream))
