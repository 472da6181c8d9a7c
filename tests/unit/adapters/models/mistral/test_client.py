"""The calls beside streaming, and what no failure ever tells, over loopback."""

import traceback
from typing import Any

import pytest
from msgspec.json import encode
from msgspec.structs import replace
from structlog.testing import capture_logs
from tests.shared import RECORDINGS, body, needs_recordings, recording
from tests.unit.adapters.models.loopback import CUT, Loopback, Play
from tests.unit.adapters.models.speech import HELLO, KEY, SPEECHES, counts, sse, told

from prosa.adapters.models.mistral.client import BYTES_AT_ONCE, TEXTS_AT_ONCE, MistralModel, batches
from prosa.domain.errors import BrokenStream, ProviderError, ProviderKeyRefused, RateLimited
from prosa.domain.models import (
    EmbedRequest,
    Finish,
    FinishReason,
    ModelCard,
    TextDelta,
    Usage,
    UsageReport,
)

ANSWER = {
    "choices": [{"index": 0, "message": {"content": "Olá"}, "finish_reason": "stop"}],
    "usage": counts(3, 2),
}


def play(value: Any, status: int = 200) -> Play:
    return Play((encode(value),), status)


async def test_an_answer_in_one_piece() -> None:
    async with Loopback(play(ANSWER)).listening() as provider:
        model = MistralModel(api_key=KEY, base_url=provider.base)
        events = [event async for event in model.stream(replace(HELLO, whole=True))]
        assert await model.count_tokens(HELLO) is None
        await model.close()
        await model.close()
    assert events == [TextDelta("Olá"), UsageReport(Usage(3, 2)), Finish(FinishReason.STOP)]
    [seen] = provider.seen
    assert (seen.path, seen.body["stream"]) == ("/v1/chat/completions", False)
    assert seen.headers["authorization"] == f"Bearer {KEY}"


async def test_vectors_in_as_many_requests_as_it_takes() -> None:
    first, second = (
        {"data": [{"index": 0, "embedding": [number]}], "usage": counts(5, 0)} for number in (1, 2)
    )
    long = "a" * BYTES_AT_ONCE
    async with Loopback(play(first), play(second)).listening() as provider:
        model = MistralModel(api_key=KEY, base_url=provider.base + "/v1")
        found = await model.embed(EmbedRequest("mistral-embed", (long, "b")))
        await model.close()
    assert (found.vectors, found.usage) == (((1.0,), (2.0,)), Usage(10, 0))
    assert [(seen.path, seen.body["input"]) for seen in provider.seen] == [
        ("/v1/embeddings", [long]),
        ("/v1/embeddings", ["b"]),
    ]


def test_batches() -> None:
    assert list(batches(())) == []
    texts = [str(number) for number in range(TEXTS_AT_ONCE + 1)]
    assert list(batches(texts)) == [texts[:-1], texts[-1:]]
    half = "é" * (BYTES_AT_ONCE // 4)
    assert list(batches([half, half, "c"])) == [[half, half], ["c"]]


async def test_the_models() -> None:
    listed = {"data": [{"id": "a", "max_context_length": 9, "owned_by": "mistralai"}, {"id": "b"}]}
    async with Loopback(play(listed)).listening() as provider:
        model = MistralModel(api_key=KEY, base_url=provider.base + "?x=1")
        cards = await model.models()
        await model.close()
    assert cards == [ModelCard("a", window=9, owner="mistralai"), ModelCard("b")]
    assert [seen.path for seen in provider.seen] == ["/v1/models?x=1"]


@pytest.mark.parametrize("vectors", [[[1], [1, 2]], [[], []], [[1]], [[1], None]])
async def test_vectors_are_of_one_length(vectors: list[Any]) -> None:
    told = {"data": [{"index": place, "embedding": each} for place, each in enumerate(vectors)]}
    async with Loopback(play(told)).listening() as provider:
        model = MistralModel(api_key=KEY, base_url=provider.base)
        with pytest.raises(BrokenStream):
            await model.embed(EmbedRequest("m", ("a", "b")))
        await model.close()


async def test_odd_numbers_spoil_no_list() -> None:
    listed = {"data": [{"id": "a", "created": 1.5, "max_context_length": True}]}
    async with Loopback(play(listed)).listening() as provider:
        model = MistralModel(api_key=KEY, base_url=provider.base)
        assert await model.models() == [ModelCard("a")]
        await model.close()


async def test_vectors_and_lists_can_fail() -> None:
    async with Loopback(play({"detail": "Invalid API Key"}, 401)).listening() as provider:
        model = MistralModel(api_key=KEY, base_url=provider.base)
        with pytest.raises(ProviderKeyRefused):
            await model.embed(EmbedRequest("m", ("a",)))
        with pytest.raises(ProviderKeyRefused):
            await model.models()
        await model.close()


QUOTES = f"Incorrect key {KEY} for https://user:{KEY}@h.example/v1?key={KEY} with Bearer {KEY}"
SHAPES = [
    {"detail": QUOTES},
    {"message": QUOTES},
    {"message": {"detail": QUOTES}},
    {"message": {"detail": [{"loc": ["body", KEY], "msg": QUOTES, "input": KEY}]}},
    {"detail": [{"loc": ["header", "authorization"], "msg": QUOTES, "input": QUOTES}]},
    {"object": "error", "message": QUOTES, "type": KEY, "code": KEY, "param": KEY},
    {"error": {"message": QUOTES, "type": "invalid_request_error"}},
    {"error": QUOTES},
    QUOTES,
]
MIDSTREAM = [frame for frame in SHAPES if isinstance(frame, dict)]


def plays() -> list[Play]:
    spoken = SPEECHES["mistral"].text("Ol")
    failing = [play(shape, status) for shape in SHAPES for status in (400, 401, 422, 429, 500, 503)]
    broken = [Play((spoken, sse(frame))) for frame in MIDSTREAM]
    cut = [
        Play((spoken, CUT)),
        Play((spoken,)),
        Play((QUOTES.encode(),)),
        Play((b"data: " + QUOTES.encode(),)),
    ]
    if RECORDINGS.is_dir():
        for path in sorted((RECORDINGS / "reported").glob("mistral_*.json")):
            found = recording(f"reported/{path.stem}")
            failing.append(Play((body(found),), found["response"]["status"]))
    return [*failing, *broken, *cut]


@pytest.mark.hostile(21)
async def test_no_failure_ever_tells_the_key() -> None:
    shapes = plays()
    assert len(shapes) >= 66
    async with Loopback(*shapes).listening() as provider:
        model = MistralModel(api_key=KEY, base_url=f"{provider.base}?key={KEY}")
        with capture_logs() as logs:
            for _ in shapes:
                _, fault = await told(model)
                assert isinstance(fault, ProviderError)
                seen = [str(fault), fault.sentence("pt"), repr(fault.details), repr(fault)]
                seen += traceback.format_exception(fault)
                assert not [text for text in seen if KEY in text]
        await model.close()
    assert KEY not in repr(logs)


@needs_recordings
async def test_a_wait_is_kept() -> None:
    found = recording("reported/mistral_429_rate_limited")
    async with Loopback(Play((body(found),), 429, {"retry-after": "3"})).listening() as provider:
        model = MistralModel(api_key=KEY, base_url=provider.base)
        _, fault = await told(model)
        await model.close()
    assert isinstance(fault, RateLimited)
    assert fault.details["retry_after"] == 3.0
