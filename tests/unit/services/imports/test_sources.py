"""What is read of other programs' files."""

import io
import json
from typing import Any

import pytest
from tests.unit.services.imports.samples import (
    CHATGPT,
    CLAUDE,
    START,
    chatgpt,
    node,
    page,
    raw,
    thread,
    thread_message,
    zipped,
)

from prosa.domain.content import TextPart, ThinkingPart, ToolCall, ToolResult, ToolStatus
from prosa.domain.conversations import MessageStatus
from prosa.domain.imports import BrokenFile, Empty, Malformed, Told, ToldMessage, TooMuch
from prosa.domain.models import Role
from prosa.domain.time import SECOND
from prosa.services.imports import openai
from prosa.services.imports.sources import Source, conversations


def read(data: bytes, source: Source = "auto") -> list[tuple[str, Any]]:
    return list(conversations(io.BytesIO(data), source))


def one(value: Any, source: str) -> Told:
    ((name, found),) = read(raw(value))
    assert name == source
    assert isinstance(found, Told)
    return found


def by_id(told: Told) -> dict[str, ToldMessage]:
    return {each.id: each for each in told.messages}


def test_chatgpt() -> None:
    told = one([CHATGPT], "chatgpt")
    assert (told.title, told.external_id, told.head) == ("Lisbon", CHATGPT["id"], "a2b")
    assert (told.created_at, told.updated_at) == (START * SECOND, (START + 60) * SECOND)
    said = by_id(told)
    assert [(each.id, each.parent, each.role) for each in told.messages] == [
        ("q1", None, Role.USER),
        ("a1", "q1", Role.ASSISTANT),
        ("q2", "a1", Role.USER),
        ("t", "q2", Role.ASSISTANT),
        ("q2b", "a1", Role.USER),
        ("a2b", "q2b", Role.ASSISTANT),
    ]
    assert said["q1"].content == "[image]\n\nWhat is this?\n\n[plan.pdf]"
    assert (said["a1"].content, said["a1"].model, said["a1"].provider) == ("A castle. ", "gpt-4o", "openai")
    assert said["a1"].created_at == round((START + 1.25) * SECOND)
    assert said["t"].content == "900 years."
    assert said["t"].parts == (
        ThinkingPart("Age\n\nCount."),
        ToolCall("c", "python", '{"input":"print(1)"}'),
        ToolResult("c", "1", "python"),
        TextPart("900 years."),
    )
    assert (said["t"].model, said["t"].status) == ("o3", MessageStatus.COMPLETED)
    assert said["a2b"].status is MessageStatus.INCOMPLETE


def test_chatgpt_regenerated_in_the_middle_of_an_answer() -> None:
    told = one(
        chatgpt(
            node("q", "root", "user", "?"),
            node("c", "q", "assistant", "{}", recipient="browser"),
            node("r1", "c", "tool", "one", name="browser"),
            node("r2", "c", "tool", "two", name="browser"),
            node("a", "r2", "assistant", "So."),
            current_node="r1",
        ),
        "chatgpt",
    )
    said = by_id(told)
    assert {name: each.parent for name, each in said.items()} == {"q": None, "c": "q", "r1": "c", "r2": "c"}
    assert told.head == "r1"
    assert said["r2"].parts == (
        ToolCall("r2", "browser", "{}"),
        ToolResult("r2", "two", "browser"),
        TextPart("So."),
    )
    assert said["r2"].role is Role.ASSISTANT


def test_chatgpt_with_odd_trees() -> None:
    told = one(
        chatgpt(
            node("a", "b", "user", "1"),
            node("b", "a", "assistant", "2"),
            node("lost", "nowhere", "user", "3"),
            node("under", "gone", "assistant", "4"),
            {"id": "gone", "message": None, "parent": "lost", "children": ["under"]},
            {"id": "loop", "message": None, "parent": "loop", "children": []},
            node("looped", "loop", "user", "5"),
            current_node="loop",
        ),
        "chatgpt",
    )
    assert {each.id: each.parent for each in told.messages if each.id not in "ab"} == {
        "lost": "nowhere" if by_id(told)["lost"].parent else None, "under": "lost", "looped": None}  # fmt: skip
    assert told.head is None


@pytest.mark.parametrize(
    "broken",
    [
        {"mapping": {}},
        {"mapping": {"x": 7}},
        {"mapping": {"x": {"message": 7}}},
        {"mapping": {"x": {"message": {"author": 7, "content": 7}}}},
        {
            "mapping": {
                "x": {
                    "message": {
                        "author": {"role": "user"},
                        "content": {"parts": [7, None, {"content_type": 8}]},
                    }
                }
            }
        },
        {"mapping": {"x": {"message": {"author": {"role": "user"}, "content": "x"}}}},
    ],
)
def test_chatgpt_without_anything_to_show(broken: Any) -> None:
    ((name, (told, error)),) = read(raw([{"id": "x"} | broken]))
    assert (name, told) == ("chatgpt", "x")
    assert isinstance(error, Empty)


