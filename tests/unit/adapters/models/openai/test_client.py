"""The client: where it asks what, and with which key."""

import asyncio
import base64
import json
from array import array
from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.adapters.models.loopback import CUT, Loopback, Play, Step
from tests.unit.adapters.models.openai.judge import heard
from tests.unit.adapters.models.speech import HELLO, KEY, SPEECHES, chunk, counts

from prosa.adapters.models.http import Timeouts
from prosa.adapters.models.openai.client import TEXTS_AT_ONCE, OpenAIModel
from prosa.adapters.models.openai.dialect import OPENAI, ROWS, Dialect, localised
from prosa.adapters.models.openai.routes import Routes
from prosa.domain.errors import (
    BrokenStream,
    MisconfiguredError,
    NoSuchModel,
    ProviderError,
    ProviderKeyRefused,
    ProviderNotConfigured,
    ProviderTimeout,
    ProviderUnreachable,
    RateLimited,
)
from prosa.domain.models import ChatRequest, EmbedRequest, Finish, FinishReason, ModelCard, TextDelta, Usage

WHOLE = replace(HELLO, whole=True)
STOP = Finish(FinishReason.STOP)


def played(value: Any, status: int = 200, **headers: str) -> Play:
    return Play((json.dumps(value).encode(),), status, headers)


ANSWER = {
    "choices": [{"index": 0, "message": {"content": "Oi!"}, "finish_reason": "stop"}],
    "usage": counts(3, 2),
}
STREAM = SPEECHES["openai"].whole("Oi!")


async def told(model: OpenAIModel, request: ChatRequest) -> Any:
    return heard([event async for event in model.stream(request)])


@pytest.mark.parametrize("request_", [HELLO, WHOLE])
@pytest.mark.parametrize("answer", [Play((STREAM,)), played(ANSWER)], ids=["stream", "whole"])
async def test_the_form_that_comes_is_the_form_that_is_read(request_: ChatRequest, answer: Play) -> None:
    async with Loopback(answer).listening() as provider:
        model = OpenAIModel(api_key=KEY, base_url=provider.base + "/v1")
        said = await told(model, request_)
        await model.close()
    assert (said.text, said.reason) == ("Oi!", FinishReason.STOP)
    assert said.usage in {Usage(3, 2), Usage(12, 3)}
    assert provider.seen[0].body["stream"] is not request_.whole


async def test_a_wait_without_retry_after() -> None:
    headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}
    answer = played({"error": {"message": "slow", "code": "rate_limit_exceeded"}}, 429, **headers)
    async with Loopback(answer).listening() as provider:
        model = OpenAIModel(api_key=KEY, base_url=provider.base + "/v1")
        for request in (HELLO, WHOLE):
            with pytest.raises(RateLimited) as raised:
                await told(model, request)
            assert raised.value.details["retry_after"] == 360.0
        await model.close()


@pytest.mark.parametrize("status", [500, 503])
async def test_limits_that_are_told_beside_a_failure_are_no_wait(status: int) -> None:
    headers = {"x-ratelimit-remaining-tokens": "149000", "x-ratelimit-reset-tokens": "6m0s"}
    answer = played({"error": {"message": "The server had an error"}}, status, **headers)
    async with Loopback(answer).listening() as provider:
        model = OpenAIModel(api_key=KEY, base_url=provider.base + "/v1")
        for request in (HELLO, WHOLE):
            with pytest.raises(ProviderError) as raised:
                await told(model, request)
            assert raised.value.details.get("retry_after") is None
        await model.close()


@pytest.mark.parametrize("row", ["openai", "azure", "groq", "vllm"])
@pytest.mark.parametrize(
    "place", ["http://me:secret@[::1", "http://me:secret@h:port", "http://h:99999/secret"]
)
def test_an_address_that_is_none(row: str, place: str) -> None:
    with pytest.raises(MisconfiguredError) as raised:
        OpenAIModel(api_key=KEY, base_url=place, dialect=ROWS[row])
    assert "secret" not in str(raised.value)


def vector(*numbers: float) -> str:
    return base64.b64encode(array("f", numbers).tobytes()).decode()


