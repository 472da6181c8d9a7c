"""Claude's data export: `conversations.json`, each conversation a list of `chat_messages`."""

from typing import Any

from prosa.domain.content import Part
from prosa.domain.imports import Empty, Told, ToldMessage
from prosa.domain.models import Role
from prosa.services.imports.fields import iso, maybe, obj, objects, text
from prosa.services.imports.grove import nearest, visible_parents
from prosa.services.imports.spoken import Spoken, joined

_ROLES = {"human": Role.USER, "user": Role.USER, "assistant": Role.ASSISTANT}


def is_conversation(value: dict[str, Any]) -> bool:
    return isinstance(value.get("chat_messages"), list)


def told(raw: dict[str, Any]) -> Told:
    """Raises ImportFailed."""
    found = [each for each in objects(raw["chat_messages"]) if maybe(each.get("uuid"))]
    parents = _parents(found)
    spoken = {each["uuid"]: _content(each) for each in found if text(each.get("sender")) in _ROLES}
    seen = {name: said for name, said in spoken.items() if said[0].strip() or said[1]}
    if not seen:
        raise Empty
    above = visible_parents(parents, seen)
    model = maybe(raw.get("model"))
    messages = [
        ToldMessage(
            id=each["uuid"],
            parent=above[each["uuid"]],
            role=role,
            content=seen[each["uuid"]][0],
            parts=seen[each["uuid"]][1],
            provider="anthropic" if role is Role.ASSISTANT else None,
            model=model if role is Role.ASSISTANT else None,
            created_at=iso(each.get("created_at")),
        )
        for each in found
        if each["uuid"] in seen
        for role in [_ROLES[each["sender"]]]
    ]
    return Told(
        id=text(raw.get("uuid")) or messages[0].id,
        messages=messages,
        head=nearest(maybe(raw.get("current_leaf_message_uuid")), parents, seen),
        external_id=maybe(raw.get("uuid")),
        title=maybe(raw.get("name")),
        metadata={"importedFrom": "claude"},
        created_at=iso(raw.get("created_at")),
        updated_at=iso(raw.get("updated_at")),
    )


def _parents(messages: list[dict[str, Any]]) -> dict[str, str | None]:
    """By what the messages say; older exports don't, and tell of one branch in its order."""
    if any("parent_message_uuid" in each for each in messages):
        return {each["uuid"]: maybe(each.get("parent_message_uuid")) for each in messages}
    return {each["uuid"]: messages[place - 1]["uuid"] if place else None
            for place, each in enumerate(messages)}  # fmt: skip


def _content(raw: dict[str, Any]) -> tuple[str, tuple[Part, ...]]:
    spoken = Spoken()
    for number, block in enumerate(objects(raw.get("content"))):
        _take(spoken, block, f"{raw['uuid']}-{number}")
    if not spoken.parts:
        spoken.say(text(raw.get("text")))
    for each in objects(raw.get("attachments")):
        name, words = text(each.get("file_name")), text(each.get("extracted_content"))
        spoken.say(joined([f"[{name}]" if name else "", words]))
    for each in objects(raw.get("files")):
        name = text(each.get("file_name"))
        spoken.say(f"[{name}]" if name else "")
    return spoken.content()


def _take(spoken: Spoken, block: dict[str, Any], name: str) -> None:
    match block.get("type"):
        case "text" | "voice_note":
            spoken.say(text(block.get("text")))
        case "thinking":
            spoken.think(text(block.get("thinking")))
        case "tool_use":
            arguments = block.get("input")
            spoken.call(maybe(block.get("id")) or name, text(block.get("name")),
                        arguments if isinstance(arguments, dict) else {})  # fmt: skip
        case "tool_result":
            failed = block.get("is_error") is True
            words = _result(block.get("content"))
            spoken.result(
                text(block.get("tool_use_id")) or name, text(block.get("name")), words, failed=failed
            )


def _result(content: Any) -> str:
    if isinstance(content, str):
        return content
    blocks = [content] if isinstance(content, dict) else objects(content)
    return joined(text(each.get("text")) or text(each.get("title")) or _mark(each) for each in blocks)


def _mark(block: dict[str, Any]) -> str:
    return "[image]" if "image" in text(obj(block).get("type")) else ""
