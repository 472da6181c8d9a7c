"""Titles after the first answer: one try, billed, in nobody's way."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.stores import ANA
from tests.unit.services.house import House, events_of, soon

from prosa.adapters.models.fake.client import Step
from prosa.domain.conversations import Conversation, TitleBy
from prosa.domain.errors import ProviderOverloaded
from prosa.domain.limits import Limits
from prosa.domain.models import ChatRequest
from prosa.domain.runs import RunStatus
from prosa.domain.titles import INSTRUCTIONS


class Model:
    """Answers questions with `answer`, and those for a title with `title`."""

    def __init__(self) -> None:
        self.answer: Iterable[Step] = ["Em julho."]
        self.title: Iterable[Step] = ['"Férias', " de julho.", '"']
        self.asked: list[ChatRequest] = []
        self.called = asyncio.Event()

    def __call__(self, request: ChatRequest) -> Iterable[Step]:
        if request.system == INSTRUCTIONS:
            self.asked.append(request)
            self.called.set()
            return self.title
        return self.answer


@asynccontextmanager
async def house(folder: Path, **more: Any) -> AsyncIterator[tuple[House, Model]]:
    model = Model()
    async with House(folder, model, **{"title_model": None, **more}) as made:
        yield made, model


async def named(house: House, content: str = "Quando são as férias?") -> Conversation:
    """A conversation with one turn, once nothing goes on any more."""
    run, reader = await house.send(await house.conversation(), content)
    await events_of(reader)
    return await rested(house, run.conversation_id)


async def rested(house: House, conversation_id: str) -> Conversation:
    await soon(_idle(house))
    return await house.chat.conversations.get(ANA, conversation_id)


async def _idle(house: House) -> None:
    await house.chat.settle()
    await house.chat.titles.background.drain(None)


async def test_the_model_that_answered_names_the_conversation(tmp_path: Path) -> None:
    async with house(tmp_path) as (made, model):
        one = await named(made)
        assert (one.title, one.title_by) == ("Férias de julho", TitleBy.MODEL)
        (asked,) = model.asked
        assert asked.model == "echo"
        assert "Quando são as férias?" in asked.turns[0].content
        assert "Em julho." in asked.turns[0].content
        bills = made.rows("SELECT conversation_id, run_id IS NOT NULL, total_tokens > 0 FROM ai_usage")
        assert bills == [(one.id, 1, 1)] * 2
        assert made.count("reservations") == 0
        _, reader = await made.send(one, "E em dezembro?")
        await events_of(reader)
        assert (await rested(made, one.id)).title == "Férias de julho"
        assert len(model.asked) == 1


async def test_a_title_of_ones_own_is_never_replaced(tmp_path: Path) -> None:
    async with house(tmp_path) as (made, model):
        mine = await made.conversation(title="Minha")
        _, reader = await made.send(mine)
        await events_of(reader)
        assert (await rested(made, mine.id)).title == "Minha"
        assert not model.asked
        gate = asyncio.Event()
        model.title = ["Tarde", gate]
        run, reader = await made.send(await made.conversation(), "Oi")
        await events_of(reader)
        await soon(model.called.wait())
        await made.chat.conversations.update(ANA, run.conversation_id, {"title": "Minha"})
        gate.set()
        assert (await rested(made, run.conversation_id)).title == "Minha"


async def test_only_a_whole_answer_has_a_title(tmp_path: Path) -> None:
    async with house(tmp_path) as (made, model):
        model.answer = ["x", ProviderOverloaded("fake")]
        assert (await named(made)).title_by is TitleBy.EXCERPT
        gate = asyncio.Event()
        model.answer = ["x", gate]
        run, reader = await made.send(await made.conversation())
        await reader.read()
        await made.engine.stop(ANA, run.id)
        one = await rested(made, run.conversation_id)
        assert (await made.run(run)).status is RunStatus.CANCELLED
        assert one.title_by is TitleBy.EXCERPT
        assert not model.asked
        model.answer = ["Agora sim."]
        _, reader = await made.send(one, "De novo", parent_id=None)
        await events_of(reader)
        assert (await rested(made, one.id)).title_by is TitleBy.MODEL


async def test_what_is_no_title_leaves_the_excerpt(tmp_path: Path) -> None:
    async with house(tmp_path) as (made, model):
        for title in ([], [' "" '], ["x", ProviderOverloaded("fake")], [ValueError("broken")]):
            model.title = title
            assert (await named(made)).title == "Quando são as férias?"
        assert made.count("reservations") == 0


async def test_off_and_the_model_that_comes_with_prosa(tmp_path: Path) -> None:
    for more in ({"title_model": "off"}, {"provider": "local"}):
        async with house(tmp_path, **more) as (made, model):
            assert (await named(made)).title_by is TitleBy.EXCERPT
            assert not model.asked
    async with house(tmp_path, provider="local", title_model="local/echo") as (made, model):
        assert (await named(made)).title == "Férias de julho"


async def test_who_may_not_spend_gets_his_title_later(tmp_path: Path) -> None:
    async with house(tmp_path, limits=Limits(tokens_per_day=400), most=100) as (made, model):
        one = await named(made, "Oi")
        assert (one.title, one.title_by) == ("Oi", TitleBy.EXCERPT)
        assert not model.asked
        assert made.count("reservations") == 0


async def test_a_title_that_is_being_made_is_waited_for_and_then_broken_off(tmp_path: Path) -> None:
    async with house(tmp_path) as (made, model):
        gate = asyncio.Event()
        model.title = ["Férias", gate]
        run, reader = await made.send(await made.conversation(), "Oi")
        await events_of(reader)
        await soon(model.called.wait())
        draining = asyncio.create_task(made.chat.drain(5))
        await asyncio.sleep(0)
        gate.set()
        await soon(draining)
        assert (await made.chat.conversations.get(ANA, run.conversation_id)).title == "Férias"
    async with house(tmp_path) as (made, model):
        model.title = ["Nunca", asyncio.Event()]
        run, reader = await made.send(await made.conversation(), "Oi")
        await events_of(reader)
        await soon(model.called.wait())
    assert made.count("reservations") == 0
    assert made.rows("SELECT title FROM conversations WHERE id = ?", run.conversation_id) == [("Oi",)]