async def test_vectors_in_any_order_and_either_form() -> None:
    data = [{"index": 1, "embedding": vector(0.5, 2.0)}, {"index": 0, "embedding": [1, -0.25]}]
    async with Loopback(played({"data": data, "usage": {"prompt_tokens": 4}})).listening() as provider:
        model = OpenAIModel(api_key=KEY, base_url=provider.base + "/v1")
        found = await model.embed(EmbedRequest("some-model", ("a", "b"), dimensions=2))
        assert (await model.embed(EmbedRequest("some-model", ()))).vectors == ()
        await model.close()
    assert found.vectors == ((1.0, -0.25), (0.5, 2.0))
    assert found.usage == Usage(4, 0)
    [seen] = provider.seen
    assert seen.path == "/v1/embeddings"
    assert seen.body == {
        "model": "some-model",
        "input": ["a", "b"],
        "dimensions": 2,
        "encoding_format": "base64",
    }


async def test_many_texts_are_asked_in_parts() -> None:
    def reply(count: int) -> Play:
        return played({"data": [{"embedding": [1.0]}] * count, "usage": {"prompt_tokens": count}})

    async with Loopback(reply(TEXTS_AT_ONCE), reply(1)).listening() as provider:
        model = OpenAIModel(api_key=KEY, base_url=provider.base + "/v1")
        found = await model.embed(EmbedRequest("some-model", ("a",) * (TEXTS_AT_ONCE + 1)))
        await model.close()
    assert (len(found.vectors), found.usage) == (TEXTS_AT_ONCE + 1, Usage(TEXTS_AT_ONCE + 1, 0))


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        {"data": []},
        {"data": [{"embedding": [1.0]}, {"embedding": [1.0]}]},
        {"data": [{"embedding": ["a"]}]},
        {"data": [{"embedding": "%%%%"}]},
        {"data": [{"embedding": "AAAAAAA="}]},
    ],
)
async def test_what_are_no_vectors(value: Any) -> None:
    async with Loopback(played(value)).listening() as provider:
        model = OpenAIModel(api_key=KEY, base_url=provider.base + "/v1")
        with pytest.raises(BrokenStream):
            await model.embed(EmbedRequest("some-model", ("a",)))
        await model.close()


LISTS: dict[str, tuple[Any, ModelCard]] = {
    "openai": (
        {"data": [{"id": "gpt-5", "created": 1_700_000_000, "owned_by": "openai"}]},
        ModelCard("gpt-5", created=1_700_000_000, owner="openai"),
    ),
    "openrouter": (
        {"data": [{"id": "a/b", "name": "A: B", "created": 5, "context_length": 8_192}]},
        ModelCard("a/b", "A: B", 5, 8_192),
    ),
    "together": (
        [{"id": "a/b", "display_name": "A B", "created": 0, "context_length": 4_096}],
        ModelCard("a/b", "A B", window=4_096),
    ),
    "groq": (
        {"data": [{"id": "l", "context_window": 131_072, "owned_by": "Meta"}]},
        ModelCard("l", window=131_072, owner="Meta"),
    ),
    "vllm": ({"data": [{"id": "l", "max_model_len": 2_048}]}, ModelCard("l", window=2_048)),
    "llamacpp": ({"data": [{"id": "l", "meta": {"n_ctx": 512}}]}, ModelCard("l", window=512)),
    "gemini": ({"data": [{"id": "models/gemini-3", "created": True}]}, ModelCard("gemini-3")),
    "odd entries": ({"data": [{"id": 3}, {}, None, {"id": "l", "created": "x"}]}, ModelCard("l")),
}


@pytest.mark.parametrize(("value", "card"), LISTS.values(), ids=LISTS)
async def test_lists_of_models(value: Any, card: ModelCard) -> None:
    async with Loopback(played(value)).listening() as provider:
        model = OpenAIModel(api_key=KEY, base_url=provider.base + "/v1")
        assert await model.models() == [card]
        await model.close()
    [seen] = provider.seen
    assert (seen.path, seen.body) == ("/v1/models", None)


