"""Of every recording, we read the same as OpenAI's own client does, however the bytes were cut."""

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from tests.shared import RECORDINGS, body, names, needs_recordings, recording
from tests.unit.adapters.models.openai.judge import QUESTION, client, heard, judged, read

from prosa.adapters.models.faults import Reply, retry_after
from prosa.adapters.models.openai.cards import cards
from prosa.adapters.models.openai.decode import OpenAIDecoder, whole
from prosa.adapters.models.openai.errors import fault
from prosa.adapters.models.openai.vectors import embeddings
from prosa.domain.errors import (
    BrokenStream,
    ContentRefused,
    ContextTooLong,
    NoSuchModel,
    ProviderError,
    ProviderKeyRefused,
    ProviderOverloaded,
    ProviderRefused,
    QuotaExhausted,
    RateLimited,
)

pytestmark = needs_recordings

SIZES = [0, 1, 7]
KINDS: dict[type[Exception], tuple[type[ProviderError], ...]] = {
    openai.BadRequestError: (ProviderRefused, ContextTooLong),
    openai.AuthenticationError: (ProviderKeyRefused,),
    openai.NotFoundError: (NoSuchModel,),
    openai.RateLimitError: (RateLimited, QuotaExhausted),
    openai.InternalServerError: (ProviderError, ProviderOverloaded),
}


def exchanges() -> Iterator[tuple[str, Any]]:
    """Each request of this wire with its response: of OpenAI, Azure, Ollama's `/v1`, and what was reported."""
    reported = sorted(f"reported/{path.stem}" for path in (RECORDINGS / "reported").glob("openai_*.json"))
    for name in names("openai") + names("ollama") + reported:
        found = recording(name)
        steps = found.get("interactions", [found])
        for at, step in enumerate(steps):
            path = step["request"]["path"] if "request" in step else "/v1/chat/completions"
            if path.endswith(("/chat/completions", "/embeddings")) or "/v1/models" in path:
                yield f"{name}#{at}", step


EVERY = dict(exchanges())
REPORTED = [name for name in EVERY if name.startswith("reported/")]
BROKEN = [name for name in REPORTED if "_stream_error_" in name or "_truncated_" in name]
FILTERED = [name for name in EVERY if "azure_content_filter__openllmetry" in name]
FAILED = [name for name in EVERY if EVERY[name]["response"]["status"] != 200]
VECTORS = [name for name in EVERY if "/embeddings" in name and name not in FAILED]
LISTS = [name for name in EVERY if "/models_" in name and name not in FAILED]
ANSWERS = [name for name in EVERY if name not in {*BROKEN, *FILTERED, *FAILED, *VECTORS, *LISTS}]


def test_the_count_of_what_is_judged() -> None:
    counts = {
        "answers": len(ANSWERS),
        "errors": len(FAILED),
        "broken": len(BROKEN),
        "filtered": len(FILTERED),
        "vectors": len(VECTORS),
        "lists": len(LISTS),
    }
    assert counts == {
        "answers": 47,
        "errors": 18,
        "broken": 2,
        "filtered": 1,
        "vectors": 4,
        "lists": 2,
    }


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer(name: str, size: int) -> None:
    response, told = EVERY[name]["response"], body(EVERY[name])
    assert heard(read(response, told, size)) == judged(response, told, size)


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_comes_in_the_other_form_than_asked_for(name: str) -> None:
    response, told = EVERY[name]["response"], body(EVERY[name])
    if response.get("framing") == "sse":
        events = whole(told, OpenAIDecoder())
    else:
        decoder = OpenAIDecoder()
        events = [event for at in range(0, len(told), 7) for event in decoder.feed(told[at : at + 7])]
        events += decoder.end()
    assert heard(events) == judged(response, told)


@pytest.mark.parametrize("name", FAILED)
def test_an_error(name: str) -> None:
    response, told = EVERY[name]["response"], body(EVERY[name])
    with client(response, told) as asked, pytest.raises(openai.APIStatusError) as raised:
        asked.chat.completions.create(**QUESTION)
    reply = Reply(response["status"], told, retry_after(response["headers"]))
    assert type(fault("openai", reply, "some-model")) in KINDS[type(raised.value)]


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_answer(name: str) -> None:
    with pytest.raises(ProviderError) as raised:
        read(EVERY[name]["response"], body(EVERY[name]))
    assert type(raised.value) is (BrokenStream if "truncated" in name else ProviderError)


@pytest.mark.parametrize("name", FILTERED)
def test_what_azure_filters_may_say_200(name: str) -> None:
    with pytest.raises(ContentRefused):
        read(EVERY[name]["response"], body(EVERY[name]))


@pytest.mark.parametrize("name", VECTORS)
def test_vectors(name: str) -> None:
    response, told = EVERY[name]["response"], body(EVERY[name])
    with client(response, told) as asked:
        reply = asked.embeddings.create(model="some-model", input="Oi")
    found = embeddings("openai", told, len(reply.data))
    assert [list(vector) for vector in found.vectors] == [entry.embedding for entry in reply.data]
    assert found.usage is not None
    assert found.usage.prompt_tokens == reply.usage.prompt_tokens


@pytest.mark.parametrize("name", LISTS)
def test_lists_of_models(name: str) -> None:
    response, told = EVERY[name]["response"], body(EVERY[name])
    if "data" not in json.loads(told):  # one model alone is an entry of a list
        told = b'{"object": "list", "data": [%b]}' % told
    with client(response, told) as asked:
        listed = list(asked.models.list())
    assert [(card.id, card.created, card.owner) for card in cards("openai", told)] == [
        (model.id, model.created, model.owned_by) for model in listed
    ]
