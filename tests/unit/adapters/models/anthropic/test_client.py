"""The calls beside streaming, over loopback."""

from typing import Any

import pytest
from msgspec.json import encode
from msgspec.structs import replace
from tests.unit.adapters.models.loopback import Loopback, Play
from tests.unit.adapters.models.speech import HELLO, KEY

from prosa.adapters.models.anthropic.client import MOST_PAGES, AnthropicModel
from prosa.domain.errors import BrokenStream, NoSuchModel, NotSupported, ProviderOverloaded
from prosa.domain.models import (
    ChatRequest,
    EmbedRequest,
    Finish,
    FinishReason,
    ModelCard,
    TextDelta,
    Usage,
    UsageReport,
)

MESSAGE = {
    "type": "message",
    "content": [{"type": "text", "text": "Olá"}],
    "stop_reason": "stop_sequence",
    "stop_sequence": "fim",
    "usage": {"input_tokens": 3, "output_tokens": 2},
}


def play(value: Any, status: int = 200) -> Play:
    return Play((encode(value),), status)


async def test_an_answer_in_one_piece() -> None:
    async with Loopback(play(MESSAGE)).listening() as provider:
        model = AnthropicModel(api_key=KEY, base_url=provider.base)
        events = [event async for event in model.stream(replace(HELLO, whole=True))]
        await model.close()
    assert events == [TextDelta("Olá"), UsageReport(Usage(3, 2)), Finish(FinishReason.STOP, "fim")]
    [seen] = provider.seen
    assert (seen.path, seen.body["stream"]) == ("/v1/messages", False)


async def test_a_prompt_is_cached_where_it_was_asked_for() -> None:
    async with Loopback(play(MESSAGE)).listening() as provider:
        model = AnthropicModel(api_key=KEY, base_url=provider.base, caching=True)
        async for _ in model.stream(replace(HELLO, whole=True)):
            pass
        await model.close()
    [block] = provider.seen[0].body["messages"][0]["content"]
    assert block["cache_control"] == {"type": "ephemeral"}


async def test_tokens_are_counted_by_the_provider() -> None:
    async with Loopback(play({"input_tokens": 14})).listening() as provider:
        model = AnthropicModel(api_key=KEY, base_url=provider.base + "/v1")
        assert await model.count_tokens(HELLO) == 14
        await model.close()
    [seen] = provider.seen
    assert (seen.path, set(seen.body)) == ("/v1/messages/count_tokens", {"model", "messages"})


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_who_cannot_count_says_so(status: int) -> None:
    async with Loopback(Play((b"no such route",), status)).listening() as provider:
        model = AnthropicModel(api_key=KEY, base_url=provider.base)
        assert await model.count_tokens(HELLO) is None
        await model.close()


async def test_a_count_can_fail() -> None:
    missing = {"type": "error", "error": {"type": "not_found_error", "message": "model: some-model"}}
    for failing, kind in ((play(missing, 404), NoSuchModel), (play({}, 529), ProviderOverloaded)):
        async with Loopback(failing).listening() as provider:
            model = AnthropicModel(api_key=KEY, base_url=provider.base)
            with pytest.raises(kind):
                await model.count_tokens(HELLO)
            await model.close()


def entry(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "display_name": name.title(), "created_at": "1970-01-01T00:00:00Z", **more}


async def test_the_models_of_all_pages() -> None:
    first = {"data": [entry("a", max_input_tokens=9)], "has_more": True, "last_id": "a"}
    second = {
        "data": [entry("b", created_at="2026-07-24T00:00:00Z"), {"id": "c", "created_at": "?"}],
        "has_more": None,
    }
    async with Loopback(play(first), play(second)).listening() as provider:
        model = AnthropicModel(api_key=KEY, base_url=provider.base + "?x=1")
        cards = await model.models()
        await model.close()
    assert cards == [
        ModelCard("a", "A", None, 9, "anthropic"),
        ModelCard("b", "B", 1_784_851_200, None, "anthropic"),
        ModelCard("c", None, None, None, "anthropic"),
    ]
    assert [seen.path for seen in provider.seen] == [
        "/v1/models?x=1&limit=1000",
        "/v1/models?x=1&limit=1000&after_id=a",
    ]


async def test_pages_without_end_have_one() -> None:
    endless = {"data": [entry("a")], "has_more": True, "last_id": "a"}
    async with Loopback(play(endless)).listening() as provider:
        model = AnthropicModel(api_key=KEY, base_url=provider.base)
        assert len(await model.models()) == len(provider.seen) == MOST_PAGES
        await model.close()


@pytest.mark.parametrize("told", [b"", b"[]", b'{"data": 3}', b'{"data": [{}]}'])
async def test_a_list_that_is_none_is_broken(told: bytes) -> None:
    async with Loopback(Play((told,))).listening() as provider:
        model = AnthropicModel(api_key=KEY, base_url=provider.base)
        with pytest.raises(BrokenStream):
            await model.models()
        await model.close()


async def test_there_are_no_embeddings() -> None:
    model = AnthropicModel(api_key=KEY)
    with pytest.raises(NotSupported):
        await model.embed(EmbedRequest("m", ("Oi",)))
    await model.close()


async def test_closing_twice_is_safe_and_a_request_is_checked_before_it_is_sent() -> None:
    model = AnthropicModel(api_key=KEY)
    with pytest.raises(Exception, match="no message"):
        await anext(model.stream(ChatRequest("m", ())))
    await model.close()
    await model.close()
