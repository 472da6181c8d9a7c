"""Markdown: conversations to read and to keep as notes; what was said is Markdown already."""

import re

from prosa.domain.content import Part, TextPart, ThinkingPart, ToolCall, ToolResult
from prosa.domain.conversations import Conversation, MessageStatus
from prosa.services.export.formats import Exported, media, minute, words_of

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$", re.MULTILINE)
_MARKS = re.compile(r"([\\`*_\[\]<>#|~])")


class Markdown:
    media_type = "text/markdown; charset=utf-8"
    suffix = "md"
    whole = False

    def __init__(self, language: str) -> None:
        self._words = words_of(language)

    def begin(self, conversations: int, title: str | None) -> bytes:
        del conversations, title
        return b""

    def open(self, conversation: Conversation, place: int) -> bytes:
        title = one_line(conversation.title or self._words["untitled"])
        rule = "\n---\n\n" if place else ""
        said = f"{rule}# {title}\n\n*{minute(conversation.created_at)}*\n"
        if conversation.system_prompt:
            said += f"\n## {self._words['system']}\n\n{closed(conversation.system_prompt)}\n"
        return said.encode()

    def message(self, placed: Exported, conversation: Conversation) -> bytes:
        del conversation
        message = placed.message
        about = [minute(message.created_at)]
        if message.model:
            about.append(one_line(message.model))
        if message.status is not MessageStatus.COMPLETED:
            about.append(self._words["incomplete"])
        parts = message.parts or (TextPart(message.content),)
        body = "\n\n".join(each for each in map(self._part, parts) if each)
        return f"\n## {self._words[message.role]}\n\n*{' · '.join(about)}*\n\n{body}\n".encode()

    def close(self, conversation: Conversation) -> bytes:
        del conversation
        return b""

    def end(self) -> bytes:
        return b""

    def _part(self, part: Part) -> str:
        match part:
            case TextPart(text):
                return closed(text)
            case ThinkingPart(text):
                return quoted(f"**{self._words['thoughts']}**\n\n{closed(text)}") if text else ""
            case ToolCall(_, name, arguments):
                return f"**{self._words['call']}: {one_line(name)}**\n\n{fenced(arguments)}"
            case ToolResult(_, result):
                return fenced(result)
        return f"*[{one_line(media(part, self._words) or '')}]*"


def one_line(text: str) -> str:
    """`text` as itself within a line, whatever marks it has."""
    return _MARKS.sub(r"\\\1", " ".join(text.replace("\0", " ").split()))


def closed(text: str) -> str:
    """`text` with an end to the block of code that it leaves open: what follows is not of it."""
    fence = ""
    for found in _FENCE.finditer(text):
        mark, rest = found[1], found[2]
        if not fence:
            fence = mark
        elif mark[0] == fence[0] and len(mark) >= len(fence) and not rest.strip():
            fence = ""
    return f"{text}\n{fence}" if fence else text


def fenced(text: str) -> str:
    """`text` as a block of code, between marks that are longer than any in it."""
    longest = max((len(each) for each in re.findall(r"`+", text)), default=0)
    mark = "`" * max(3, longest + 1)
    return f"{mark}\n{text}\n{mark}"


def quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.split("\n"))
