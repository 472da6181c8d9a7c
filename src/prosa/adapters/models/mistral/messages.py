"""Writes turns as Mistral's messages, in the one order of roles that it takes."""

from collections.abc import Iterable, Sequence
from typing import Any

from prosa.adapters.models.arguments import as_object
from prosa.adapters.models.mistral.callid import callid
from prosa.adapters.models.mistral.parts import Chunk, shown, thought
from prosa.adapters.models.turns import told
from prosa.domain.content import TextPart, ThinkingPart, ToolCall, ToolResult
from prosa.domain.models import Role, Turn

OPENING = "…"
"""Stands for the user where nobody has spoken yet: there has to be something to answer."""
ACKNOWLEDGED = "OK."
"""Stands for the assistant between a tool and the user, where it was stopped before it spoke."""
UNANSWERED = "There is no result: the call was broken off."

Message = dict[str, Any]


def messages(turns: Sequence[Turn], system: str = "") -> list[Message]:
    """The messages of a conversation.

    System turns join `system` at the top, since none may come later. No user follows a tool, every call has
    a result, and an assistant that has the last word begins the answer (`prefix`).
    """
    spoken = [turn.content for turn in turns if turn.role is Role.SYSTEM]
    names = {part.id: part.name for turn in turns for part in turn.parts if isinstance(part, ToolCall)}
    written: list[Message] = []
    for turn in turns:
        match turn.role:
            case Role.USER:
                close(written)
                if written and written[-1]["role"] == "tool":
                    written.append({"role": "assistant", "content": ACKNOWLEDGED})
                written.append({"role": "user", "content": content(turn)})
            case Role.ASSISTANT:
                close(written)
                written += said(turn)
            case Role.TOOL:
                written += results(turn, names)
            case Role.SYSTEM:
                pass
    close(written)
    if not written:
        written.append({"role": "user", "content": OPENING})
    elif written[-1]["role"] == "assistant":
        written[-1]["prefix"] = True
    instructions = "\n\n".join(text for text in (system, *spoken) if text)
    return [{"role": "system", "content": instructions}, *written] if instructions else written


def content(turn: Turn) -> str | list[Chunk]:
    return [shown(part) for part in turn.parts] if turn.parts else turn.content


def said(turn: Turn) -> list[Message]:
    """What the assistant said: nothing where it was stopped while it thought."""
    if not turn.parts:
        return [{"role": "assistant", "content": turn.content}]
    calls = [call(part) for part in turn.parts if isinstance(part, ToolCall)]
    if not turn.content and not calls:
        return []
    message: Message = {"role": "assistant", "content": turn.content}
    if any(isinstance(part, ThinkingPart) for part in turn.parts):
        message["content"] = chunks(turn)
    if calls:
        message["tool_calls"] = calls
    return [message]


def chunks(turn: Turn) -> list[Chunk]:
    """Thoughts and text in their order. Pictures of its own can't go back to an assistant."""
    return [
        thought(part) if isinstance(part, ThinkingPart) else shown(part)
        for part in turn.parts
        if isinstance(part, ThinkingPart | TextPart)
    ]


def call(part: ToolCall) -> dict[str, Any]:
    function = {"name": part.name, "arguments": bytes(as_object(part.arguments)).decode()}
    return {"id": callid(part.id), "type": "function", "function": function}


def results(turn: Turn, names: dict[str, str]) -> Iterable[Message]:
    for part in turn.parts:
        if isinstance(part, ToolResult):
            yield result(callid(part.id), told(part), part.name or names.get(part.id, ""))


def result(identity: str, text: str, name: str) -> Message:
    message = {"role": "tool", "content": text, "tool_call_id": identity}
    return {**message, "name": name} if name else message


def close(written: list[Message]) -> None:
    """Answers the calls that nobody answered: Mistral wants as many results as there are calls."""
    answered = set()
    for message in reversed(written):
        if message["role"] != "tool":
            break
        answered.add(message["tool_call_id"])
    asked = written[-1 - len(answered)] if len(written) > len(answered) else {}
    written += [
        result(made["id"], UNANSWERED, made["function"]["name"])
        for made in asked.get("tool_calls", ())
        if made["id"] not in answered
    ]
