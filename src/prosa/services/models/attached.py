"""Puts the bytes of users' files into a request, right before a provider is asked."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing

from msgspec.structs import replace

from prosa.domain.content import Attachment, Part, TextPart, attachments_of
from prosa.domain.models import ChatRequest, ModelEvent, Turn
from prosa.ports.models import ChatModel
from prosa.services.models.policy import Policy

Read = Callable[[str, Sequence[str]], Awaitable[Mapping[str, bytes]]]
"""(user, ids of files) to the bytes of those that are the user's."""


class Attached(Policy):
    """All around it, what waits, is retried or stored refers to files by their ids. A file that is gone is
    a sentence that says so."""

    def __init__(self, inner: ChatModel, read: Read) -> None:
        super().__init__(inner)
        self._read = read

    def stream(self, request: ChatRequest) -> AsyncGenerator[ModelEvent, None]:
        return self._with_files(request) if _files(request) else self._inner.stream(request)

    async def count_tokens(self, request: ChatRequest) -> int | None:
        return await self._inner.count_tokens(await self._filled(request))

    async def _with_files(self, request: ChatRequest) -> AsyncGenerator[ModelEvent, None]:
        async with aclosing(self._inner.stream(await self._filled(request))) as events:
            async for event in events:
                yield event

    async def _filled(self, request: ChatRequest) -> ChatRequest:
        wanted = _files(request)
        if not wanted:
            return request
        read = await self._read(request.user, wanted)
        return replace(request, turns=tuple(_turn(turn, read) for turn in request.turns))


def _files(request: ChatRequest) -> list[str]:
    found = (part.file for turn in request.turns if turn.parts for part in attachments_of(turn.parts))
    return list(dict.fromkeys(each for each in found if each is not None))


def _turn(turn: Turn, read: Mapping[str, bytes]) -> Turn:
    if not turn.parts:
        return turn
    return replace(turn, parts=tuple(_part(part, read) for part in turn.parts))


def _part(part: Part, read: Mapping[str, bytes]) -> Part:
    if not isinstance(part, Attachment) or part.file is None:
        return part
    data = read.get(part.file)
    if data is None or len(data) != part.size:  # what was counted is what is sent, and nothing else
        return TextPart(f"[The file {part.name} is not there any more.]")
    return replace(part, data=data)