def test_citations_become_links() -> None:
    about = {
        "content_references": [
            {"matched_text": "\ue200x\ue201", "alt": "([site](https://e.org))"},
            {"matched_text": " "},
            7,
        ]
    }
    told = one(
        chatgpt(node("a", "root", "assistant", "It is \ue200x\ue201. A \ue200y\ue201b", about=about)),
        "chatgpt",
    )
    assert told.messages[0].content == "It is ([site](https://e.org)). A b"


def test_claude() -> None:
    told = one([CLAUDE], "claude")
    assert (told.id, told.external_id, told.title) == (CLAUDE["uuid"], CLAUDE["uuid"], "Bread")
    assert told.created_at == 1_709_625_600 * SECOND + 1
    said = by_id(told)
    assert [(each.id, each.role) for each in told.messages] == [
        ("m1", Role.USER), ("m2", Role.ASSISTANT), ("m3", Role.USER), ("m3b", Role.USER)]  # fmt: skip
    assert {name: each.parent for name, each in said.items()} == {
        "m1": None,
        "m2": "m1",
        "m3": "m2",
        "m3b": "m2",
    }
    assert said["m1"].content == "How do I bake?\n\n[notes.txt]\n\nflour\n\n[loaf.png]"
    assert said["m2"].content == "Let me look.\n\nHot."
    assert said["m2"].parts == (
        ThinkingPart("Heat."),
        TextPart("Let me look."),
        ToolCall("m2-2", "web_search", '{"query":"bread"}'),
        ToolResult("m2-2", "At 230 °C.", "web_search"),
        TextPart("\n\nHot."),
    )
    assert said["m3"].content == "Thanks"


def test_claude_without_parents() -> None:
    old = {**CLAUDE, "chat_messages": [{name: value for name, value in each.items() if name != "parent_message_uuid"}
                                       for each in CLAUDE["chat_messages"]]}  # fmt: skip
    old["chat_messages"].insert(1, {"uuid": "none", "text": " ", "sender": "assistant"})
    told = one([old], "claude")
    assert {each.id: each.parent for each in told.messages} == {
        "m1": None,
        "m2": "m1",
        "m3": "m2",
        "m3b": "m3",
    }


def test_a_tool_that_failed() -> None:
    content = [
        {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}},
        {"type": "tool_result", "tool_use_id": "toolu_1", "name": "f", "is_error": True, "content": "No."},
        {"type": "tool_result", "tool_use_id": "toolu_1", "name": "f", "content": [{"type": "image"}]},
    ]
    told = one(
        [
            {
                "uuid": "x",
                "name": "",
                "chat_messages": [{"uuid": "m", "sender": "assistant", "content": content}],
            }
        ],
        "claude",
    )
    assert told.messages[0].parts == (
        ToolCall("toolu_1", "f", "{}"),
        ToolResult("toolu_1", "No.\n[image]", "f", ToolStatus.FAILED),
    )


QUESTION = thread_message("msg_1", "user", "Hi", metadata={"k": "v"})
ANSWER = thread_message("msg_2", "assistant", "Hello.")
MORE = thread_message("msg_3", "user", "More", 5)
RUN = {"id": "run_1", "object": "thread.run", "thread_id": "thread_abc"}


@pytest.mark.parametrize(
    "value",
    [
        [thread(), QUESTION, ANSWER, MORE],
        [MORE, ANSWER, QUESTION, thread(), RUN],
        [thread(), page(MORE, ANSWER, QUESTION)],
        [thread(), page(MORE), page(ANSWER, QUESTION)],
        [page(thread()), page(QUESTION, ANSWER), page(MORE), page(RUN)],
        {"threads": [thread()], "messages": [MORE, ANSWER, QUESTION], "runs": [RUN]},
        {"threads": page(thread()), "messages": {"data": 7}, "more": [page(MORE, ANSWER, QUESTION)]},
        thread(messages=[QUESTION, ANSWER, MORE]),
        thread(messages=page(MORE, ANSWER, QUESTION)),
        [thread(messages=page(MORE, ANSWER, QUESTION))],
        [thread(), [QUESTION, ANSWER], [MORE], QUESTION],
    ],
)
def test_openai_threads(value: Any) -> None:
    told = one(value, "openai")
    assert (told.id, told.external_id, told.metadata) == ("thread_abc", "thread_abc", {"case": "7"})
    assert told.created_at == 1_700_000_000 * SECOND
    assert [(each.id, each.external_id, each.parent, each.role, each.content) for each in told.messages] == [
        ("msg_1", "msg_1", None, Role.USER, "Hi"),
        ("msg_2", "msg_2", "msg_1", Role.ASSISTANT, "Hello."),
        ("msg_3", "msg_3", "msg_2", Role.USER, "More"),
    ]
    assert told.messages[0].metadata == {"k": "v"}
    assert told.messages[2].created_at == 1_700_000_005 * SECOND