async def test_what_is_no_list() -> None:
    async with Loopback(
        played({"models": []}), played({"error": {"message": "no", "code": "invalid_api_key"}})
    ).listening() as provider:
        model = OpenAIModel(api_key=KEY, base_url=provider.base + "/v1")
        with pytest.raises(BrokenStream):
            await model.models()
        with pytest.raises(ProviderKeyRefused):
            await model.models()
        await model.close()


async def test_tokens_are_counted_where_a_row_knows_how() -> None:
    async with Loopback(played({"input_tokens": 32}), played({})).listening() as provider:
        base = provider.base + "/v1"
        model = OpenAIModel(api_key=None, dialect=replace(ROWS["llamacpp"], base_url=base))
        assert await model.count_tokens(HELLO) == 32
        assert await model.count_tokens(HELLO) is None
        await model.close()
        assert provider.seen[0].path == "/v1/chat/completions/input_tokens"
        assert await OpenAIModel(api_key=KEY, base_url=base).count_tokens(HELLO) is None
        assert len(provider.seen) == 2


@pytest.mark.parametrize(
    ("query", "version"), [("", "2024-10-21"), ("?api-version=2025-01-01-preview", "2025-01-01-preview")]
)
async def test_azure_names_the_model_in_the_url(query: str, version: str) -> None:
    data = played({"data": [{"embedding": [1.0]}]})
    async with Loopback(Play((STREAM,)), played(ANSWER), data, played({"data": []})).listening() as provider:
        model = OpenAIModel(api_key=KEY, base_url=provider.base + query, dialect=ROWS["azure"])
        for request in (HELLO, WHOLE):
            await told(model, request)
        await model.embed(EmbedRequest("some.model", ("a",)))
        await model.models()
        await model.close()
    assert [seen.path for seen in provider.seen] == [
        f"/openai/deployments/some-model/chat/completions?api-version={version}",
        f"/openai/deployments/some-model/chat/completions?api-version={version}",
        f"/openai/deployments/some.model/embeddings?api-version={version}",
        f"/openai/models?api-version={version}",
    ]
    assert {seen.headers["api-key"] for seen in provider.seen} == {KEY}
    assert not any("authorization" in seen.headers for seen in provider.seen)


@pytest.mark.parametrize("name", ["", "..", "a/b", "a?b", "é", "a" * 201])
async def test_what_no_deployment_is_called_is_not_asked_for(name: str) -> None:
    model = OpenAIModel(api_key=KEY, base_url="http://127.0.0.1:1", dialect=ROWS["azure"])
    events = model.stream(replace(HELLO, model=name))
    with pytest.raises(NoSuchModel):
        await anext(events)
    with pytest.raises(NoSuchModel):
        await model.embed(EmbedRequest(name, ("a",)))


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://x.openai.azure.com", "https://x.openai.azure.com/openai/deployments/m/chat/completions"),
        (
            "https://x.openai.azure.com/openai/",
            "https://x.openai.azure.com/openai/deployments/m/chat/completions",
        ),
        ("https://x.openai.azure.com/openai/v1/", "https://x.openai.azure.com/openai/v1/chat/completions"),
    ],
)
def test_azures_two_forms(base: str, url: str) -> None:
    dialect = localised(ROWS["azure"], base)
    assert str(Routes(dialect).to("chat/completions", "m").with_query(None)) == url
    assert localised(OPENAI, base) == replace(dialect, name="openai")


def test_an_address_of_a_known_server_brings_its_ways_along() -> None:
    groq = localised(OPENAI, "https://api.groq.com/openai/v1/")
    assert groq == replace(ROWS["groq"], name="openai", base_url="https://api.groq.com/openai/v1/")
    assert localised(OPENAI, "http://127.0.0.1:8000/v1").thoughts == ""


@pytest.mark.parametrize("row", ROWS)
def test_every_row_can_be_built(row: str) -> None:
    dialect = ROWS[row]
    assert dialect.name == row
    if dialect.needs_key:
        with pytest.raises(ProviderNotConfigured) as raised:
            OpenAIModel(api_key=None, dialect=dialect)
        assert raised.value.details["setting"] == f"{row.upper()}_API_KEY"
    if dialect.base_url:
        assert OpenAIModel(api_key=KEY, dialect=dialect).provider == row
    else:
        with pytest.raises(ProviderNotConfigured) as raised:
            OpenAIModel(api_key=KEY, dialect=dialect)
        assert raised.value.details["setting"] == f"{row.upper()}_BASE_URL"


