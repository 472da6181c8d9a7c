"""Seed 002's providers: which there are, what they are told, and how they fail."""

import asyncio
from pathlib import Path

import pytest
from tests.unit.adapters.models.loopback import CUT
from tests.unit.direct.conftest import Upstream
from tests.unit.direct.plays import HI, answered, claude_answered, claude_streamed, streamed, told

import prosa
from prosa import LLMFactory, LLMProvider, create_provider
from prosa.adapters.models.fake.client import FakeModel
from prosa.domain.errors import (
    AnswerRestarted,
    BrokenStream,
    ContentRefused,
    InvalidRequest,
    MisconfiguredError,
    NoSuchProvider,
    NotSupported,
    ProviderKeyRefused,
    ProviderNotConfigured,
)


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("openai", "OPENAI_API_KEY"),
        ("anthropic", "ANTHROPIC_API_KEY"),
        ("mistral", "MISTRAL_API_KEY"),
        ("ollama", "OLLAMA_SERVER"),
        ("groq", "GROQ_API_KEY"),
    ],
)
def test_without_a_key(name: str, setting: str, upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    del upstream
    monkeypatch.delenv("GROQ_API_KEY", raising=False)
    with pytest.raises(ProviderNotConfigured, match=f"{setting} is not set") as missing:
        create_provider(name, model="m")
    assert missing.value.sentence("pt") == f"{setting} não configurado"


async def test_one_that_there_is_not(upstream: Upstream) -> None:
    del upstream
    with pytest.raises(NoSuchProvider, match="no provider called nonsense"):
        create_provider("nonsense", api_key="k", base_url="http://127.0.0.1:1")
    with pytest.raises(NoSuchProvider):
        await prosa.send_openai_message(messages=HI, provider="nonsense")


async def test_one_without_a_usual_model(upstream: Upstream) -> None:
    del upstream
    with pytest.raises(InvalidRequest, match="groq has no default model"):
        create_provider("groq", api_key="k")
    async with create_provider("groq", api_key="k", model="llama") as provider:
        assert (provider.provider, provider.model) == ("groq", "llama")


@pytest.mark.parametrize("options", [{"api_key": "k"}, {"base_url": "http://127.0.0.1:1"}])
def test_the_local_model_is_nowhere_else(options: dict[str, str], upstream: Upstream) -> None:
    del upstream
    for kind in ("local", FakeModel()):
        with pytest.raises(InvalidRequest, match="no api_key and no base_url"):
            create_provider(kind, **options)
    assert create_provider("local").model == "smollm2-135m"


async def test_what_is_given_goes_before_the_settings(upstream: Upstream) -> None:
    settled = await upstream.openai(answered({"content": "no"}))
    there = await upstream.anthropic(claude_answered({"type": "text", "text": "yes"}))
    base = there.base
    await upstream.anthropic(claude_answered({"type": "text", "text": "no"}))
    async with LLMFactory.create_provider("anthropic", api_key="mine", base_url=base) as provider:
        assert isinstance(provider, LLMProvider)
        assert await provider.generate_response("?") == "yes"
    assert there.seen[0].headers["x-api-key"] == "mine"
    assert not settled.seen


async def test_a_table_of_the_settings(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    there = await upstream.openai(answered({"content": "yes"}))
    monkeypatch.setenv("LAB_KEY", "key-of-the-lab")
    settings(
        f'[providers.lab]\nbase_url = "{there.base}"\napi_key_env = "LAB_KEY"\ndefault_model = "lab-1"\n'
        '[routes.quick]\ntargets = ["lab/lab-2"]\n'
    )
    async with create_provider("lab") as provider:
        assert await provider.generate_response("?") == "yes"
    async with create_provider("lab", model="quick", api_key="mine") as provider:
        assert await provider.generate_response("?") == "yes"
    assert [seen.body["model"] for seen in there.seen] == ["lab-1", "lab-2"]
    assert [seen.headers["authorization"] for seen in there.seen] == ["Bearer key-of-the-lab", "Bearer mine"]
    monkeypatch.delenv("LAB_KEY")
    with pytest.raises(MisconfiguredError, match="LAB_KEY"):
        create_provider("lab")
    async with create_provider("lab", api_key="mine") as provider:
        assert provider.model == "lab-1"


async def test_a_model_of_ones_own(upstream: Upstream) -> None:
    del upstream
    async with create_provider(FakeModel()) as provider:
        assert provider.provider == "fake"
        assert await provider.generate_response("Oi!") == "You said: Oi!"
        pieces = [piece async for piece in provider.handle_stream(HI)]
        assert len(pieces) > 1
        assert "".join(pieces) == "You said: Hello!"
        near, same = await provider.embed_text("a"), await provider.embed_text("a", dimensions=3)
        assert len(same) == 3
        assert len(near) > 3


async def test_the_same_options_whoever_answers(upstream: Upstream) -> None:
    there = await upstream.anthropic(
        claude_answered({"type": "text", "text": "yes"}), claude_streamed("y", "s")
    )
    async with create_provider("anthropic") as provider:
        options = {"temperature": 0.5, "max_tokens": 7, "stop": "END", "model": "claude-haiku-4-5"}
        assert await provider.generate_response("?", system="Brief.", **options) == "yes"
        assert "".join([piece async for piece in provider.handle_stream(HI, **options)]) == "ys"
    whole, stream = (seen.body for seen in there.seen)
    assert whole["system"] == "Brief."
    for body in (whole, stream):
        said = {name: body[name] for name in ("temperature", "max_tokens", "stop_sequences", "model")}
        assert said == {
            "temperature": 0.5,
            "max_tokens": 7,
            "stop_sequences": ["END"],
            "model": "claude-haiku-4-5",
        }


async def test_an_answer_that_nobody_bounds(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROSA_MAX_OUTPUT_TOKENS", "321")
    there = await upstream.openai(answered({"content": "yes"}))
    async with create_provider("openai") as provider:
        await provider.generate_response("?")
    assert there.seen[0].body["max_tokens"] == 321


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"temperature": 3}, InvalidRequest, r"`\$.temperature`"),
        ({"temprature": 1}, InvalidRequest, "temprature"),
        ({"max_tokens": 0}, InvalidRequest, r"`\$.max_tokens`"),
        ({"stream": True}, InvalidRequest, "no options here"),
        ({"n": 2}, NotSupported, "`n`"),
        ({"logprobs": True}, NotSupported, "logprobs"),
        ({"functions": [{"name": "f"}]}, NotSupported, "`functions`"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, NotSupported, "`tools`"),
        ({"stop": object()}, InvalidRequest, "object"),
    ],
)
async def test_options_that_are_wrong(
    options: dict[str, object], error: type[Exception], text: str, upstream: Upstream
) -> None:
    there = await upstream.openai(answered({"content": "no"}))
    async with create_provider("openai") as provider:
        with pytest.raises(error, match=text):
            await provider.generate_response("?", **options)
        with pytest.raises(error, match=text):
            await anext(provider.handle_stream(HI, **options))
    assert not there.seen