def test_openai_lines_and_messages_without_their_thread() -> None:
    lines = b"\n".join(map(raw, [QUESTION, RUN, ANSWER, page(MORE)]))
    ((_, told),) = read(lines)
    assert (told.id, len(told.messages), told.metadata, told.created_at) == ("thread_abc", 3, {}, None)


def test_openai_content() -> None:
    content = [
        {"type": "text", "text": {"value": "See【1:0†source】and sandbox:/x.csv.", "annotations": [
            {"type": "file_citation", "text": "【1:0†source】", "file_citation": {"file_id": "file-1", "quote": "q"}},
            {"type": "file_path", "text": "sandbox:/x.csv", "file_path": {"file_id": "file-2"}},
            {"type": "file_citation", "text": "not there", "file_citation": {"file_id": "file-3"}}, 7]}},
        {"type": "image_file", "image_file": {"file_id": "file-4"}},
        {"type": "refusal", "refusal": "No."},
        {"type": "strange"},
    ]  # fmt: skip
    told = one(
        [
            thread(),
            thread_message("m", "assistant", "", content=content, attachments=[{"file_id": "file-5"}]),
        ],
        "openai",
    )
    assert told.messages[0].content == (
        "See [1]and  [2].\n\n[1] file-1: q\n[2] file-2\n\n[image file-4]\n\nNo.\n\n[file-5]"
    )


def test_an_empty_thread() -> None:
    ((_, (told, error)),) = read(raw([thread()]))
    assert told == "thread_abc"
    assert isinstance(error, Empty)


@pytest.mark.parametrize(
    "name", ["conversations.json", "export/conversations.json", "conversations-000.json"]
)
@pytest.mark.parametrize("value", [[CHATGPT], [CLAUDE]])
def test_out_of_a_zip(name: str, value: Any) -> None:
    files = {"chat.html": b"x" * 1000, name: raw(value), "user.json": b"{", "a/b/message_feedback.json": b"["}
    assert read(zipped(files)) == read(raw(value))


def test_a_zip_in_pieces() -> None:
    other = chatgpt(node("x", "root", "user", "x"), conversation_id="other")
    found = read(zipped({"conversations-001.json": raw([other]), "conversations-000.json": raw([CHATGPT])}))
    assert [told.id for _, told in found] == [CHATGPT["id"], "other"]


def test_only_what_was_asked_for() -> None:
    mixed = raw([CHATGPT, CLAUDE, thread(), QUESTION, {"id": "own", "messages": []}, {"id": "strange"}, 7])
    for source, told in (
        ("chatgpt", CHATGPT["id"]),
        ("claude", CLAUDE["uuid"]),
        ("openai", "thread_abc"),
        ("prosa", "own"),
    ):
        found = read(mixed, source)
        assert [each.id for _, each in found if isinstance(each, Told)] == [told]
        assert {name for name, _ in found} == {source}
    found = read(mixed)
    assert [name for name, _ in found] == ["chatgpt", "claude", "prosa", "openai", "prosa"]
    assert found[-1][1][0] == "strange"
    assert isinstance(found[-1][1][1], Malformed)


def test_a_break_keeps_what_came_before() -> None:
    whole = raw([thread(), QUESTION, ANSWER, CHATGPT])
    found: list[Any] = []
    with pytest.raises(BrokenFile) as broken:
        found.extend(conversations(io.BytesIO(whole[:-2]), "auto"))
    assert [told.id for _, told in found] == ["thread_abc"]
    assert broken.value.details["bytes"] == len(whole) - 2


def test_threads_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where each message lies is held in memory, and all of one thread at a time."""
    lines = b"".join(
        json.dumps(
            {
                "object": "thread.message",
                "id": f"m{n}",
                "thread_id": f"t{n // 5}",
                "role": "user",
                "content": "x",
            }
        ).encode()
        for n in range(12)
    )
    monkeypatch.setattr(openai, "MOST_OBJECTS", 7)
    found = []
    with pytest.raises(TooMuch):
        found.extend(conversations(io.BytesIO(lines), "auto"))
    assert [told.id for _, told in found if isinstance(told, Told)] == ["t0", "t1"]
    monkeypatch.setattr(openai, "MOST_OBJECTS", 100)
    monkeypatch.setattr(openai, "MOST_TEXT", 300)
    names = {told[0] for _, told in conversations(io.BytesIO(lines), "auto") if not isinstance(told, Told)}
    assert names == {"t0", "t1"}
