"""The way to a provider and back: what is sent, how long it may take, and what an error never tells."""

import asyncio
import gzip
import traceback

import pytest
from tests.unit.adapters.models.loopback import CUT, Loopback, Play, Step
from tests.unit.adapters.models.speech import HELLO, KEY, SPEECHES, Speech, text_of
from yarl import URL

from prosa.adapters.models.anthropic.client import AnthropicModel
from prosa.adapters.models.http import MOST_OF_AN_ERROR, Timeouts, endpoint
from prosa.adapters.models.mistral.client import MistralModel
from prosa.adapters.models.ollama.client import OllamaModel
from prosa.adapters.models.openai.client import OpenAIModel
from prosa.domain.errors import (
    BrokenStream,
    MisconfiguredError,
    ProviderError,
    ProviderNotConfigured,
    ProviderTimeout,
)
from prosa.domain.models import Finish, ModelEvent
from prosa.ports.models import ChatModel

every_provider = pytest.mark.parametrize("speech", SPEECHES.values(), ids=SPEECHES)
OPENAI = SPEECHES["openai"]
SOON = 0.05
"""Seconds: long enough for loopback, short enough to wait for."""


async def heard(model: ChatModel) -> list[ModelEvent]:
    try:
        return [event async for event in model.stream(HELLO)]
    finally:
        await model.close()


async def fault_of(model: ChatModel) -> ProviderError:
    with pytest.raises(ProviderError) as raised:
        await heard(model)
    return raised.value


@every_provider
async def test_what_is_sent(speech: Speech) -> None:
    async with Loopback(Play((speech.whole("Oi"),))).listening() as provider:
        await heard(speech.make(provider.base))
    (seen,) = provider.seen
    assert (
        seen.path
        == {
            "openai": "/v1/chat/completions",
            "anthropic": "/v1/messages",
            "mistral": "/v1/chat/completions",
            "ollama": "/api/chat",
        }[speech.provider]
    )
    assert seen.body["model"] == HELLO.model
    assert seen.body["stream"] is True
    assert seen.headers["content-type"] == "application/json"
    key = seen.headers["x-api-key" if speech.provider == "anthropic" else "authorization"]
    assert key.removeprefix("Bearer ") == KEY
    assert "cookie" not in seen.headers


@every_provider
async def test_an_answered_connection_serves_the_next_request(speech: Speech) -> None:
    play = Play((speech.whole("Oi"),), headers={"set-cookie": "a=b"})
    async with Loopback(play).listening() as provider:
        model = speech.make(provider.base)
        for _ in range(3):
            assert text_of([event async for event in model.stream(HELLO)]) == "Oi"
        await model.close()
    assert (provider.connections, len(provider.seen)) == (1, 3)
    assert not any("cookie" in seen.headers for seen in provider.seen)


@every_provider
async def test_the_end_is_told_before_the_connection_ends(speech: Speech) -> None:
    never = asyncio.Event()
    async with Loopback(Play((speech.whole("Oi"), never))).listening() as provider:
        events = await heard(speech.make(provider.base))
        assert isinstance(events[-1], Finish)
        async with asyncio.timeout(1):
            await provider.gone.wait()


@pytest.mark.parametrize(
    ("steps", "timeouts"),
    [
        ((asyncio.Event(),), Timeouts(first=SOON)),
        ((OPENAI.text("Me"), asyncio.Event()), Timeouts(silence=SOON)),
        ((b": ping\n\n", asyncio.Event()), Timeouts(silence=SOON, first=9)),
    ],
)
async def test_silence_has_an_end(steps: tuple[Step, ...], timeouts: Timeouts) -> None:
    async with Loopback(Play(steps)).listening() as provider:
        assert type(await fault_of(OPENAI.make(provider.base, timeouts))) is ProviderTimeout
        async with asyncio.timeout(1):
            await provider.gone.wait()


@pytest.mark.hostile(32)
async def test_signs_of_life_are_no_answer() -> None:
    gates = [asyncio.Event() for _ in range(40)]
    steps = tuple(step for gate in gates for step in (b": ping\n\n", gate))
    async with Loopback(Play(steps)).listening() as provider, asyncio.TaskGroup() as tasks:

        async def ping() -> None:
            for gate in gates:
                await asyncio.sleep(SOON / 10)
                gate.set()

        pinging = tasks.create_task(ping())
        fault = await fault_of(OPENAI.make(provider.base, Timeouts(eventless=SOON)))
        pinging.cancel()
        assert type(fault) is ProviderTimeout


async def test_a_slow_reader_is_not_a_silent_provider() -> None:
    async with Loopback(Play((OPENAI.text("a"), OPENAI.whole("b")))).listening() as provider:
        model = OPENAI.make(provider.base, Timeouts(silence=SOON))
        texts = []
        async for event in model.stream(HELLO):
            await asyncio.sleep(1.5 * SOON)
            texts.append(event)
        await model.close()
        assert text_of(texts) == "ab"


async def test_a_connection_lost_before_the_answer() -> None:
    async with Loopback(Play((CUT,))).listening() as provider:
        assert type(await fault_of(OPENAI.make(provider.base))) is BrokenStream


async def test_redirects_are_not_followed() -> None:
    async with Loopback(Play(status=307, headers={"location": "/elsewhere"})).listening() as provider:
        fault = await fault_of(OPENAI.make(provider.base))
    assert (type(fault), fault.details["status"], len(provider.seen)) == (ProviderError, 307, 1)


