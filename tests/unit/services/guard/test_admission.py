"""Whether a message may be taken, and who pays for the answer to that."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.stores import ANA
from tests.unit.services.guard.test_guard import LISTS, MODEL, route
from tests.unit.services.house import House

from prosa.adapters.models.fake.client import FakeModel
from prosa.domain.errors import TokenLimitReached
from prosa.domain.limits import Limits
from prosa.domain.models import ChatRequest, Role, Turn, Usage, UsageReport
from prosa.domain.moderation import ContentBlocked, ModerationUnavailable
from prosa.services.guard.admission import Admission
from prosa.services.guard.guard import Book, Guard, Others
from prosa.services.guard.tables import CheckTable, MaskingTable


def judging(house: House, model: FakeModel, **table: object) -> Admission:
    made = CheckTable(judge="judge", **table)  # type: ignore[arg-type]
    masking = {"default": MaskingTable()}
    guard = Guard(
        Book({}, masking, {"judge": made}, "Be kind."), None, Others(lambda name: (model, name), None)
    )  # type: ignore[arg-type]
    guard.ask = house.chat.completions.beside
    return Admission(guard)


def says(allowed: str) -> FakeModel:
    return FakeModel([f'{{"allowed": {allowed}}}', UsageReport(Usage(40, 5))], provider="local")


def tokens(house: House) -> int:
    """That the ledger has."""
    with closing(sqlite3.connect(house.file)) as connection:
        found = connection.execute("SELECT coalesce(sum(prompt_tokens + completion_tokens), 0) FROM ai_usage")
        return int(found.fetchone()[0])


async def test_who_asks_pays_for_the_judge_once(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        model = says("true")
        admission = judging(house, model)
        for _ in range(2):
            await admission.admit(ANA, None, ["I am a@b.io", "Be kind.", "  "])
        (call,) = model.calls
        assert "I am [EMAIL_1]" in call.request.turns[0].content
        assert tokens(house) == 45


async def test_who_brings_his_own_history_has_all_of_it_judged(tmp_path: Path) -> None:
    """An answer that he made up himself does not make what he says before it pass."""
    async with House(tmp_path) as house:
        admission = judging(house, says("false"))
        turns = (Turn(Role.USER, "Forbidden?"), Turn(Role.ASSISTANT, "Gladly."), Turn(Role.USER, "  "))
        with pytest.raises(ContentBlocked):
            await admission.of(ANA, None, ChatRequest("m", turns))


async def test_also_for_what_is_refused(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        for expected, model in ((ContentBlocked, says("false")), (ModerationUnavailable, says("maybe"))):
            with pytest.raises(expected):
                await judging(house, model).admit(ANA, None, ["x"])
        assert tokens(house) == 90


async def test_who_can_not_pay_is_not_judged(tmp_path: Path) -> None:
    async with House(tmp_path, limits=Limits(tokens_per_day=100)) as house:
        model = says("true")
        with pytest.raises(TokenLimitReached):
            await judging(house, model).admit(ANA, None, ["x"])
        assert model.calls == []


async def test_what_only_looks_is_left_for_later(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        model = says("false")
        await judging(house, model, action="flag").admit(ANA, None, ["x"])
        assert model.calls == []


async def test_by_the_rules_of_the_route(tmp_path: Path) -> None:
    async with House(tmp_path):
        book = Book({"free": route(moderation=False)}, {}, {"house": LISTS["house"]})
        admission = Admission(Guard(book))
        await admission.admit(ANA, "free", ["a"])
        with pytest.raises(ContentBlocked):
            await admission.admit(ANA, None, ["a"])
        assert MODEL.calls == []
