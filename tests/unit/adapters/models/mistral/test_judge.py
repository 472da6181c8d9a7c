"""Of every recording, we read the same as Mistral's own client does, however the bytes were cut."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mistralai.client.errors import MistralError
from tests.shared import RECORDINGS, body, names, needs_recordings, recording
from tests.unit.adapters.models.mistral.judge import QUESTION, assembled, client, heard, judged, read

from prosa.adapters.models.faults import Reply, retry_after
from prosa.adapters.models.mistral.cards import cards, embeddings
from prosa.adapters.models.mistral.decode import MistralDecoder
from prosa.adapters.models.mistral.errors import fault
from prosa.domain.content import ThinkingPart
from prosa.domain.errors import NoSuchModel, ProviderKeyRefused, ProviderRefused, RateLimited
from prosa.domain.models import ModelEvent

pytestmark = needs_recordings

SIZES = [0, 1, 7]
REPORTED = sorted(f"reported/{path.stem}" for path in (RECORDINGS / "reported").glob("mistral_*.json"))
EVERY = names("mistral") + REPORTED
ERRORS = {
    "mistral/chat_error_400__rig__1": ProviderRefused,
    "mistral/chat_error_400__rig__4": NoSuchModel,
    "mistral/chat_error_401__ruby_llm__1": ProviderKeyRefused,
    "reported/mistral_422_detail_list": ProviderRefused,
    "reported/mistral_422_extra_forbidden": ProviderRefused,
    "reported/mistral_429_plain_message": RateLimited,
    "reported/mistral_429_rate_limited": RateLimited,
}
VECTORS = [name for name in EVERY if "embeddings" in name]
LISTS = [name for name in EVERY if "models_list" in name]
ANSWERS = [name for name in EVERY if name not in [*ERRORS, *VECTORS, *LISTS]]
STREAMS = [name for name in ANSWERS if recording(name)["response"].get("framing") == "sse"]


def test_the_count_of_what_is_judged() -> None:
    assert (len(ANSWERS), len(STREAMS), len(ERRORS), len(VECTORS), len(LISTS)) == (21, 10, 7, 2, 1)
    assert len(EVERY) == 31


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
    [thought] = [part for part in assembled(read(found["response"], body(found))) if "Thinking" in repr(part)]
    assert isinstance(thought, ThinkingPart)
    assert thought.provider == "mistral"
    assert thought.text == judged(found["response"], body(found)).thinking != ""


@pytest.mark.parametrize("name", ERRORS)
def test_an_error(name: str) -> None:
    found = recording(name)
    response, bytes_ = found["response"], body(found)
    with client(response, bytes_) as asked, pytest.raises(MistralError) as raised:
        asked.chat.complete(**QUESTION)
    assert raised.value.status_code == response["status"]
    ours = fault(Reply(response["status"], bytes_, retry_after(response["headers"])), "some-model")
    assert type(ours) is ERRORS[name]


@pytest.mark.parametrize("name", VECTORS)
def test_vectors(name: str) -> None:
    found = recording(name)
    with client(found["response"], body(found)) as asked:
        theirs = asked.embeddings.create(model="m", inputs="Oi")
    ours = embeddings(body(found), len(theirs.data))
    assert [list(vector) for vector in ours.vectors] == [entry.embedding for entry in theirs.data]
    assert ours.usage is not None
    assert ours.usage.prompt_tokens == theirs.usage.prompt_tokens


def test_the_models() -> None:
    found = recording(LISTS[0])
    with client(found["response"], body(found)) as asked:
        theirs = asked.models.list().data or []
    ours = cards(body(found))
    assert len(ours) == len(theirs) == 66
    assert [(card.id, card.name, card.created, card.window, card.owner) for card in ours] == [
        (card.id, card.name, card.created, card.max_context_length, card.owned_by) for card in theirs
    ]


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_any_cut_tells_the_same(data: st.DataObject) -> None:
    found = recording(data.draw(st.sampled_from(STREAMS)))
    stream = body(found)
    places = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    decoder = MistralDecoder()
    events: list[ModelEvent] = []
    for start, end in pairwise([0, *places, len(stream)]):
        events += decoder.feed(stream[start:end])
    assert heard(events + decoder.end()) == heard(read(found["response"], stream))