async def test_a_compressed_answer_is_read() -> None:
    play = Play((gzip.compress(OPENAI.whole("Oi")),), headers={"content-encoding": "gzip"})
    async with Loopback(play).listening() as provider:
        assert text_of(await heard(OPENAI.make(provider.base))) == "Oi"


async def test_what_only_claims_to_be_compressed_breaks_off() -> None:
    async with Loopback(
        Play((OPENAI.whole("Oi"),), headers={"content-encoding": "gzip"})
    ).listening() as provider:
        assert type(await fault_of(OPENAI.make(provider.base))) is BrokenStream


async def test_of_an_endless_error_only_the_beginning_is_read() -> None:
    never = asyncio.Event()
    async with Loopback(Play((b"x" * MOST_OF_AN_ERROR, b"x", never), status=500)).listening() as provider:
        async with asyncio.timeout(5):
            assert type(await fault_of(OPENAI.make(provider.base))) is ProviderError


@pytest.mark.hostile(21)
@every_provider
@pytest.mark.parametrize("status", [400, 401, 404, 422, 429, 500])
async def test_no_error_tells_a_secret(speech: Speech, status: int) -> None:
    address = f"https://me:{KEY}@h/v1?key={KEY}&x=other-secret"
    echo = f'"bad key {KEY} for Bearer {KEY} at {address} and sk-other-0123456"'
    body = f'{{"error": {{"message": {echo}, "type": "x"}}, "message": {echo}, "detail": {echo}}}'
    async with Loopback(Play((body.encode(),), status)).listening() as provider:
        fault = await fault_of(speech.make(provider.base))
    told = f"{fault} {fault.details} {fault.sentence('pt')} {''.join(traceback.format_exception(fault))}"
    for secret in (KEY, "other-secret", "sk-other", provider.base):
        assert secret not in told


@pytest.mark.hostile(21)
async def test_no_error_in_mid_stream_tells_a_secret() -> None:
    frame = f'data: {{"error": {{"code": 400, "message": "bad {KEY}"}}}}\n\n'.encode()
    async with Loopback(Play((OPENAI.text("Me") + frame,))).listening() as provider:
        fault = await fault_of(OPENAI.make(provider.base))
    assert KEY not in f"{fault} {fault.details}"


@pytest.mark.hostile(21)
@pytest.mark.parametrize("step", [CUT, asyncio.Event()])
async def test_no_lost_connection_tells_the_address(step: Step) -> None:
    async with Loopback(Play((step,))).listening() as provider:
        base = provider.base.replace("http://", "http://user:secret-word@") + "?key=other-secret"
        fault = await fault_of(OllamaModel(base_url=base, timeouts=Timeouts(first=SOON)))
    told = f"{fault} {fault.details} {''.join(traceback.format_exception(fault))}"
    assert "secret-word" not in told
    assert "other-secret" not in told
    assert provider.seen[0].path == "/api/chat?key=other-secret"


async def test_a_short_word_is_no_secret() -> None:
    frame = b'{"error": "at most 1 of these"}'
    async with Loopback(Play((frame,), 400)).listening() as provider:
        fault = await fault_of(OllamaModel(base_url=provider.base + "?version=1"))
    assert fault.details["detail"] == "at most 1 of these"


async def test_a_key_is_asked_for_only_where_one_is_needed() -> None:
    with pytest.raises(ProviderNotConfigured):
        OpenAIModel(api_key=None)
    async with Loopback(Play((OPENAI.whole("Oi"),))).listening() as provider:
        await heard(OpenAIModel(api_key=None, base_url=provider.base + "/v1"))
    assert "authorization" not in provider.seen[0].headers


@pytest.mark.parametrize("key", ["sk-line\nbreak", "sk-é", "sk-\0"])
def test_a_key_that_cannot_be_one_is_refused_without_showing_it(key: str) -> None:
    for make in (OpenAIModel, AnthropicModel, MistralModel):
        with pytest.raises(MisconfiguredError) as raised:
            make(api_key=key)
        assert "sk-" not in str(raised.value)


@pytest.mark.parametrize(
    "url", ["", "nonsense", "file:///etc", "http://", "http://[::1", "http://u:p@h:99999/"]
)
def test_an_address_that_cannot_be_one_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(MisconfiguredError) as raised:
        endpoint("openai", url, "chat/completions")
    assert not url or url not in str(raised.value)


def test_an_address_with_a_user_beside_a_key_is_refused() -> None:
    with pytest.raises(MisconfiguredError):
        MistralModel(api_key="k", base_url="https://user:pass@h.example")


@pytest.mark.parametrize(
    ("base", "path", "url"),
    [
        ("https://h.example", "v1/messages", "https://h.example/v1/messages"),
        ("https://h.example/", "v1/messages", "https://h.example/v1/messages"),
        ("https://h.example/v1", "v1/messages", "https://h.example/v1/messages"),
        ("https://h.example/a/v1/", "v1/messages", "https://h.example/a/v1/messages"),
        ("https://h.example/v1?x=1", "chat/completions", "https://h.example/v1/chat/completions?x=1"),
    ],
)
def test_the_endpoint_below_a_base(base: str, path: str, url: str) -> None:
    assert endpoint("p", base, path) == URL(url)
