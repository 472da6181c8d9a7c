"""Writes turns as Anthropic's messages: user and assistant by turns, each with its blocks."""

from collections.abc import Iterable
from typing import Any

from prosa.adapters.models.anthropic.parts import Block, block
from prosa.domain.content import Part, TextPart, ThinkingPart
from prosa.domain.errors import InvalidRequest
from prosa.domain.models import Role, Turn

OPENING = "…"
"""Stands for the user where the assistant spoke first, as a greeting: a user's turn must open."""
GO_ON = "Go on."
"""Stands for the user where a model does not take an assistant's turn as the beginning of its answer."""
THOUGHTS = {"thinking", "redacted_thinking"}

Message = dict[str, Any]


def messages(turns: Iterable[Turn], *, prefill: bool = True) -> list[Message]:
    """Neighbours of one speaker merged, the user first, and no blank at the end of an answer to be continued.

    Results come before all else in their message, and the results of parallel calls in one. Where the model
    takes no `prefill`, the user has the last word.
    """
    spoken: list[tuple[Role, list[Turn]]] = []
    for turn in turns:
        role = Role.ASSISTANT if turn.role is Role.ASSISTANT else Role.USER
        if role is Role.ASSISTANT and not (turn := settled(turn)).content and not turn.parts:
            continue
        if spoken and spoken[-1][0] is role:
            spoken[-1][1].append(turn)
        else:
            spoken.append((role, [turn]))
    if not spoken or spoken[0][0] is Role.ASSISTANT:
        spoken.insert(0, (Role.USER, [Turn(Role.USER, OPENING)]))
    written = [{"role": role.value, "content": content(merged)} for role, merged in spoken]
    if spoken[-1][0] is Role.ASSISTANT:
        if prefill:
            trim(written[-1])
        else:
            written.append({"role": Role.USER.value, "content": GO_ON})
    return written


def settled(turn: Turn) -> Turn:
    """An assistant's turn without the thoughts at its end, where it was stopped: none may end in them."""
    parts = turn.parts
    while parts and isinstance(parts[-1], ThinkingPart):
        parts = parts[:-1]
    return Turn(turn.role, turn.content, parts)


def content(turns: list[Turn]) -> str | list[Block]:
    """One text where text is all there is, else blocks."""
    if not any(turn.parts or turn.role is Role.TOOL for turn in turns):
        return "\n\n".join(turn.content for turn in turns)
    blocks = [found for turn in turns for part in parts(turn) if (found := block(part))]
    return sorted(blocks, key=lambda made: made["type"] != "tool_result")


def parts(turn: Turn) -> tuple[Part, ...]:
    if turn.role is Role.TOOL and not turn.parts:
        raise InvalidRequest("a tool's message has to say which call it answers")
    return turn.parts or (TextPart(turn.content),)


def trim(message: Message) -> None:
    """Takes the blanks from the end of a text with which an answer is to begin."""
    spoken = message["content"]
    if isinstance(spoken, str):
        message["content"] = spoken.rstrip()
    elif spoken[-1]["type"] == "text":
        spoken[-1]["text"] = spoken[-1]["text"].rstrip()


def resumes(written: list[Message]) -> bool:
    """Whether a thought precedes the calls whose results come last, or there are none."""
    first: Message | None = None
    for message in reversed(written):
        kinds = [made["type"] for made in message["content"]] if isinstance(message["content"], list) else []
        if message["role"] == Role.ASSISTANT.value and "tool_use" in kinds:
            first = message
        elif set(kinds) != {"tool_result"}:
            break
    return first is None or first["content"][0]["type"] in THOUGHTS
