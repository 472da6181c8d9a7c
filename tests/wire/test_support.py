"""616 support questions as tickets over 50 sockets at once: each is answered once, and nothing is mixed up."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.shared import RECORDINGS
from tests.wire.house import House
from tests.wire.sockets import line

from prosa.adapters.models.fake.client import Step
from prosa.domain.models import ChatRequest

QUESTIONS = RECORDINGS.parent / "conversations" / "support_queries.jsonl"
SOCKETS = 50

pytestmark = pytest.mark.skipif(
    not QUESTIONS.is_file(), reason="The support questions are not here: they lie beside the project."
)


def questions() -> list[str]:
    return [json.loads(line)["text"] for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]


def answer(question: str) -> str:
    """Depends on every letter of the question."""
    return f"Re: {question[::-1]} ({len(question)})"


def answering(request: ChatRequest) -> Iterator[Step]:
    words = answer(request.turns[-1].content).split(" ")
    for place, word in enumerate(words):
        yield word if place == 0 else f" {word}"
        if place % 8 == 7:
            yield 0.001  # so that many are answered at the same time


async def each_once(work: Callable[[int], Any], count: int) -> list[Any]:
    """What `work` gives for each number; `SOCKETS` of them at a time."""
    numbers = iter(range(count))
    found: list[Any] = [None] * count

    async def one() -> None:
        for number in numbers:
            found[number] = await work(number)

    await asyncio.gather(*(one() for _ in range(SOCKETS)))
    return found


async def test_each_is_answered_once(listening: House) -> None:
    house, asked = listening, questions()
    house.script = answering

    async def ask(number: int) -> list[dict[str, Any]]:
        async with line(house, f"/api/websocket/chat/{number}") as one:
            await one.say(ticketBody=asked[number])
            return await one.until("done", "error")

    assert len(asked) == 616
    took = []
    for again in (False, True):
        began = time.perf_counter()
        heard = await each_once(ask, len(asked))
        took.append(time.perf_counter() - began)
        for question, frames in zip(asked, heard, strict=True):
            if again:
                assert [frame["type"] for frame in frames] == ["cached", "done"]
                assert frames[0]["response"] == answer(question)
            else:
                assert {frame["type"] for frame in frames[:-1]} == {"stream"}
                assert "".join(frame["content"] for frame in frames[:-1]) == answer(question)
                assert frames[-1]["type"] == "done"
        assert len(house.calls) == len(asked)
    print(f"\n616 tickets over {SOCKETS} sockets: {took[0]:.1f} s, and {took[1]:.1f} s from the cache")
    pages, cursor = [], None
    while not pages or cursor is not None:
        params = {"limit": 200, "status": "answered"} | ({} if cursor is None else {"cursor": cursor})
        page = (await house.get("/api/tickets", params=params)).json()
        pages += page["items"]
        cursor = page["nextCursor"]
    assert {each["id"]: each["answer"] for each in pages} == {
        str(number): answer(question) for number, question in enumerate(asked)
    }
