"""Long branches: their older part becomes a summary, in the background, once, paid for, on its own branch."""

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest
from tests.stores import ANA
from tests.unit.services.conftest import Open
from tests.unit.services.house import House, lines_of, soon
from tests.unit.services.notes import LONG, WINDOW, Writer, asks_for_notes, branch, kinds, quiet, say

from prosa.domain.content import ToolCall, ToolResult
from prosa.domain.context import Shown
from prosa.domain.conversations import MessageKind
from prosa.domain.errors import ProviderUnreachable
from prosa.domain.limits import Limits
from prosa.domain.models import Role, Turn, Usage, turn
from prosa.domain.turns import recalled
from prosa.services.context import summary
from prosa.services.context.told import context_of
from prosa.services.export.exporter import encoder


@pytest.fixture
def writer() -> Writer:
    return Writer()


async def test_a_branch_that_passes_three_quarters(opened: Open, writer: Writer) -> None:
    house = await opened(writer, window=WINDOW, most=512)
    of = await house.conversation()
    for _ in range(5):
        await say(house, of)
        await quiet(house)
    assert writer.notes == []
    sixth = await say(house, of)
    await quiet(house)
    assert len(writer.notes) == 1
    messages = await branch(house, of)
    assert kinds(messages) == "uauauauasuaua"
    made = messages[8]
    assert (made.content, made.provider, made.model) == ("Notes 1.", "fake", "echo")
    assert made.parent_id == messages[7].id < made.id < messages[9].id
    # The next run is shown the notes and what follows them, and says so.
    seventh = await say(house, of, "And now?")
    sent = house.model.calls[-1].request.turns
    assert sent[0] == recalled("Notes 1.")
    assert [each.content for each in sent[1:]] == [LONG, "ok", LONG, "ok", "And now?"]
    context = await context_of(house.store.of(ANA), seventh)
    assert context is not None
    assert context.summary_id == made.id
    assert context.message_ids == [*(each.id for each in messages[9:]), seventh.user_message_id]
    assert context.left_out == 0
    before = await context_of(house.store.of(ANA), sixth)
    assert before is not None
    assert (before.summary_id, len(before.message_ids)) == (None, 11)
    # It was paid for: its entry is one of the conversation's that belongs to none of its runs.
    entries = house.rows(
        "SELECT prompt_tokens, completion_tokens, conversation_id FROM ai_usage "
        "WHERE run_id NOT IN (SELECT id FROM runs)"
    )
    assert entries == [(100, 7, of.id)]
    assert house.count("reservations") == 0


async def test_the_next_one_tells_of_the_one_before(opened: Open, writer: Writer) -> None:
    house = await opened(writer, window=WINDOW, most=512)
    of = await house.conversation()
    for number in range(14):
        await say(house, of, f"{number}: {LONG}")
        await quiet(house)
    assert len(writer.notes) >= 2
    asked = writer.notes[1].turns[0].content
    assert "<notes>\nNotes 1.\n</notes>" in asked
    assert "User: 0:" not in asked  # the notes tell of it
    assert "User: 4:" in asked
    messages = await branch(house, of)
    assert kinds(messages).count("s") == len(writer.notes)
    assert [each.content[:2] for each in messages if each.role is Role.USER] == [
        f"{number}:"[:2] for number in range(14)
    ]
    await say(house, of)
    asked = [each.request for each in house.model.calls if not asks_for_notes(each.request)]
    assert asked[-1].turns[0] == recalled(f"Notes {len(writer.notes)}.")


