"""A run in memory: numbered lines, readers that are cursors, and nothing held for those who do not read."""

import asyncio
import json
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.stores import conversation, opening
from tests.unit.services.house import lines_of

from prosa.domain.content import TextPart, text_of
from prosa.domain.events import Gap, Text, Thinking, decode, encode, seq_of
from prosa.domain.models import Usage
from prosa.domain.runs import Run, RunStatus
from prosa.services.runs.live import LONGEST, Live
from prosa.services.runs.readers import MOST, RunReader, Whereabouts

NOWHERE = Whereabouts()


def reader_of(live: Live, after: int) -> RunReader:
    """A reader of what is in memory: these tests have no journal."""
    return RunReader(live.run.id, after, None, NOWHERE, live)


def answer_of(live: Live) -> str:
    return text_of(part for part in live.answer.parts if isinstance(part, TextPart))


def run() -> Run:
    asked = opening(conversation())
    return Run(
        id=asked.run_id, user_id="ana", client_id="", conversation_id=asked.conversation_id,
        user_message_id=asked.user_message_id, message_id=asked.message_id, status=RunStatus.IN_PROGRESS,
        provider="fake", model="echo", reason=None, error_code=None, error_message=None, usage=Usage(), cost=None,
        owner=asked.boot, created_at=asked.now, ended_at=None,
    )  # fmt: skip


def text_in(lines: list[bytes]) -> str:
    return "".join(json.loads(line)["content"] for line in lines)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5_000))
def test_a_long_piece_is_cut_between_characters(text: str) -> None:
    live = Live(run())
    live.write(text)
    assert text_in(live.lines) == text == answer_of(live)
    assert [seq_of(line) for line in live.lines] == list(range(1, len(live.lines) + 1))
    assert all(len(line) <= 2 * LONGEST + 40 for line in live.lines)


@pytest.mark.parametrize(
    "text", ["a" * 100_000, "\n" * 10_000, "\x01" * 10_000, "🦉" * 10_000, '"\\' * 10_000]
)
def test_a_thought_is_cut_as_an_answer_is(text: str) -> None:
    live = Live(run())
    live.write(text)
    assert text_in(live.lines) == text
    live.lines.clear()
    live.think(text)
    assert "".join(json.loads(line)["text"] for line in live.lines) == text
    assert [seq_of(line) for line in live.lines] == list(range(1, len(live.lines) + 1))


@pytest.mark.parametrize("publish", [Live.write, Live.think])
@pytest.mark.parametrize("text", ["a" * 9_000, "\n" * 1_000, "\x01" * 1_000, "🦉" * 1_000, '"\\' * 1_000])
def test_a_line_fits_into_a_write(text: str, publish: Callable[[Live, str], None]) -> None:
    live = Live(run())
    publish(live, text)
    assert max(len(b"data: %b\n\n" % line) for line in live.lines) <= 2_048


@pytest.mark.hostile(25)
@pytest.mark.parametrize(
    ("text", "kept"), [("a\ud83d", "a\ufffd"), ("\ud83d\ude00", "😀"), ("a\0b", "a\ufffdb")]
)
def test_what_no_database_can_hold_is_mended(text: str, kept: str) -> None:
    live = Live(run())
    live.write(text)
    assert text_in(live.lines) == kept == answer_of(live)
    live.think(text)
    assert decode(live.lines[-1]) == Thinking(kept)
    assert answer_of(live) == kept


async def test_two_readers_and_a_late_one_get_the_same() -> None:
    live = Live(run())
    early = [asyncio.ensure_future(lines_of(reader_of(live, 0))) for _ in range(2)]
    for place in range(50):
        live.write(f"w{place} ")
        await asyncio.sleep(0)
    late = asyncio.ensure_future(lines_of(reader_of(live, 0)))
    await asyncio.sleep(0)
    live.end(encode(Gap("m"), 51))
    first, second, third = await asyncio.gather(*early, late)
    assert first == second == third == live.lines
    assert text_in(first[:-1]) == "".join(f"w{place} " for place in range(50))


@given(st.lists(st.integers(0, 40), min_size=1, max_size=8), st.integers(1, 40))
def test_a_reader_from_any_cursor_gets_the_rest_once(cursors: list[int], count: int) -> None:
    async def all_of_it() -> None:
        live = Live(run())
        readers = [asyncio.ensure_future(lines_of(reader_of(live, after))) for after in cursors]
        await asyncio.sleep(0)
        for place in range(count):
            live.write(str(place))
            if place % 3 == 0:
                await asyncio.sleep(0)
        live.end(encode(Gap("m"), live.last + 1))
        for after, lines in zip(cursors, await asyncio.gather(*readers), strict=True):
            assert lines == live.lines[after:]

    asyncio.run(all_of_it())


async def test_a_wake_ends_a_wait_and_loses_nothing() -> None:
    live = Live(run())
    reader = reader_of(live, 0)
    waiting = asyncio.ensure_future(reader.read())
    await asyncio.sleep(0)
    reader.wake()
    assert list(await waiting) == []
    assert not reader.ended
    live.write("on")
    assert [decode(line) for line in await reader.read()] == [Text("on")]


async def test_a_reader_that_leaves_or_pings_leaves_nothing_behind() -> None:
    live = Live(run())
    reader = reader_of(live, 0)
    for _ in range(10):
        waiting = asyncio.ensure_future(reader.read())
        await asyncio.sleep(0)
        reader.wake()
        await waiting
        waiting = asyncio.ensure_future(reader.read())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    assert live._waiting == []


@pytest.mark.hostile(58)
async def test_readers_who_read_nothing_hold_an_integer() -> None:
    live = Live(run())
    for place in range(100_000):
        live.write(f"w{place % 1_000} ")
    tracemalloc.start()
    try:
        readers = [reader_of(live, 0) for _ in range(1_000)]
        held = [reader.ready() for reader in readers]
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert all(len(lines) == MOST for lines in held)
    assert size < 1_000 * (MOST * 8 + 1_000)


def test_many_small_events_without_a_reader_cost_what_they_say() -> None:
    live = Live(run())
    tracemalloc.start()
    try:
        for place in range(100_000):
            live.write(f"w{place % 10} ")
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size < 20_000_000  # a line is about 60 bytes and the object around it


async def test_a_thousand_waiting_readers_are_woken_in_linear_time() -> None:
    live = Live(run())
    readers = [asyncio.ensure_future(lines_of(reader_of(live, 0))) for _ in range(1_000)]
    loop = asyncio.get_running_loop()
    await asyncio.sleep(0)
    begun = loop.time()
    for _ in range(20):
        live.write("w ")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    live.end(encode(Gap("m"), live.last + 1))
    lengths = {len(lines) for lines in await asyncio.gather(*readers)}
    assert lengths == {21}
    assert loop.time() - begun < 2.0
