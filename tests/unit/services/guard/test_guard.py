"""What stands around whom: by tables, by routes, and after they have changed."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from tests.unit.services.guard.test_remote import Moderator

from prosa.adapters.models.fake.client import FakeModel
from prosa.domain.errors import MisconfiguredError
from prosa.ports.models import ChatModel
from prosa.ports.moderation import Moderation
from prosa.services.guard.guard import Book, Guard, Others
from prosa.services.guard.guarded import Guarded
from prosa.services.guard.tables import CheckTable, MaskingTable
from prosa.services.models.routes import Route

MASKING = {"default": MaskingTable(), "strict": MaskingTable(restore=True)}
LISTS = {
    "house": CheckTable(words=("a",)),
    "seldom": CheckTable(words=("b",), always=False),
    "judge": CheckTable(judge="m"),
}
MODEL = FakeModel()


class Made(Others, frozen=True):
    """Whom checks ask, and those that were made."""

    moderators: list[Moderator]


def others() -> Made:
    made: list[Moderator] = []

    def endpoint(_: str, __: CheckTable) -> Moderation:
        made.append(Moderator())
        return made[-1]

    resolve: Callable[[str], tuple[ChatModel, str]] = lambda name: (MODEL, name)  # noqa: E731
    return Made(resolve, endpoint, made)


def route(**said: Any) -> Route:
    return Route(("fake/m",), **said)


def book(routes: Mapping[str, Route], moderation: Mapping[str, CheckTable] = LISTS) -> Book:
    return Book(routes, MASKING, moderation)


def test_what_is_off_costs_nothing() -> None:
    assert Guard()(MODEL, None) is MODEL
    assert Guard(Book({"r": route()}))(MODEL, "r") is MODEL
    off = {"r": route(masking=False, moderation=False)}
    guard = Guard(book(off), None, others())
    assert guard(MODEL, "r") is MODEL
    assert isinstance(guard(MODEL, None), Guarded)
    assert isinstance(guard(MODEL, "gone"), Guarded)


@pytest.mark.parametrize(
    ("said", "restores", "names"),
    [
        (route(), False, ["house", "judge"]),
        (route(masking="strict", moderation=("seldom",)), True, ["seldom"]),
        (route(restore=True, moderation=("judge", "seldom")), True, ["seldom", "judge"]),
        (route(masking="strict", restore=False, moderation=()), False, []),
    ],
)
def test_what_a_route_says(said: Route, restores: bool, names: list[str]) -> None:
    plan = Guard(book({"r": said}), None, others()).plan("r")
    assert plan.masking is not None
    assert (plan.masking.restore, [check.name for check in plan.checks]) == (restores, names)


@pytest.mark.parametrize(
    ("said", "place"),
    [
        (route(masking="nothing"), r"\[masking.nothing\]"),
        (route(moderation=("nobody",)), r"\[moderation.nobody\]"),
    ],
)
def test_a_route_that_names_what_there_is_not(said: Route, place: str) -> None:
    with pytest.raises(MisconfiguredError, match=place):
        Guard(book({"r": said}), None, others())


def test_whether_messages_are_looked_at_before_they_are_taken() -> None:
    flagging = {
        "look": CheckTable(words=("a",), action="flag"),
        "out": CheckTable(words=("a",), on=("output",)),
    }
    assert not Guard(book({}, flagging), None, others()).admits
    assert Guard(book({"r": route(moderation=("seldom",))}, {"seldom": LISTS["seldom"]})).admits


async def test_what_stays_the_same_goes_on_and_what_goes_is_closed() -> None:
    whom = others()
    table = CheckTable(endpoint="openai")
    guard = Guard(book({}, {"one": table, "two": table}), None, whom)
    first, second = whom.moderators
    before = guard.plan(None)
    guard.take(guard.draft(book({}, {"one": table, "two": CheckTable(endpoint="openai", timeout=1)})))
    assert guard.plan(None).remotes[0] is before.remotes[0]
    assert len(whom.moderators) == 3
    with pytest.raises(MisconfiguredError):
        guard.draft(book({}, {"one": CheckTable(patterns=("(",))}))
    assert [check.name for check in guard.plan(None).remotes] == ["one", "two"]
    await guard.close()
    assert [each.closed for each in (first, second, whom.moderators[2])] == [1, 1, 1]