async def test_thoughts_are_kept_for_the_servers_that_want_them_back() -> None:
    stream = chunk({"reasoning_content": "Hm"}) + chunk({"content": "Sim"}, "stop")
    async with Loopback(Play((stream,))).listening() as provider:
        dialect = replace(ROWS["deepseek"], base_url=provider.base)
        model = OpenAIModel(api_key=KEY, dialect=dialect)
        events = [event async for event in model.stream(HELLO)]
        await model.close()
    assert [type(event).__name__ for event in events] == ["ThinkingDelta", "Thought", "TextDelta", "Finish"]
    assert provider.seen[0].path == "/chat/completions"


@pytest.mark.parametrize(
    ("steps", "kind"),
    [
        ((asyncio.Event(),), ProviderTimeout),
        ((b'{"choices": [', asyncio.Event()), ProviderTimeout),
        ((CUT,), BrokenStream),
        ((b'{"choices": [', CUT), BrokenStream),
        ((b'{"choices": [',), BrokenStream),
        ((b"nonsense",), BrokenStream),
        ((), BrokenStream),
    ],
)
async def test_faults_of_an_answer_in_one_piece(steps: tuple[Step, ...], kind: type[ProviderError]) -> None:
    async with Loopback(Play(steps)).listening() as provider:
        model = OpenAIModel(api_key=KEY, base_url=provider.base + "/v1", timeouts=Timeouts(whole=0.2))
        with pytest.raises(ProviderError) as raised:
            await told(model, WHOLE)
        assert type(raised.value) is kind
        await model.close()
    with pytest.raises(ProviderUnreachable):
        await told(model, WHOLE)
    await model.close()


@pytest.mark.parametrize("before", [(), (b'{"choices": [',)])
async def test_who_waits_for_a_whole_answer_no_longer_hangs_up(before: tuple[Step, ...]) -> None:
    async with Loopback(Play((*before, asyncio.Event()))).listening() as provider:
        model = OpenAIModel(api_key=KEY, base_url=provider.base + "/v1")
        waiting = asyncio.create_task(told(model, WHOLE))
        async with asyncio.timeout(2):
            await provider.heard.wait()
            waiting.cancel()
            await provider.gone.wait()
        await asyncio.wait([waiting])
        assert waiting.cancelled()
        await model.close()


async def test_an_answer_without_end_is_cut() -> None:
    endless = Play((b'{"choices": [{"message": {"content": "', *([b"x" * 1024 * 1024] * 80)))
    async with Loopback(endless).listening() as provider:
        model = OpenAIModel(api_key=KEY, base_url=provider.base + "/v1")
        for request in (HELLO, WHOLE):
            with pytest.raises(BrokenStream):
                await told(model, request)
        await model.close()


def test_the_base_of_a_row_has_to_be_an_address() -> None:
    with pytest.raises(MisconfiguredError):
        OpenAIModel(api_key=KEY, dialect=Dialect("odd", "nonsense"))


async def test_a_404_says_which_model_there_is_none_of() -> None:
    answer = played(
        {"error": {"code": "DeploymentNotFound", "message": "The API deployment does not exist."}}, 404
    )
    async with Loopback(answer).listening() as provider:
        model = OpenAIModel(api_key=KEY, base_url=provider.base, dialect=ROWS["azure"])
        with pytest.raises(ProviderError) as raised:
            await told(model, HELLO)
        await model.close()
    assert (type(raised.value), raised.value.details["model"]) == (NoSuchModel, HELLO.model)


async def test_a_plain_answer() -> None:
    async with Loopback(played(ANSWER)).listening() as provider:
        model = OpenAIModel(api_key=KEY, base_url=provider.base + "/v1")
        events = [event async for event in model.stream(WHOLE)]
        await model.close()
    assert events[0] == TextDelta("Oi!")
    assert events[-1] == STOP
