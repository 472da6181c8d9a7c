"""The embedded model behind Anthropic's wire, which its server speaks too: a real model on the other end."""

from collections.abc import AsyncIterator, Callable

import pytest
from msgspec.structs import replace

from prosa.adapters.models.anthropic.client import AnthropicModel
from prosa.adapters.models.local.server import LocalServer
from prosa.adapters.models.local.weights import find
from prosa.domain.content import TextPart, ToolCall, ToolResult
from prosa.domain.errors import ContextTooLong, ProviderKeyRefused, ProviderNotConfigured
from prosa.domain.models import (
    ChatRequest,
    Finish,
    FinishReason,
    ModelEvent,
    Role,
    TextDelta,
    ToolSpec,
    Turn,
    UsageReport,
    turn,
)
from prosa.services.models.generate import generate


def missing() -> bool:
    try:
        find()
    except ProviderNotConfigured:
        return True
    return False


pytestmark = [
    pytest.mark.model,
    pytest.mark.skipif(missing(), reason="The embedded model is not installed: requirements-model.txt."),
]

ASKED = ChatRequest(
    "smollm2-135m", (Turn(Role.USER, "Tell me a story about a dragon."),), system="Be kind.", max_tokens=16
)
LOOP = (
    Turn(Role.USER, "What time is it?"),
    turn(Role.ASSISTANT, TextPart("I look."), ToolCall("toolu_1", "clock", '{"zone": "BRT"}')),
    turn(Role.TOOL, ToolResult("toolu_1", "12:00", "clock")),
)
Make = Callable[..., AnthropicModel]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Connections of one's own for each call: this server closes them after a stream."""
    server = LocalServer()
    address = await server.address()
    made: list[AnthropicModel] = []

    def model(api_key: str = address.api_key) -> AnthropicModel:
        made.append(AnthropicModel(api_key=api_key, base_url=address.base_url))
        return made[-1]

    yield model
    for each in made:
        await each.close()
    await server.close()


async def heard(model: AnthropicModel, request: ChatRequest) -> list[ModelEvent]:
    return [event async for event in model.stream(request)]


def text(events: list[ModelEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


async def test_it_answers_in_a_stream_and_whole_and_counts_alike(make: Make) -> None:
    streamed = await heard(make(), ASKED)
    completion = await generate(make(), ASKED)
    counted = await make().count_tokens(ASKED)
    assert len([event for event in streamed if isinstance(event, TextDelta)]) > 1
    assert text(streamed).strip()
    assert completion.text.strip()
    assert streamed[-1] == Finish(FinishReason.LENGTH)
    assert completion.reason is FinishReason.LENGTH
    usage = [event.usage for event in streamed if isinstance(event, UsageReport)][-1]
    assert completion.usage is not None
    assert usage.prompt_tokens == completion.usage.prompt_tokens == counted
    assert usage.completion_tokens == completion.usage.completion_tokens == 16


async def test_a_stop_sequence_is_told(make: Make) -> None:
    for whole in (False, True):
        events = await heard(make(), replace(ASKED, stop=("e",), max_tokens=200, whole=whole))
        assert events[-1] == Finish(FinishReason.STOP, "e")
        assert "e" not in text(events)


async def test_a_loop_of_tools_is_understood(make: Make) -> None:
    request = replace(ASKED, turns=LOOP, tools=(ToolSpec("clock", "Tells the time."),))
    assert text(await heard(make(), request)).strip()
    plain = replace(ASKED, turns=LOOP[:1])
    assert (await make().count_tokens(request) or 0) > (await make().count_tokens(plain) or 0)


async def test_it_says_which_models_it_has(make: Make) -> None:
    assert [card.id for card in await make().models()] == ["smollm2-135m"]


@pytest.mark.parametrize("whole", [False, True])
async def test_a_conversation_beyond_its_context_is_told_as_such(make: Make, whole: bool) -> None:
    with pytest.raises(ContextTooLong):
        await heard(make(), replace(ASKED, turns=(Turn(Role.USER, "word " * 9_000),), whole=whole))


async def test_a_wrong_key_is_refused(make: Make) -> None:
    with pytest.raises(ProviderKeyRefused):
        await heard(make("wrong-key"), ASKED)
