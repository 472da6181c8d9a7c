"""When two requests ask the same, and what a route does with an answer that it has."""

from collections.abc import Callable
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from prosa.adapters.models.fake.client import FakeModel
from prosa.domain.answers import Caching, KeptAnswer, Question
from prosa.domain.content import DocumentPart
from prosa.domain.errors import ProviderUnreachable, StoreUnavailable
from prosa.domain.models import (
    ChatRequest,
    Finish,
    FinishReason,
    Origin,
    Recalled,
    ResponseFormat,
    Role,
    TextDelta,
    ToolCallEnd,
    ToolCallStart,
    ToolSpec,
    Turn,
    turn,
)
from prosa.domain.principal import Principal
from prosa.domain.time import Instant
from prosa.services.caches.cached import Cached, Memory
from prosa.services.caches.sameness import question_of, sameness

USUAL = Caching()
ANA = Principal("ana", "acme")
ASKED = ChatRequest("m", (Turn(Role.USER, "How do I reset it?"),), origin=Origin(ANA))


class Kept:
    """Answers of each owner, in a list."""

    def __init__(self) -> None:
        self.all: list[KeptAnswer] = []
        self.broken = False

    def of(self, owner: Principal) -> "Owned":
        return Owned(self, owner)


class Owned:
    def __init__(self, kept: Kept, owner: Principal) -> None:
        self._kept = kept
        self._owner = owner

    def _mine(self, now: Instant) -> list[KeptAnswer]:
        if self._kept.broken:
            raise StoreUnavailable
        return [
            each for each in self._kept.all if each.user_id == self._owner.user_id and each.expires_at > now
        ]

    async def find(self, key: str, now: Instant) -> KeptAnswer | None:
        return next((each for each in self._mine(now) if each.key == key), None)

    async def family(self, family: str, now: Instant, limit: int) -> list[Question]:
        mine = [each for each in self._mine(now) if each.family == family]
        return [Question(each.id, each.vector) for each in mine if each.vector][:limit]

    async def get(self, answer_id: str, now: Instant) -> KeptAnswer | None:
        return next((each for each in self._mine(now) if each.id == answer_id), None)

    async def keep(self, answer: KeptAnswer) -> None:
        if self._kept.broken:
            raise StoreUnavailable
        self._kept.all = [each for each in self._kept.all if each.key != answer.key] + [answer]


@pytest.fixture
def kept() -> Kept:
    return Kept()


async def embed(_principal: Principal, model: str, text: str) -> tuple[float, ...]:
    if model == "broken":
        raise ProviderUnreachable("fake")
    return (1.0, float(text.count("reset")), float(text.count("refund")) * 3)


def cached(model: FakeModel, kept: Kept, caching: Caching = USUAL) -> Cached:
    return Cached(model, "help", caching, Memory(kept.of, embed))


async def answer(model: Cached, request: ChatRequest = ASKED) -> tuple[str, bool]:
    """The text, and whether it was kept."""
    events = [event async for event in model.stream(request)]
    assert isinstance(events[-1], Finish)
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    return text, isinstance(events[0], Recalled)


async def test_the_same_question_is_asked_once(kept: Kept) -> None:
    model = FakeModel()
    asked = cached(model, kept)
    first = await answer(asked)
    again = await answer(asked, replace(ASKED, turns=(Turn(Role.USER, " How  do I reset it? \n"),)))
    assert (first, again) == (("You said: How do I reset it?", False), ("You said: How do I reset it?", True))
    assert len(model.calls) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda asked: replace(asked, model="n"),
        lambda asked: replace(asked, system="Be brief."),
        lambda asked: replace(asked, temperature=0.5),
        lambda asked: replace(asked, top_p=0.5),
        lambda asked: replace(asked, stop=("x",)),
        lambda asked: replace(asked, seed=1),
        lambda asked: replace(asked, tools=(ToolSpec("t"),)),
        lambda asked: replace(asked, response_format=ResponseFormat()),
        lambda asked: replace(asked, reasoning_effort="low"),
        lambda asked: replace(asked, turns=(Turn(Role.USER, "Hi"), *asked.turns)),
        lambda asked: replace(asked, turns=(Turn(Role.USER, "How do I reset it, Ana?"),)),
        lambda asked: replace(asked, turns=(Turn(Role.ASSISTANT, "How do I reset it?"),)),
        lambda asked: replace(asked, origin=Origin(Principal("bia", "acme"))),
        lambda asked: replace(asked, origin=Origin(ANA, fresh=True)),
        lambda asked: replace(asked, origin=None),
        lambda asked: replace(asked, max_tokens=2),
    ],
)
async def test_whatever_the_answer_depends_on_tells_questions_apart(
    kept: Kept, change: Callable[[ChatRequest], ChatRequest]
) -> None:
    asked = cached(FakeModel(), kept)
    await answer(asked)
    assert not (await answer(asked, change(ASKED)))[1]


