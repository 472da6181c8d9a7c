"""Messages as OpenAI writes them, read as turns."""

import binascii
import re
from base64 import b64decode
from collections.abc import Sequence

from prosa.domain.content import DocumentPart, ImagePart, Part, TextPart, ToolCall, ToolResult
from prosa.domain.errors import InvalidRequest, NotSupported
from prosa.domain.models import Role, Turn, turn
from prosa.transport.openai.forms import (
    AssistantMessage,
    AudioForm,
    CallForm,
    DeveloperMessage,
    FileForm,
    FunctionMessage,
    ImageForm,
    MessageForm,
    RefusalForm,
    SystemMessage,
    TextForm,
    ToolMessage,
    UserMessage,
)

_DATA = re.compile(r"data:([\w.+-]+/[\w.+-]+)(?:;[\w.=+-]+)*;base64,", re.ASCII)


def read(messages: Sequence[MessageForm]) -> tuple[str | None, tuple[Turn, ...]]:
    """The system's words that come before all else, and the turns after them. Results in a row are one turn.

    Raises InvalidRequest, which names the place, and NotSupported.
    """
    first = next((n for n, each in enumerate(messages) if not _is_system(each)), 0)
    system = "\n\n".join(_said(each) for each in messages[:first])
    reading = _Reading()
    for place, message in enumerate(messages[first:], first):
        reading.take(message, f"messages[{place}]")
    return system or None, tuple(reading.turns)


class _Reading:
    """The turns so far, and which call each result belongs to."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self._names: dict[str, str] = {}
        self._of_old: list[ToolCall] = []

    def take(self, message: MessageForm, place: str) -> None:
        match message:
            case SystemMessage() | DeveloperMessage():
                self.turns.append(Turn(Role.SYSTEM, _said(message)))
            case UserMessage(content):
                self.turns.append(_shown(content, place))
            case AssistantMessage():
                self._answer(message)
            case ToolMessage(identity, _):
                self._result(ToolResult(identity, _said(message), self._names.get(identity, "")))
            case FunctionMessage(name, content):
                self._result(ToolResult(self._called(name, place), content or "", name))

    def _answer(self, message: AssistantMessage) -> None:
        parts: list[Part] = [TextPart(text)] if (text := _said(message) or message.refusal) else []
        for called in message.tool_calls or ():
            if not isinstance(called, CallForm):
                raise NotSupported("A custom tool")
            parts.append(ToolCall(called.id, called.function.name, called.function.arguments))
        if message.function_call is not None:
            identity = f"call_{len(self.turns)}"
            parts.append(ToolCall(identity, message.function_call.name, message.function_call.arguments))
        calls = [part for part in parts if isinstance(part, ToolCall)]
        self._names |= {call.id: call.name for call in calls}
        self._of_old = calls
        self.turns.append(turn(Role.ASSISTANT, *parts))

    def _result(self, result: ToolResult) -> None:
        last = self.turns[-1] if self.turns else None
        if last is not None and last.role is Role.TOOL:
            self.turns[-1] = turn(Role.TOOL, *last.parts, result)
        else:
            self.turns.append(turn(Role.TOOL, result))

    def _called(self, name: str, place: str) -> str:
        """The id of the last call of `name`, which a result of the old form does not tell."""
        for call in reversed(self._of_old):
            if call.name == name:
                return call.id
        raise InvalidRequest(f"there is no call that this answers - at `$.{place}.name`.")


def _is_system(message: MessageForm) -> bool:
    return isinstance(message, SystemMessage | DeveloperMessage)


def _said(message: MessageForm) -> str:
    """The text of a message whose parts can be nothing else."""
    content = message.content
    if content is None or isinstance(content, str):
        return content or ""
    texts = [part.text if isinstance(part, TextForm) else part.refusal
             for part in content if isinstance(part, TextForm | RefusalForm)]  # fmt: skip
    return "".join(texts)


def _shown(content: "str | Sequence[TextForm | ImageForm | FileForm | AudioForm]", place: str) -> Turn:
    if isinstance(content, str):
        return Turn(Role.USER, content)
    return turn(Role.USER, *(_part(part, f"{place}.content[{n}]") for n, part in enumerate(content)))


def _part(part: TextForm | ImageForm | FileForm | AudioForm, place: str) -> Part:
    match part:
        case TextForm(text):
            return TextPart(text)
        case ImageForm(image):
            if not image.url.startswith("data:"):
                return ImagePart(url=image.url, detail=image.detail)
            kind, data = _decoded(image.url, f"{place}.image_url.url")
            return ImagePart(kind, data, detail=image.detail)
        case FileForm(file):
            if file.file_id is not None or file.file_data is None:
                raise NotSupported("`file_id`")
            kind, data = _decoded(file.file_data, f"{place}.file.file_data")
            return DocumentPart(kind, data, name=file.filename)
        case AudioForm():
            raise NotSupported("`input_audio`")


def _decoded(url: str, place: str) -> tuple[str, bytes]:
    """The media type and the bytes of a data: URL."""
    head = _DATA.match(url)
    if head is None:
        raise InvalidRequest(f"this is not a media type and base64 - at `$.{place}`.")
    try:
        return head[1].lower(), b64decode(url[head.end() :], validate=True)
    except binascii.Error as error:
        raise InvalidRequest(f"this is not base64 - at `$.{place}`.") from error