async def test_two_branches_have_their_own(opened: Open, writer: Writer) -> None:
    house = await opened(writer, window=WINDOW, most=512)
    of = await house.conversation()
    root = await say(house, of, "root")
    for _ in range(7):
        await say(house, of)
        await quiet(house)
    left = await branch(house, of)
    aside = await say(house, of, "aside", parent_id=root.message_id)
    assert house.model.calls[-1].request.turns[0] == Turn(Role.USER, "root")
    for number in range(7):
        last = await say(house, of, f"right {number} {LONG}")
        await quiet(house)
    right = await branch(house, of)
    assert right[:4:3] == [left[0], await house.answer(aside)]
    assert kinds(left).count("s") == kinds(right).count("s") == 1
    summaries = [each.id for side in (left, right) for each in side if each.kind is MessageKind.SUMMARY]
    assert len(set(summaries)) == 2
    # Going back to the first one: its own summary, and nothing of the other.
    head = left[-1].id
    await house.chat.conversations.update(ANA, of.id, {"head_id": head})
    again = await say(house, of, "again")
    context = await context_of(house.store.of(ANA), again)
    assert context is not None
    assert context.summary_id == summaries[0]
    assert not any("right" in each.content for each in house.model.calls[-1].request.turns)
    # Regenerating below a summary, and editing the first message below it, are as they were without.
    regenerated = await say(house, of, None, regenerate=last.message_id)
    tree, _ = await house.store.of(ANA).messages.tree(of.id)
    assert tree.siblings(last.message_id) == [last.message_id, regenerated.message_id]
    first = left[kinds(left).index("s") + 1]
    edited = await say(house, of, "edited", parent_id=first.parent_id)
    tree, _ = await house.store.of(ANA).messages.tree(of.id)
    assert tree.siblings(first.id) == [first.id, edited.user_message_id]
    assert house.model.calls[-1].request.turns[0].role is Role.SYSTEM


async def test_a_run_neither_waits_for_a_summary_nor_breaks_with_it(opened: Open, writer: Writer) -> None:
    house = await opened(writer, window=WINDOW, most=512)
    of = await house.conversation()
    writer.gate.clear()
    for _ in range(6):
        await say(house, of)
    await soon(writer.asked.wait())
    # While it is written the conversation goes on, and nobody writes another.
    await soon(say(house, of, "short"))
    await soon(say(house, of))
    assert len(writer.notes) == 1
    writer.gate.set()
    await quiet(house)
    assert kinds(await branch(house, of)) == "uauauauasuauauaua"


async def test_what_changed_meanwhile_is_left_alone(opened: Open, writer: Writer) -> None:
    house = await opened(writer, window=WINDOW, most=512)
    of = await house.conversation()
    writer.gate.clear()
    for _ in range(6):
        await say(house, of)
    await soon(writer.asked.wait())
    messages = await branch(house, of)
    await house.chat.messages.delete(ANA, of.id, messages[8].id)
    writer.gate.set()
    await quiet(house)
    assert kinds(await branch(house, of)) == "uauauaua"
    assert house.rows("SELECT count(*) FROM ai_usage WHERE prompt_tokens = 100") == [(1,)]


async def test_a_failure_is_not_repeated_at_once(opened: Open, writer: Writer) -> None:
    house = await opened(writer, window=WINDOW, most=512)
    of = await house.conversation()
    writer.first = [ProviderUnreachable("fake")]
    for _ in range(8):
        await say(house, of)
        await quiet(house)
    assert len(writer.notes) == 1
    assert kinds(await branch(house, of)) == "ua" * 8
    assert house.count("reservations") == 0


async def test_within_limits(opened: Open, writer: Writer) -> None:
    """Who may spend no more gets no summary, and goes on as far as he may."""
    house = await opened(writer, window=WINDOW, most=512, limits=Limits(tokens_per_day=45_000))
    of = await house.conversation()
    for number in range(6):
        writer.usage = Usage(10 if number < 5 else 30_000, 1)
        await say(house, of)
    await quiet(house)
    assert writer.notes == []
    assert kinds(await branch(house, of)) == "ua" * 6
    house.at_rest(6)
    await say(house, of, "short", parent_id=None)


@pytest.mark.parametrize("options", [{"summary_model": "off"}, {"window": 8_192}])
async def test_where_none_is_written(opened: Open, writer: Writer, options: dict[str, Any]) -> None:
    house = await opened(writer, **{"window": WINDOW, "most": 512, **options})
    of = await house.conversation()
    for _ in range(8):
        await say(house, of)
        await quiet(house)
    assert writer.notes == []
    assert kinds(await branch(house, of)) == "ua" * 8


