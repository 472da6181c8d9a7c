"""What a provider is sent, and what becomes of its answer."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.services.guard.test_placeholders import TEXTS, cut
from tests.unit.services.models.scripts import STOP

from prosa.adapters.models.fake.client import FakeModel, Step
from prosa.domain.content import DocumentPart, ImagePart, TextPart, ThinkingPart, ToolCall, ToolResult
from prosa.domain.errors import ProviderOverloaded
from prosa.domain.models import (
    Asked,
    ChatRequest,
    EmbedRequest,
    ModelEvent,
    Reset,
    Role,
    TextDelta,
    ThinkingDelta,
    Thought,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    Turn,
)
from prosa.services.guard.guarded import Guarded, Plan
from prosa.services.guard.rules import Rule
from prosa.services.guard.tables import CheckTable, MaskingTable

RESTORING = Plan(MaskingTable(restore=True))
BAD = CheckTable(words=("x@y",), on=("output",))
BOTH = Plan(MaskingTable(on=("input", "output"), restore=True))


def asking(*contents: str, **fields: Any) -> ChatRequest:
    return ChatRequest("m", tuple(Turn(Role.USER, content) for content in contents), **fields)


async def told(plan: Plan, script: Sequence[Step], request: ChatRequest) -> list[ModelEvent]:
    return [event async for event in Guarded(FakeModel(script), plan).stream(request)]


def text(events: Sequence[ModelEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


async def test_what_is_sent() -> None:
    model = FakeModel(["ok"])
    turns = (
        Turn(Role.USER, "I am a@b.io"),
        Turn(
            Role.ASSISTANT,
            "Hm.",
            (
                ThinkingPart("a@b.io", signature="s"),
                TextPart("Hm."),
                ToolCall("1", "f", '{"to": "a@b.io", "tel": 11987654321, "n": 1}'),
                ToolCall("2", "f", '{"to": "a@b.io'),
            ),
        ),
        Turn(Role.TOOL, "", (ToolResult("1", "sent to c@d.io"),)),
        Turn(
            Role.USER,
            "See c@d.io",
            (
                DocumentPart("text/csv", b"c@d.io;52998224725", name="x.csv"),
                DocumentPart("application/pdf", b"a@b.io", name="x.pdf"),
                ImagePart("image/png", b"a@b.io", name="a@b.io"),
                TextPart("See c@d.io"),
            ),
        ),
    )
    request = ChatRequest("m", turns, system="Ask a@b.io")
    guarded = Guarded(model, Plan(MaskingTable()))
    assert [event async for event in guarded.stream(request)][-1] == STOP
    sent = model.calls[0].request
    assert sent.system == "Ask [EMAIL_1]"
    assert sent.turns[0] == Turn(Role.USER, "I am [EMAIL_1]")
    assert sent.turns[1].parts == (
        ThinkingPart("a@b.io", signature="s"),
        TextPart("Hm."),
        ToolCall("1", "f", '{"to":"[EMAIL_1]","tel":"[PHONE_1]","n":1}'),
        ToolCall("2", "f", '{"to": "[EMAIL_1]'),
    )
    assert sent.turns[2].parts == (ToolResult("1", "sent to [EMAIL_2]"),)
    assert sent.turns[3] == Turn(
        Role.USER,
        "See [EMAIL_2]",
        (
            DocumentPart("text/csv", b"[EMAIL_2];[CPF_1]", name="x.csv"),
            DocumentPart("application/pdf", b"a@b.io", name="x.pdf"),
            ImagePart("image/png", b"a@b.io", name="[EMAIL_1]"),
            TextPart("See [EMAIL_2]"),
        ),
    )


async def test_files_that_are_text_are_read_and_masked_once() -> None:
    asked = []

    async def read(user: str, files: Sequence[str]) -> Mapping[str, bytes]:
        asked.append((user, [*files]))
        return {"f1": b"a@b.io"}

    model = FakeModel(["ok"])
    parts = (
        DocumentPart("text/plain", name="x.txt", file="f1", size=6),
        DocumentPart("text/plain", name="y.txt", file="f2", size=6),
        ImagePart("image/png", name="z.png", file="f3", size=6),
    )
    request = ChatRequest("m", (Turn(Role.USER, "", parts),), user="ana")
    assert [event async for event in Guarded(model, Plan(MaskingTable()), read).stream(request)]
    assert asked == [("ana", ["f1", "f2"])]
    assert model.calls[0].request.turns[0].parts == (
        DocumentPart("text/plain", b"[EMAIL_1]", name="x.txt", size=6),
        TextPart("[The file y.txt is not there any more.]"),
        ImagePart("image/png", name="z.png", file="f3", size=6),
    )


async def test_counts_and_vectors_see_no_more_than_answers() -> None:
    asked: list[Any] = []

    class Heard(FakeModel):
        async def count_tokens(self, request: ChatRequest) -> int | None:
            asked.append(request.turns[0].content)
            return await super().count_tokens(request)

        async def embed(self, request: EmbedRequest) -> Any:
            asked.append(request.texts)
            return await super().embed(request)

    guarded = Guarded(Heard(), Plan(MaskingTable()))
    await guarded.count_tokens(asking("a@b.io"))
    await guarded.embed(EmbedRequest("m", ("a@b.io", "c@d.io and a@b.io")))
    assert asked == ["[EMAIL_1]", ("[EMAIL_1]", "[EMAIL_2] and [EMAIL_1]")]


async def test_the_reader_gets_the_value_again() -> None:
    script = ["Dear [EM", "AIL_1", "], ", "not [EMAIL_2]"]
    assert text(await told(RESTORING, script, asking("a@b.io"))) == "Dear a@b.io, not [EMAIL_2]"


async def test_or_does_not() -> None:
    script = ["Dear [EM", "AIL_1", "]"]
    assert text(await told(Plan(MaskingTable()), script, asking("a@b.io"))) == "Dear [EMAIL_1]"


async def test_what_the_model_says_by_itself() -> None:
    script = ["Write to x", "@y.i", "o or [EMAIL_1] or a@b", ".io", " at once"]
    events = await told(BOTH, script, asking("a@b.io"))
    assert text(events) == "Write to [EMAIL_2] or a@b.io or a@b.io at once"
    assert events[0] == TextDelta("Write to ")


async def test_arguments_of_calls_are_json_still() -> None:
    value = "+55 11 91234-5678"
    script: list[Step] = [
        "Calling [PH",
        ToolCallStart("1", "f"),
        ToolCallStart("2", "f"),
        ToolCallDelta("1", '{"tel": "[PHO'),
        ToolCallDelta("2", '{"tel": "'),
        ToolCallDelta("1", 'NE_1]"}'),
        ToolCallDelta("2", "[PHONE_1"),
        ToolCallEnd("1"),
        ToolCallEnd("2"),
    ]
    events = await told(RESTORING, script, asking(value))
    assert events[:2] == [TextDelta("Calling "), TextDelta("[PH")]
    written = {
        identity: "".join(
            each.text for each in events if isinstance(each, ToolCallDelta) and each.id == identity
        )
        for identity in ("1", "2")
    }
    assert written == {"1": f'{{"tel": "{value}"}}', "2": '{"tel": "[PHONE_1'}
    assert [type(each) for each in events[-3:]] == [ToolCallDelta, ToolCallEnd, type(STOP)]


async def test_thoughts_come_before_words_and_keep_their_placeholders() -> None:
    signed = ThinkingPart("[EMAIL_1] x@y.io", signature="s")
    script = [ThinkingDelta("[EMAIL_1] x@y"), ThinkingDelta(".io"), Thought(signed), "Hi x", "@y.io"]
    events = await told(BOTH, script, asking("a@b.io"))
    assert events == [
        ThinkingDelta("[EMAIL_1] "), ThinkingDelta("[EMAIL_2]"),
        Thought(ThinkingPart("[EMAIL_1] [EMAIL_2]")),  # which is stored: nobody gets to see the other one
        TextDelta("Hi "), TextDelta("[EMAIL_2]"), STOP,
    ]  # fmt: skip
    signed = ThinkingPart("[EMAIL_1]", signature="s")
    script = [ThinkingDelta("[EMAIL"), ThinkingDelta("_1]"), Thought(signed)]
    assert Thought(signed) in await told(BOTH, script, asking("a@b.io"))
    assert Thought(signed) in await told(BOTH, [Thought(signed)], asking("a@b.io"))


@pytest.mark.parametrize(("plan", "told"), [(BOTH, "Hi x@y"), (Plan(None, (Rule("r", BAD),)), "Hi ")])
async def test_what_was_held_back_is_told_before_a_stop(plan: Plan, told: str) -> None:
    """Where it passes; and it is billed."""
    events: list[ModelEvent] = []
    said = asyncio.Event()

    def script(_: ChatRequest) -> Iterator[Step]:
        yield "Hi x@y"
        said.set()
        yield asyncio.Event()

    async def listen() -> None:
        async for event in Guarded(FakeModel(script), plan).stream(asking("a")):
            events.append(event)  # noqa: PERF401 - what came before the stop is kept

    task = asyncio.create_task(listen())
    await said.wait()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert text(events) == told


async def test_what_was_held_back_is_told_before_an_error() -> None:
    events: list[ModelEvent] = []
    broken = FakeModel(["Hi x@y", ProviderOverloaded("fake")])

    async def listen() -> None:
        async for event in Guarded(broken, BOTH).stream(asking("a")):
            events.append(event)  # noqa: PERF401 - what came before the error is kept

    with pytest.raises(ProviderOverloaded):
        await listen()
    assert text(events) == "Hi x@y"


async def test_an_answer_that_begins_anew_leaves_nothing_behind() -> None:
    script = ["Hi x@y", Asked("fake", "m"), Reset("provider_overloaded"), "Oi."]
    assert text(await told(BOTH, script, asking("a"))) == "Hi Oi."


ALL = Plan(
    BOTH.masking,
    (
        Rule("house", CheckTable(words=("x 1", "a"), action="mask")),
        Rule("numbers", CheckTable(patterns=("[0-9]{3}-",), action="mask", window=2_000)),
    ),
)


@settings(max_examples=60)
@given(TEXTS, st.randoms(use_true_random=False))
async def test_however_an_answer_is_cut_it_is_the_same(said: str, chance: Random) -> None:
    request = asking("a@b.io, 4111 1111 1111 1111")
    whole = text(await told(ALL, [said] if said else [], request))
    assert text(await told(ALL, cut(said, chance), request)) == whole
