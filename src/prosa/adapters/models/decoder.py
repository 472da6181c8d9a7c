"""The frame of every decoder: bytes in, events of the domain out, and a fault only after what preceded it."""

from abc import ABC, abstractmethod
from typing import Protocol

from prosa.adapters.models.answer import Answer
from prosa.adapters.models.repair import Unreadable
from prosa.domain.errors import BrokenStream
from prosa.domain.models import ModelEvent
from prosa.kit.bounds import Oversized


class Payloads(Protocol):
    """Cuts a stream into the pieces that one `read` takes."""

    def payloads(self, data: bytes, /) -> list[bytes]: ...

    def rest(self) -> list[bytes]: ...


class Decoder(ABC):
    """Reads one answer. `feed` never raises; `end` gives the `Finish`, or raises what went wrong.

    `over` is true once nothing more can come: stop feeding then, and call `end`.
    """

    def __init__(self, provider: str, stream: Payloads) -> None:
        self.answer = Answer(provider)
        self._stream = stream

    @property
    def over(self) -> bool:
        return self.answer.over

    def feed(self, data: bytes) -> list[ModelEvent]:
        answer = self.answer
        if answer.over:
            return []
        try:
            self._read_all(self._stream.payloads(data))
        except (Oversized, Unreadable):
            answer.fail(BrokenStream(answer.provider))
        return answer.take()

    def end(self) -> list[ModelEvent]:
        try:
            self._read_all(self._stream.rest())
        except Unreadable:
            self.answer.fail(BrokenStream(self.answer.provider))
        self.last()
        return self.answer.end()

    def last(self) -> None:  # noqa: B027 - most decoders have nothing to add
        """Writes what is kept back until the answer has ended."""

    @abstractmethod
    def read(self, payload: bytes) -> None:
        """Writes one piece of the stream into the answer. May raise `Unreadable`."""

    def _read_all(self, payloads: list[bytes]) -> None:
        answer = self.answer
        read = self.read
        for payload in payloads:
            if answer.over:
                return
            read(payload)
