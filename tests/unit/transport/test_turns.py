"""Whose request begins when many come at once."""

import asyncio

from starlette.types import Receive, Scope, Send

from prosa.transport.middleware.turns import Turns


class Desk:
    """Notes who comes, behind turns."""

    def __init__(self) -> None:
        self.came: list[str] = []
        self.turns = Turns(self._app, lambda scope: str(scope["user"]))

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive, send
        self.came.append(scope["name"])

    def asks(self, user: str, name: str = "") -> "asyncio.Task[None]":
        return asyncio.create_task(self.turns({"user": user, "name": name or user}, _receive, _send))


async def _receive() -> dict[str, object]:
    raise AssertionError


async def _send(message: object) -> None:
    raise AssertionError


async def test_nobody_waits_behind_another_user() -> None:
    desk = Desk()
    hers = [desk.asks("ana", f"ana {number}") for number in range(1_000)]
    his = desk.asks("bia")
    await his
    assert desk.came == ["ana 0", "bia"]
    later = [desk.asks("bia"), desk.asks("carlos")]
    await asyncio.gather(*later)
    assert len(desk.came) < 10
    await asyncio.gather(*hers)
    assert [name for name in desk.came if name.startswith("ana")] == [
        f"ana {number}" for number in range(1_000)
    ]


async def test_one_of_each_in_a_round_of_the_loop() -> None:
    desk = Desk()
    for user in ("ana", "bia", "carlos") * 3:
        desk.asks(user)
    rounds = []
    while sum(rounds) < 9:
        before = len(desk.came)
        await asyncio.sleep(0)
        rounds.append(len(desk.came) - before)
    assert max(rounds) == 3
    assert desk.came == ["ana", "bia", "carlos"] * 3


async def test_who_gave_up_takes_nobodys_turn() -> None:
    desk = Desk()
    first, second, third = (desk.asks("ana", name) for name in ("1", "2", "3"))
    await first
    second.cancel()
    await third
    assert desk.came == ["1", "3"]


async def test_lines_are_forgotten() -> None:
    desk = Desk()
    await asyncio.gather(*(desk.asks(f"user {number % 7}") for number in range(100)))
    for _ in range(2):  # the last of a line leaves it a round later
        await asyncio.sleep(0)
    assert desk.turns._lines == {}
    await desk.asks("user 1")
    assert len(desk.came) == 101
