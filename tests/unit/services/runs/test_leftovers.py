"""What a crash, an end of patience or a stop makes of a run that called tools: its bill and its message."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from tests.stores import ANA
from tests.unit.services.house import House, events_of, soon, until_text
from tests.unit.services.runs.weather import CLIENT, LISBON, Weather, calling, paused, rounds

from prosa.domain.content import TextPart, ToolCall, ToolResult
from prosa.domain.limits import Limits
from prosa.domain.models import Asked, Reset
from prosa.domain.runs import RunStatus
from prosa.services.tools.registry import Toolbox

ASKED = Asked("fake", "echo")
LEDGER = "SELECT attempt, prompt_tokens, completion_tokens, estimated FROM ai_usage ORDER BY attempt"


async def crash(house: House, folder: Path) -> Path:
    """A folder with what is stored at this moment: what another boot finds after `kill -9`."""
    await house.engine._journal.flush()
    await asyncio.to_thread(folder.mkdir)
    source, copy = sqlite3.connect(house.file), sqlite3.connect(folder / "prosa.db")
    source.backup(copy)
    source.close()
    copy.close()
    return folder


class Long(Weather):
    async def call(self, arguments: dict[str, Any], caller: Any) -> str:
        return "sunny " * 1_000


@pytest.mark.hostile(55)
@pytest.mark.parametrize("limits", [None, Limits(tokens_per_day=100_000)])
async def test_a_crash_after_a_retry_is_billed(tmp_path: Path, limits: Limits | None) -> None:
    script = [ASKED, ASKED, "So far so good", asyncio.Event()]
    async with House(tmp_path, script, limits=limits) as house:
        _, reader = await house.send(await house.conversation())
        await until_text(reader)
        folder = await crash(house, tmp_path / "copy")
    async with House(folder, limits=limits) as again:
        rows = again.rows(LEDGER)
        assert [row[2] for row in rows if row[2]] == [12], "what was said is billed once"
        assert again.count("reservations") == 0


@pytest.mark.hostile(55)
async def test_a_crash_in_a_later_round_is_billed(tmp_path: Path) -> None:
    script = rounds([ASKED, ASKED, *calling(LISBON)], [ASKED, "It is", asyncio.Event()])
    async with House(tmp_path, script, tools=Toolbox([Weather()])) as house:
        _, reader = await house.send(await house.conversation())
        await until_text(reader)
        folder = await crash(house, tmp_path / "copy")
    async with House(folder) as again:
        assert [(row[0], row[2]) for row in again.rows(LEDGER)] == [(1, 0), (2, 5), (3, 9)]


@pytest.mark.hostile(55)
async def test_a_crash_while_a_tool_works_is_not_billed_twice(tmp_path: Path) -> None:
    tool = Weather(acts=asyncio.Event())
    tool.timeout = 30
    async with House(tmp_path, rounds(calling(LISBON, says="Let me see.")), tools=Toolbox([tool])) as house:
        run, _ = await house.send(await house.conversation())
        await soon(tool.begun.get())
        folder = await crash(house, tmp_path / "copy")
    async with House(folder) as again:
        assert again.rows(LEDGER) == [(1, 10, 5, 0)]
        assert [type(part) for part in (await again.answer(run)).parts] == [TextPart, ToolCall]


@pytest.mark.parametrize("ends", ["stop", "expire"])
async def test_results_stay_whole(tmp_path: Path, ends: str) -> None:
    """An event shows the beginning of a long result; the message has all of it, however the run ends."""
    ask = calling(("c2", "ask_user", '{"q": "Which?"}'))
    settings = {"action_seconds": 0.01} if ends == "expire" else {}
    async with House(tmp_path, rounds(calling(LISBON), ask), tools=Toolbox([Long()]), **settings) as house:
        run, reader, _ = await paused(house, client_tools=CLIENT)
        if ends == "stop":
            await house.engine.stop(ANA, run.id)
        else:
            await asyncio.sleep(0.02)
            await house.engine._recovery.run()
        await soon(events_of(reader))
        assert (await house.run(run)).status in (RunStatus.CANCELLED, RunStatus.EXPIRED)
        result = (await house.answer(run)).parts[1]
        assert result == ToolResult("c1", "sunny " * 1_000, "weather")
        assert house.rows(LEDGER) == [(1, 10, 5, 0), (2, 10, 5, 0)]


@pytest.mark.hostile(55)
async def test_a_crash_after_an_answer_began_anew(tmp_path: Path) -> None:
    """What earlier rounds said is told again to readers; it is neither doubled in the message nor billed."""
    first = calling(LISBON, says="Let me see. ")
    second = [
        ASKED, "Half an answer", Asked("fake", "other"), Reset("broken_stream"), "Sunny", asyncio.Event(),
    ]  # fmt: skip
    async with House(tmp_path, rounds(first, second), tools=Toolbox([Weather()])) as house:
        run, reader = await house.send(await house.conversation())
        told = b""
        while b'"Sunny"' not in told:
            told += b"".join(await soon(reader.read()))
        folder = await crash(house, tmp_path / "copy")
    async with House(folder) as again:
        assert [type(part) for part in (await again.answer(run)).parts] == [
            TextPart, ToolCall, ToolResult, TextPart,
        ]  # fmt: skip
        assert (await again.answer(run)).content == "Let me see. Sunny"
        assert again.rows(LEDGER)[-1][2] == 9


@pytest.mark.hostile(55)
@pytest.mark.parametrize("limits", [None, Limits(tokens_per_day=100_000)])
async def test_a_crash_after_a_target_failed_is_billed_to_each(tmp_path: Path, limits: Limits | None) -> None:
    script = [
        ASKED, "Half an answer", Asked("other", "better"), Reset("broken_stream"), "Sunny", asyncio.Event(),
    ]  # fmt: skip
    async with House(tmp_path, script, limits=limits) as house:
        _, reader = await house.send(await house.conversation())
        told = b""
        while b'"Sunny"' not in told:
            told += b"".join(await soon(reader.read()))
        folder = await crash(house, tmp_path / "copy")
    async with House(folder, limits=limits) as again:
        billed = "SELECT provider, model, completion_tokens FROM ai_usage ORDER BY attempt"
        assert again.rows(billed) == [("fake", "echo", 12), ("other", "better", 9)]
        assert again.rows("SELECT provider, model FROM runs") == [("other", "better")]


@pytest.mark.hostile(62)
async def test_a_crash_costs_no_more_than_was_held(tmp_path: Path) -> None:
    """An estimate of what was written may be more than the answer's bound."""
    async with House(tmp_path, ["So far so good", asyncio.Event()], limits=Limits(100_000)) as house:
        _, reader = await house.send(await house.conversation(), max_tokens=5)
        await until_text(reader)
        folder = await crash(house, tmp_path / "copy")
    async with House(folder) as again:
        assert [row[2] for row in again.rows(LEDGER)] == [5]