@pytest.mark.hostile(19)
@pytest.mark.parametrize(
    ("scope", "other", "shared"),
    [
        ("user", Principal("bia", "acme"), False),
        ("client", Principal("bia", "acme"), True),
        ("client", Principal("bia", "evil"), False),
        ("client", Principal("bia"), False),
        ("public", Principal("bia", "evil"), True),
    ],
)
async def test_who_shares(kept: Kept, scope: str, other: Principal, shared: bool) -> None:
    asked = cached(FakeModel(), kept, Caching(scope=scope))
    await answer(asked, replace(ASKED, origin=Origin(ANA, "c1", "m1")))
    assert (await answer(asked, replace(ASKED, origin=Origin(other, "c2", "m2"))))[1] is shared


async def test_an_answer_of_no_conversation_is_its_users_alone(kept: Kept) -> None:
    asked = cached(FakeModel(), kept, Caching(scope="public"))
    await answer(asked)
    assert kept.all == []


@pytest.mark.parametrize(
    "script",
    [
        ["cut", Finish(FinishReason.LENGTH)],
        [" "],
        [],
        ["I call", ToolCallStart("1", "t"), ToolCallEnd("1"), Finish(FinishReason.STOP)],
        ["no", Finish(FinishReason.REFUSAL)],
    ],
)
async def test_only_whole_answers_of_text_are_kept(kept: Kept, script: list[object]) -> None:
    await answer(cached(FakeModel(script), kept))  # type: ignore[arg-type]
    assert kept.all == []


async def test_an_answer_that_broke_off_is_not_kept(kept: Kept) -> None:
    with pytest.raises(ProviderUnreachable):
        await answer(cached(FakeModel(["so far", ProviderUnreachable("fake")]), kept))
    assert kept.all == []


async def test_an_answer_that_did_not_get_through_is_not_kept(kept: Kept) -> None:
    """Who guards it sees the end before it is kept, and may stop it there."""
    async with aclosing(cached(FakeModel(["forbidden"]), kept).stream(ASKED)) as events:
        async for event in events:
            if isinstance(event, Finish):
                break
    assert kept.all == []


async def test_the_very_same_question_takes_no_vector(kept: Kept) -> None:
    asked: list[str] = []

    async def counting(principal: Principal, model: str, text: str) -> tuple[float, ...]:
        asked.append(text)
        return await embed(principal, model, text)

    model = Cached(FakeModel(), "help", Caching(semantic="fake"), Memory(kept.of, counting))
    assert not (await answer(model))[1]
    assert (await answer(model))[1]
    assert len(asked) == 1


async def test_vectors_of_different_models_are_not_compared(kept: Kept) -> None:
    await answer(cached(FakeModel(), kept, Caching(semantic="fake", likeness=0.9)))
    like = replace(ASKED, turns=(Turn(Role.USER, "Where is the reset button?"),))
    other = cached(FakeModel(), kept, Caching(semantic="newer", likeness=0.9))
    assert not (await answer(other, like))[1]


async def test_a_fresh_answer_takes_the_kept_ones_place(kept: Kept) -> None:
    said = iter(["old", "new"])
    asked = cached(FakeModel(lambda _: [next(said)]), kept)
    await answer(asked)
    fresh = replace(ASKED, origin=Origin(ANA, fresh=True))
    assert await answer(asked, fresh) == ("new", False)
    assert await answer(asked) == ("new", True)


async def test_like_questions_share_where_the_route_says_so(kept: Kept) -> None:
    asked = cached(FakeModel(), kept, Caching(semantic="fake", likeness=0.99))
    await answer(asked)
    like = replace(ASKED, turns=(Turn(Role.USER, "Where is the reset button?"),))
    unlike = replace(ASKED, turns=(Turn(Role.USER, "I want a refund"),))
    assert await answer(asked, like) == ("You said: How do I reset it?", True)
    assert not (await answer(asked, unlike))[1]
    # Other settings make it another family; a question in a conversation is no single question.
    assert not (await answer(asked, replace(like, system="Be brief.")))[1]
    assert not (await answer(asked, replace(like, turns=(Turn(Role.USER, "x"), *like.turns))))[1]
    assert not (await answer(asked, replace(like, tools=(ToolSpec("t"),))))[1]


async def test_neither_a_broken_store_nor_a_broken_embedding_keeps_the_model_from_answering(
    kept: Kept,
) -> None:
    asked = cached(FakeModel(), kept, Caching(semantic="broken"))
    assert not (await answer(asked))[1]
    assert (await answer(asked))[1]
    kept.broken = True
    assert not (await answer(asked))[1]


def test_files_and_formats_are_no_single_questions() -> None:
    assert question_of(ASKED) == "How do I reset it?"
    assert question_of(replace(ASKED, response_format=ResponseFormat())) is None
    with_file = turn(Role.USER, DocumentPart("f"))
    assert question_of(replace(ASKED, turns=(with_file,))) is None


@given(st.text(max_size=40), st.text(max_size=40))
def test_texts_are_the_same_only_with_the_same_words(one: str, other: str) -> None:
    def key(text: str) -> str:
        return sameness("r", replace(ASKED, turns=(Turn(Role.USER, text),))).key

    if one.split() != other.split():
        assert key(one) != key(other)
