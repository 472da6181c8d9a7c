"""Small files in the shapes that other programs export."""

import io
import json
import zipfile
from typing import Any

START = 1_700_000_000.5


def node(name: str, parent: str | None, role: str, /, *parts: Any, **fields: Any) -> dict[str, Any]:
    """A node of ChatGPT's mapping, with a text unless `content` says otherwise."""
    message = {
        "id": name,
        "author": {"role": role, "name": fields.pop("name", None), "metadata": {}},
        "create_time": fields.pop("at", None),
        "update_time": None,
        "content": fields.pop("content", {"content_type": "text", "parts": list(parts)}),
        "status": "finished_successfully",
        "end_turn": None,
        "weight": 1.0,
        "metadata": fields.pop("about", {}),
        "recipient": "all",
        "channel": None,
    } | fields
    return {"id": name, "message": message, "parent": parent, "children": []}


def chatgpt(*nodes: dict[str, Any], **fields: Any) -> dict[str, Any]:
    mapping = {"root": {"id": "root", "message": None, "parent": None, "children": []}}
    for each in nodes:
        mapping[each["id"]] = each
    for each in nodes:
        if each["parent"] in mapping:
            mapping[each["parent"]]["children"].append(each["id"])
    return {
        "title": "Lisbon",
        "create_time": START,
        "update_time": START + 60,
        "mapping": mapping,
        "moderation_results": [],
        "current_node": nodes[-1]["id"] if nodes else None,
        "plugin_ids": None,
        "conversation_id": "6562d1f0-0000-8000-a000-000000000001",
        "conversation_template_id": None,
        "gizmo_id": None,
        "is_archived": False,
        "safe_urls": [],
        "default_model_slug": "gpt-4o",
        "id": "6562d1f0-0000-8000-a000-000000000001",
    } | fields


CHATGPT = chatgpt(
    node("sys", "root", "system", "", about={"is_visually_hidden_from_conversation": True}),
    node("ctx", "sys", "user", content={"content_type": "user_editable_context", "user_profile": "secret"},
         about={"is_visually_hidden_from_conversation": True}),
    node("q1", "ctx", "user", {"content_type": "image_asset_pointer", "asset_pointer": "file-service://x", "width": 1}, "What is this?",
         content=None, at=START, about={"attachments": [{"id": "file-1", "name": "plan.pdf"}]}),
    node("a1", "q1", "assistant", "A castle. \ue200cite\ue202turn0search1\ue201", at=START + 1.25, about={"model_slug": "gpt-4o"}),
    node("q2", "a1", "user", "How old?", at=START + 2),
    node("t", "q2", "assistant", content={"content_type": "thoughts", "thoughts": [{"summary": "Age", "content": "Count."}]},
         at=START + 3, about={"model_slug": "o3"}),
    node("c", "t", "assistant", content={"content_type": "code", "language": "unknown", "text": "print(1)"}, recipient="python",
         at=START + 4, about={"model_slug": "o3"}),
    node("r", "c", "tool", name="python", content={"content_type": "execution_output", "text": "1"}, at=START + 5),
    node("recap", "r", "assistant", content={"content_type": "reasoning_recap", "content": "Thought for 5s"}, at=START + 5),
    node("a2", "recap", "assistant", "900 years.", at=START + 6, about={"model_slug": "o3"}),
    node("q2b", "a1", "user", "Where?", at=START + 20),
    node("a2b", "q2b", "assistant", "In Lisbon.", at=START + 21, status="in_progress"),
)  # fmt: skip
CHATGPT["mapping"]["q1"]["message"]["content"] = {
    "content_type": "multimodal_text",
    "parts": [{"content_type": "image_asset_pointer", "asset_pointer": "file-service://x"}, "What is this?"],
}

CLAUDE = {
    "uuid": "0a0a0a0a-0000-4000-8000-000000000001",
    "name": "Bread",
    "summary": "",
    "created_at": "2024-03-05T08:00:00.000001Z",
    "updated_at": "2024-03-05T09:00:00.123456Z",
    "account": {"uuid": "0b0b0b0b-0000-4000-8000-000000000001"},
    "chat_messages": [
        {"uuid": "m1", "text": "How do I bake?", "content": [{"type": "text", "text": "How do I bake?", "citations": []}],
         "sender": "human", "created_at": "2024-03-05T08:00:01Z", "updated_at": "2024-03-05T08:00:01Z",
         "attachments": [{"file_name": "notes.txt", "file_size": 5, "file_type": "txt", "extracted_content": "flour"}],
         "files": [{"file_name": "loaf.png"}], "parent_message_uuid": "00000000-0000-4000-8000-000000000000"},
        {"uuid": "m2", "text": "", "sender": "assistant", "created_at": "2024-03-05T08:00:09Z", "attachments": [], "files": [],
         "content": [{"type": "thinking", "thinking": "Heat."}, {"type": "text", "text": "Let me look."},
                     {"type": "tool_use", "id": None, "name": "web_search", "input": {"query": "bread"}},
                     {"type": "tool_result", "tool_use_id": None, "name": "web_search", "is_error": False,
                      "content": [{"type": "text", "text": "At 230 °C."}]},
                     {"type": "text", "text": "Hot."}],
         "parent_message_uuid": "m1"},
        {"uuid": "m3", "text": "Thanks", "sender": "human", "content": [], "created_at": "2024-03-05T08:01:00Z",
         "attachments": [], "files": [], "parent_message_uuid": "m2"},
        {"uuid": "m3b", "text": "And rye?", "sender": "human", "content": [], "created_at": "2024-03-05T08:02:00Z",
         "attachments": [], "files": [], "parent_message_uuid": "m2"},
    ],
}  # fmt: skip


def thread(name: str = "thread_abc", **fields: Any) -> dict[str, Any]:
    return {
        "id": name,
        "object": "thread",
        "created_at": 1_700_000_000,
        "metadata": {"case": "7"},
        "tool_resources": {},
    } | fields


def thread_message(name: str, role: str, value: str, at: int = 0, **fields: Any) -> dict[str, Any]:
    return {
        "id": name,
        "object": "thread.message",
        "created_at": 1_700_000_000 + at,
        "thread_id": "thread_abc",
        "role": role,
        "content": [{"type": "text", "text": {"value": value, "annotations": []}}],
        "assistant_id": "asst_1" if role == "assistant" else None,
        "run_id": "run_1" if role == "assistant" else None,
        "attachments": [],
        "metadata": {},
    } | fields


def page(*objects: dict[str, Any]) -> dict[str, Any]:
    return {
        "object": "list",
        "data": list(objects),
        "first_id": objects[0]["id"],
        "last_id": objects[-1]["id"],
        "has_more": False,
    }


def raw(value: Any) -> bytes:
    return json.dumps(value).encode()


def zipped(files: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return held.getvalue()
