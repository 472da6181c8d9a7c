"""ChatGPT's data export: `conversations.json`, each conversation a `mapping` of nodes."""

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from prosa.domain.conversations import MessageStatus
from prosa.domain.imports import Empty, Told, ToldMessage
from prosa.domain.models import Role
from prosa.services.imports.fields import maybe, obj, objects, seconds, text
from prosa.services.imports.grove import nearest, visible_parents
from prosa.services.imports.spoken import Spoken, joined

_MARKS = re.compile("\ue200[^\ue201]*\ue201|[\ue200-\ue206]")
"""Places of citations, which only ChatGPT's page can fill."""
_UNSEEN = frozenset({"user_editable_context", "model_editable_context", "reasoning_recap"})
"""What the model was told of its user, and remarks of the page."""
_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT, "tool": Role.TOOL, "system": Role.SYSTEM}
MOST_REFERENCES = 1_000


class Node(Struct, frozen=True):
    """A node that is seen."""

    id: str
    role: Role
    message: dict[str, Any]

    @property
    def speaks(self) -> bool:
        """Whether it belongs to an answer: the model's words, its calls, and what they gave."""
        return self.role in (Role.ASSISTANT, Role.TOOL)


def is_conversation(value: dict[str, Any]) -> bool:
    return isinstance(value.get("mapping"), dict)


def told(raw: dict[str, Any]) -> Told:
    """An answer's nodes, of which none but the last has a sibling below it, become one message. Raises
    ImportFailed."""
    mapping = {name: node for name, node in raw["mapping"].items() if isinstance(node, dict)}
    parents = {name: maybe(node.get("parent")) for name, node in mapping.items()}
    nodes = {name: found for name, node in mapping.items() if (found := _node(name, node)) is not None}
    if not nodes:
        raise Empty
    above = visible_parents(parents, nodes)
    groups = _groups(nodes, above)
    first = {each.id: group[0].id for group in groups for each in group}
    head = nearest(maybe(raw.get("current_node")), parents, nodes)
    return Told(
        id=text(raw.get("conversation_id")) or text(raw.get("id")) or min(mapping),
        messages=[_message(group, first.get(above[group[0].id] or "")) for group in groups],
        head=None if head is None else first[head],
        external_id=maybe(raw.get("conversation_id")) or maybe(raw.get("id")),
        title=maybe(raw.get("title")),
        archived=raw.get("is_archived") is True,
        metadata={"importedFrom": "chatgpt"},
        created_at=seconds(raw.get("create_time")),
        updated_at=seconds(raw.get("update_time")),
    )


def _node(name: str, raw: dict[str, Any]) -> Node | None:
    """None for what is not seen: the root, hidden notes, empty messages."""
    message = obj(raw.get("message"))
    role = _ROLES.get(text(obj(message.get("author")).get("role")))
    content = obj(message.get("content"))
    if role is None or content.get("content_type") in _UNSEEN:
        return None
    hidden = obj(message.get("metadata")).get("is_visually_hidden_from_conversation") is True
    if role is not Role.TOOL and (hidden or not _spoken([Node(name, role, message)]).parts):
        return None
    return Node(name, role, message)


def _groups(nodes: Mapping[str, Node], above: Mapping[str, str | None]) -> list[list[Node]]:
    """The nodes of each message, parents' first where the file has them so."""
    below: dict[str | None, list[Node]] = {}
    for node in nodes.values():
        below.setdefault(above[node.id], []).append(node)
    groups = []
    for node in nodes.values():
        parent = nodes.get(above[node.id] or "")
        if parent is not None and _continues(node, parent, below):
            continue
        group = [node]
        while (more := below.get(group[-1].id, [])) and _continues(more[0], group[-1], below):
            group.append(more[0])
        groups.append(group)
    return groups


def _continues(node: Node, parent: Node, below: Mapping[str | None, list[Node]]) -> bool:
    return node.speaks and parent.speaks and len(below[parent.id]) == 1


def _message(group: list[Node], parent: str | None) -> ToldMessage:
    content, parts = _spoken(group).content()
    about = [obj(node.message.get("metadata")) for node in group]
    models = [model for each in about if (model := maybe(each.get("model_slug")))]
    last = group[-1].message
    broken = last.get("status") == "in_progress" or (
        obj(about[-1].get("finish_details")).get("type") == "interrupted"
    )
    speaks = group[0].speaks
    return ToldMessage(
        id=group[0].id,
        parent=parent,
        role=Role.ASSISTANT if speaks else group[0].role,
        content=content,
        parts=parts,
        status=MessageStatus.INCOMPLETE if broken else MessageStatus.COMPLETED,
        provider="openai" if speaks else None,
        model=models[-1] if speaks and models else None,
        created_at=seconds(group[0].message.get("create_time")),
    )


def _spoken(group: list[Node]) -> Spoken:
    spoken = Spoken()
    for node in group:
        content = obj(node.message.get("content"))
        words = _words(content, obj(node.message.get("metadata")))
        recipient = text(node.message.get("recipient"))
        if content.get("content_type") == "thoughts":
            for thought in objects(content.get("thoughts")):
                spoken.think(joined([text(thought.get("summary")), text(thought.get("content"))]))
        elif node.role is Role.TOOL:
            spoken.result(node.id, text(obj(node.message.get("author")).get("name")), words)
        elif node.role is Role.ASSISTANT and recipient not in ("", "all"):
            spoken.call(node.id, recipient, words)
        elif content.get("content_type") == "code":
            spoken.say(f"```{_language(content)}\n{words}\n```" if words.strip() else "")
        else:
            spoken.say(words)
    return spoken


def _language(content: dict[str, Any]) -> str:
    language = text(content.get("language"))
    return language if language.isalnum() and language != "unknown" else ""


def _words(content: dict[str, Any], about: dict[str, Any]) -> str:
    parts = content.get("parts")
    words = joined(map(_part, parts)) if isinstance(parts, list) else ""
    words = joined([
        words,
        *(text(content.get(name)) for name in ("title", "url", "text", "result") if not words),
        *(f"[{name}]" for each in objects(about.get("attachments")) if (name := maybe(each.get("name")))),
    ])  # fmt: skip
    for reference in objects(about.get("content_references"))[:MOST_REFERENCES]:
        marked = text(reference.get("matched_text"))
        if marked.strip():
            words = words.replace(marked, text(reference.get("alt")))
    return _MARKS.sub("", words)


def _part(part: Any) -> str:
    """A text as it is, the words of a voice, and a mark where there was a picture: it is not in this file."""
    if isinstance(part, str):
        return part
    kind = text(obj(part).get("content_type"))
    if kind == "audio_transcription":
        return text(part.get("text"))
    return "[image]" if "image" in kind else f"[{kind.partition('_')[0]}]" if kind else ""
