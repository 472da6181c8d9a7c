"""OpenAI's wire spoken with a real model: the embedded one, through the adapter that speaks to all others."""

import json
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace
from tests.contract.test_local import asking, connect, missing, text

from prosa.adapters.models.local.model import LocalModel
from prosa.adapters.models.local.server import CONTEXT, LocalServer
from prosa.domain.content import ThinkingPart, ToolCall, ToolResult
from prosa.domain.errors import NotSupported, ProviderRefused
from prosa.domain.models import (
    ChatRequest,
    EmbedRequest,
    Finish,
    FinishReason,
    ModelEvent,
    ResponseFormat,
    Role,
    ToolChoice,
    ToolSpec,
    Turn,
    UsageReport,
    turn,
)
from prosa.services.models.generate import generate

pytestmark = [
    pytest.mark.model,
    pytest.mark.skipif(missing(), reason="The embedded model is not installed: requirements-model.txt."),
]

SCHEMA = {
    "type": "object",
    "properties": {"city": {"enum": ["Braga", "Porto"]}, "people": {"type": "integer", "maximum": 99}},
    "required": ["city", "people"],
    "additionalProperties": False,
}
STORY = replace(asking("Tell me a story about a dragon.", 24), temperature=0.0, seed=7)


@pytest.fixture
async def model() -> AsyncIterator[LocalModel]:
    model = LocalModel(LocalServer(), connect)
    yield model
    await model.close()


async def heard(model: LocalModel, request: ChatRequest) -> list[ModelEvent]:
    return [event async for event in model.stream(request)]


async def test_streamed_and_whole_it_says_the_same(model: LocalModel) -> None:
    streamed = await heard(model, STORY)
    whole = await heard(model, replace(STORY, whole=True))
    assert text(streamed) == text(whole) != ""
    assert streamed[-1] == whole[-1] == Finish(FinishReason.LENGTH)
    [first], [second] = (
        [event for event in told if isinstance(event, UsageReport)] for told in (streamed, whole)
    )
    assert first.usage.completion_tokens == second.usage.completion_tokens == 24
    assert first.usage.prompt_tokens == second.usage.prompt_tokens
    assert await model.count_tokens(STORY) == first.usage.prompt_tokens


async def test_an_answer_that_fits_a_schema(model: LocalModel) -> None:
    wanted = ResponseFormat("json_schema", "town", SCHEMA, strict=True)
    for request in (STORY, replace(STORY, whole=True)):
        events = await heard(model, replace(request, response_format=wanted, max_tokens=200))
        said = json.loads(text(events))
        assert said["city"] in {"Braga", "Porto"}
        assert isinstance(said["people"], int)


async def test_a_stop_sequence_ends_the_answer(model: LocalModel) -> None:
    said = (await generate(model, STORY)).text
    stop = said.split()[3]
    cut = await generate(model, replace(STORY, stop=(stop,)))
    assert said.startswith(cut.text)
    assert stop not in cut.text
    assert cut.reason is FinishReason.STOP


async def test_a_conversation_with_tools(model: LocalModel) -> None:
    tool = ToolSpec("weather", "Tells the weather of a city.", SCHEMA)
    turns = (
        Turn(Role.USER, "What is the weather in Porto?"),
        turn(Role.ASSISTANT, ThinkingPart("Hm", provider="local"), ToolCall("x", "weather", "{}")),
        turn(Role.TOOL, ToolResult("x", "It rains.", "weather")),
    )
    asked = ChatRequest("smollm2-135m", turns, max_tokens=8, tools=(tool,), tool_choice=ToolChoice("auto"))
    assert text(await heard(model, asked))
    assert (await generate(model, asked)).text


async def test_one_request_after_the_other(model: LocalModel) -> None:
    for whole in (False, False, True, True, False):
        assert text(await heard(model, replace(STORY, max_tokens=2, whole=whole)))


async def test_it_lists_itself(model: LocalModel) -> None:
    [card] = await model.models()
    assert (card.id, card.window) == ("smollm2-135m", CONTEXT)


async def test_what_it_cannot_do_is_said_in_its_own_name(model: LocalModel) -> None:
    with pytest.raises(NotSupported, match="smollm2"):
        await model.embed(EmbedRequest("smollm2-135m", ("a",)))
    odd = ResponseFormat("json_schema", "odd", {"type": "nonsense"})
    with pytest.raises(ProviderRefused, match="local"):
        await heard(model, replace(STORY, response_format=odd))


async def test_a_conversation_of_several_turns(model: LocalModel) -> None:
    turns = (Turn(Role.USER, "Hi."), Turn(Role.ASSISTANT, "Hello!"), Turn(Role.USER, "Say hello again."))
    assert text(await heard(model, ChatRequest("smollm2-135m", turns, system="Be brief.", max_tokens=8)))