async def test_another_model_writes(opened: Open, writer: Writer) -> None:
    """Also of a small window, where the operator says so."""
    house = await opened(writer, window=4_000, most=512, summary_model="fake/scribe")
    of = await house.conversation()
    for _ in range(4):
        await say(house, of)
        await quiet(house)
    assert {each.model for each in writer.notes} == {"scribe"}
    assert {each.max_tokens for each in writer.notes} == {1_000}
    made = next(each for each in await branch(house, of) if each.kind is MessageKind.SUMMARY)
    assert made.model == "scribe"


async def test_a_stop_of_the_server_waits_for_it(tmp_path: Path, writer: Writer) -> None:
    async with House(tmp_path, writer, window=WINDOW, most=512) as house:
        of = await house.conversation()
        writer.gate.clear()
        for _ in range(6):
            await say(house, of)
        await soon(writer.asked.wait())
        draining = asyncio.create_task(house.chat.drain(5))
        await asyncio.sleep(0)
        writer.gate.set()
        await soon(draining)
        assert kinds(await branch(house, of)) == "uauauauasuaua"
    # One that does not come to its end is given up; what it took is entered, and the next start writes it.
    later = Writer()
    async with House(tmp_path, later, window=WINDOW, most=512) as house:
        later.gate.clear()
        for _ in range(4):
            await say(house, of)
        await soon(later.asked.wait())
        await soon(house.chat.drain(0.05))
    assert house.count("reservations") == 0
    assert house.rows("SELECT summary_until FROM conversations") == [(None,)]


async def test_a_history_of_the_callers_is_no_branch(opened: Open, writer: Writer) -> None:
    house = await opened(writer, window=WINDOW, most=512)
    of = await house.conversation()
    history = tuple(Turn(Role.USER if n % 2 == 0 else Role.ASSISTANT, LONG) for n in range(12))
    _, reader = await house.send(of, "Hello", history=history)
    await lines_of(reader)
    await quiet(house)
    assert writer.notes == []


async def test_exact_counts_decide_for_openais_models(opened: Open, writer: Writer) -> None:
    """By bytes it would be too long at the sixth; by tokens it takes a few more."""
    house = await opened(writer, window=WINDOW, most=512, model="gpt-4o")
    of = await house.conversation()
    for _ in range(8):
        await say(house, of)
        await quiet(house)
    assert writer.notes == []  # 8 * 706 tokens
    await say(house, of)
    await quiet(house)
    assert kinds(await branch(house, of)).count("s") == 1


def test_the_pieces_of_a_long_talk() -> None:
    call, result = ToolCall("c", "look", '{"at": 1}'), ToolResult("c", "r" * 9_000, "look")
    older = [
        Shown("1", (Turn(Role.USER, "a" * 40_000),)),
        Shown("2", (turn(Role.ASSISTANT, call), turn(Role.TOOL, result), Turn(Role.ASSISTANT, "Seen."))),
        *(Shown(str(n), (Turn(Role.USER, f"{n} " * 2_000),)) for n in range(3, 30)),
    ]
    pieces = summary.pieces(older, WINDOW)
    assert len(pieces) == summary.PIECES
    assert all(len(each) <= 3 * WINDOW for each in pieces)
    assert pieces[-1].endswith("User: " + "29 " * 2_000)
    few = summary.pieces(older[:2], WINDOW)
    text = "\n".join(few)
    assert 'Assistant called look: {"at": 1}' in text
    assert "look gave: rrr" in text
    assert "[…]" in text
    assert "Assistant: Seen." in text


async def test_a_summary_goes_out_and_comes_in_again(opened: Open, writer: Writer, tmp_path: Path) -> None:
    house = await opened(writer, window=WINDOW, most=512)
    of = await house.conversation()
    for _ in range(7):
        await say(house, of)
        await quiet(house)
    told = [piece async for piece in house.chat.export.everything(ANA, encoder("json"), 1)]
    (tmp_path / "other").mkdir()
    async with House(tmp_path / "other", writer, window=WINDOW) as other:
        async for _ in other.chat.imports.run(ANA, io.BytesIO(b"".join(told))):
            pass
        assert [piece async for piece in other.chat.export.everything(ANA, encoder("json"), 1)] == told
        await say(other, of, "And now?")
        assert other.model.calls[-1].request.turns[0] == recalled("Notes 1.")