async def test_messages_that_are_wrong(upstream: Upstream) -> None:
    await upstream.openai(answered({"content": "no"}))
    async with create_provider("openai") as provider:
        for messages in ([], [{"role": "nobody", "content": "?"}], [{"role": "user"}], "Hello!", None, 7):
            with pytest.raises(InvalidRequest, match=r"\$.messages"):
                await anext(provider.handle_stream(messages))
        deep: list[object] = []
        for _ in range(100_000):
            deep = [deep]
        with pytest.raises(InvalidRequest, match="too deeply"):
            await anext(provider.handle_stream([{"role": "user", "content": deep}]))


async def test_a_key_that_is_refused(upstream: Upstream) -> None:
    await upstream.openai(told({"error": {"message": "Incorrect API key provided: key-of-openai"}}, 401))
    async with create_provider("openai", api_key="key-of-mine") as provider:
        with pytest.raises(ProviderKeyRefused) as refused:
            await provider.generate_response("?")
    assert "key-of" not in str(refused.value)


async def test_no_word_of_an_answer(upstream: Upstream) -> None:
    filtered = streamed(reason="content_filter")
    await upstream.openai(answered({"content": None}, "content_filter"), filtered)
    async with create_provider("openai") as provider:
        with pytest.raises(ContentRefused):
            await provider.generate_response("?")
        with pytest.raises(ContentRefused):
            await anext(provider.handle_stream(HI))


async def test_an_answer_that_breaks_off(upstream: Upstream) -> None:
    gate = asyncio.Event()
    await upstream.openai(streamed("Hel", gate, CUT))
    async with create_provider("openai") as provider:
        stream = provider.handle_stream(HI)
        assert await anext(stream) == "Hel"
        gate.set()
        with pytest.raises(BrokenStream):
            await anext(stream)


async def test_whoever_leaves_stops_the_provider(upstream: Upstream) -> None:
    there = await upstream.openai(streamed("Hel", asyncio.Event()))
    async with create_provider("openai") as provider:
        stream = provider.handle_stream(HI)
        assert await anext(stream) == "Hel"
        await stream.aclose()
        async with asyncio.timeout(5):
            await there.gone.wait()


async def test_an_answer_that_begins_anew(upstream: Upstream) -> None:
    """Another target of a route takes it up; what was told can't be taken back, what was not is forgotten."""
    gate = asyncio.Event()
    await upstream.openai(streamed("Hel", gate, CUT))
    await upstream.anthropic(claude_streamed("Hi"), claude_answered({"type": "text", "text": "Hi"}))
    settings('[routes.two]\ntargets = ["openai/gpt-x", "anthropic/claude-haiku-4-5"]\n')
    stream = await prosa.send_openai_message(messages=HI, model="two", stream=True)
    assert await anext(stream) == "Hel"
    gate.set()
    with pytest.raises(AnswerRestarted):
        await anext(stream)
    assert stream.message is None
    message = await prosa.send_openai_message(messages=HI, model="two")
    assert (message.content, message.provider, message.model) == ("Hi", "anthropic", "claude-haiku-4-5")


def settings(text: str) -> None:
    Path("prosa.toml").write_text(text, encoding="utf-8")
