"""The calls beside streaming, and what no failure ever tells, over loopback."""

import traceback
from typing import Any

import pytest
from msgspec.json import encode
from msgspec.structs import replace
from structlog.testing import capture_logs
from tests.shared import RECORDINGS, body, recording
from tests.unit.adapters.models.loopback import CUT, Loopback, Play
from tests.unit.adapters.models.speech import HELLO, KEY, SPEECHES, line, told

from prosa.adapters.models.faults import Reply
from prosa.adapters.models.ollama.client import OllamaModel
from prosa.adapters.models.ollama.errors import fault
from prosa.domain.errors import (
    ContextTooLong,
    NoSuchModel,
    ProviderError,
    ProviderKeyRefused,
    ProviderOverloaded,
    ProviderRefused,
    RateLimited,
)
from prosa.domain.models import (
    Embeddings,
    EmbedRequest,
    Finish,
    FinishReason,
    ModelCard,
    TextDelta,
    Usage,
    UsageReport,
)

ANSWER = {
    "message": {"role": "assistant", "content": "Olá"},
    "done": True,
    "done_reason": "stop",
    "prompt_eval_count": 3,
    "eval_count": 2,
}
UNKNOWN = Play((b"404 page not found",), 404)


def play(value: Any, status: int = 200) -> Play:
    return Play((encode(value),), status)


async def test_an_answer_in_one_piece() -> None:
    async with Loopback(play(ANSWER)).listening() as provider:
        model = OllamaModel(base_url=provider.base + "/api/generate")
        events = [event async for event in model.stream(replace(HELLO, whole=True))]
        assert await model.count_tokens(HELLO) is None
        await model.close()
        await model.close()
    assert events == [TextDelta("Olá"), UsageReport(Usage(3, 2)), Finish(FinishReason.STOP)]
    [seen] = provider.seen
    assert (seen.path, seen.body["stream"]) == ("/api/chat", False)
    assert "authorization" not in seen.headers


async def test_vectors() -> None:
    async with Loopback(play({"embeddings": [[1], [2]], "prompt_eval_count": 4})).listening() as provider:
        model = OllamaModel(base_url=provider.base)
        found = await model.embed(EmbedRequest("m", ("a", "b")))
        assert await model.embed(EmbedRequest("m", ())) == Embeddings(())
        await model.close()
    assert found == Embeddings(((1.0,), (2.0,)), Usage(4, 0))
    assert [seen.path for seen in provider.seen] == ["/api/embed"]


async def test_vectors_of_an_old_server_come_one_by_one() -> None:
    plays = (UNKNOWN, play({"embedding": [1]}), play({"embedding": [2]}))
    async with Loopback(*plays).listening() as provider:
        model = OllamaModel(base_url=provider.base)
        found = await model.embed(EmbedRequest("m", ("a", "b")))
        await model.close()
    assert found == Embeddings(((1.0,), (2.0,)))
    assert [(seen.path, seen.body.get("prompt")) for seen in provider.seen] == [
        ("/api/embed", None),
        ("/api/embeddings", "a"),
        ("/api/embeddings", "b"),
    ]


async def test_a_model_that_is_missing_is_not_asked_for_twice() -> None:
    missing = play({"error": "model 'm' not found, try pulling it first"}, 404)
    async with Loopback(missing).listening() as provider:
        model = OllamaModel(base_url=provider.base)
        with pytest.raises(NoSuchModel):
            await model.embed(EmbedRequest("m", ("a",)))
        await model.close()
    assert len(provider.seen) == 1


async def test_the_models() -> None:
    listed = {
        "models": [
            {"name": "a:1b", "modified_at": "2026-08-05T08:00:00.5Z"},
            {"modified_at": "?"},
            {"name": None},
        ]
    }
    async with Loopback(play(listed)).listening() as provider:
        model = OllamaModel(base_url=provider.base, api_key=KEY)
        cards = await model.models()
        await model.close()
    assert cards == [ModelCard("a:1b", "a:1b", 1_785_916_800, None, "library")]
    [seen] = provider.seen
    assert (seen.path, seen.headers["authorization"]) == ("/api/tags", f"Bearer {KEY}")


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        (400, '{"error": "registry.ollama.ai/library/a:latest does not support tools"}', ProviderRefused),
        (400, '{"error": "tool \\"x\\" not found"}', ProviderRefused),
        (400, '{"error": "the input length exceeds the context length"}', ContextTooLong),
        (400, '{"error": "model is required"}', NoSuchModel),
        (404, '{"error": "model \\"a\\" not found, try pulling it first"}', NoSuchModel),
        (404, '{"error": {"message": "model \'a\' not found", "type": "not_found_error"}}', NoSuchModel),
        (404, "404 page not found", ProviderError),
        (401, '{"error": "unauthorized", "signin_url": "https://h.example"}', ProviderKeyRefused),
        (429, '{"error": "you have reached your hourly usage limit"}', RateLimited),
        (500, '{"error": "model requires more system memory (9 GiB) than is available"}', ProviderError),
        (503, '{"error": "server busy, please try again.  maximum pending requests"}', ProviderOverloaded),
    ],
)
def test_each_complaint(status: int, said: str, kind: type[ProviderError]) -> None:
    error = fault(Reply(status, said.encode()), "a")
    assert type(error) is kind
    assert error.details.get("model", "a") == "a"
    if kind is ProviderRefused:
        assert "does not support tools" in error.sentence("en") or "not found" in error.sentence("en")


QUOTES = f"Bad key {KEY} for https://user:{KEY}@h.example/api?key={KEY} with Bearer {KEY}"
SHAPES = [{"error": QUOTES}, {"error": {"message": QUOTES, "type": KEY}}, {"error": [QUOTES]}, QUOTES]


def plays() -> list[Play]:
    spoken = SPEECHES["ollama"].text("Ol")
    failing = [play(shape, status) for shape in SHAPES for status in (400, 401, 403, 404, 429, 500, 503)]
    broken = [Play((spoken, line({"error": QUOTES}))), Play((spoken, line({"error": {"message": QUOTES}})))]
    cut = [Play((spoken, CUT)), Play((spoken,)), Play((QUOTES.encode(),)), Play((line(QUOTES),))]
    if RECORDINGS.is_dir():
        for path in sorted((RECORDINGS / "reported").glob("ollama_*.json")):
            found = recording(f"reported/{path.stem}")
            failing.append(Play((body(found),), found["response"]["status"]))
    return [*failing, *broken, *cut]


@pytest.mark.hostile(21)
async def test_no_failure_ever_tells_the_key() -> None:
    shapes = plays()
    assert len(shapes) >= 34
    async with Loopback(*shapes).listening() as provider:
        model = OllamaModel(api_key=KEY, base_url=f"{provider.base}?key={KEY}")
        with capture_logs() as logs:
            for _ in shapes:
                _, error = await told(model)
                assert isinstance(error, ProviderError)
                seen = [str(error), error.sentence("pt"), repr(error.details), repr(error)]
                seen += traceback.format_exception(error)
                assert not [text for text in seen if KEY in text]
        await model.close()
    assert KEY not in repr(logs)
