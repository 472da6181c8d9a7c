"""Tells the pieces of one tool call from those of another, in whatever way a server marks them."""

from typing import Any

import msgspec
from msgspec import Struct

from prosa.adapters.models.answer import Answer
from prosa.domain.content import ThinkingPart


class Function(Struct, gc=False):
    name: str | None = None
    arguments: Any = None
    """Text, or with some servers the object itself."""


class Piece(Struct, gc=False):
    """A part of a call, or all of it. Its index, its id, or both may be missing."""

    index: int | None = None
    id: Any = None
    function: Function | None = None
    extra_content: Any = None
    """Gemini's signature of the thought from which the call followed."""


class Said(Struct, frozen=True):
    """What one piece says, with nothing for what is missing."""

    identity: str
    name: str
    arguments: str
    signature: str


class Begun:
    """A call of which something came. It is told once its name is known; till then `early` waits."""

    def __init__(self, place: int) -> None:
        self.place = place
        self.identity = ""
        self.name = ""
        self.early = ""
        self.signature = ""
        self.closed = False

    def differs(self, said: Said) -> bool:
        """Whether `said` is of another call: it has another id, another name, or a second object begins. An
        id alone is no sign while arguments are open: some servers make a new one for each piece."""
        if said.identity and self.identity:
            if said.identity == self.identity:
                return False
            begins = self.closed and said.arguments.startswith("{")
            return begins or bool(said.name) or not self.name
        if not said.name or not self.name:
            return False
        return said.name != self.name or (self.closed and said.arguments.startswith("{"))


class Calls:
    """Writes the calls of one answer into it. A piece goes on with the call at its index, without an index
    with the one that has its id, and without both with the last, unless it names a function."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._at: dict[int, Begun] = {}
        self._by_id: dict[str, Begun] = {}
        self._begun: list[Begun] = []

    def piece(self, piece: Piece) -> None:
        """Takes a piece of a stream."""
        said = read(piece)
        call = self._found(piece.index, said)
        if call is None or call.differs(said):
            if not (said.identity or said.name or said.arguments):
                return
            call = self._begin(piece.index)
        self._write(call, said)

    def whole(self, piece: Piece) -> None:
        """Takes a call that is complete."""
        self._write(self._begin(None), read(piece))

    def end(self) -> None:
        """Calls that got no name are told without one: who runs them says what is wrong."""
        for call in self._begun:
            if not call.name:
                self._tell(call)

    def _found(self, index: int | None, said: Said) -> Begun | None:
        if index is not None:
            return self._at.get(index)
        if said.identity:
            return self._by_id.get(said.identity)
        last = self._begun[-1] if self._begun else None
        return None if said.name and last is not None and last.name else last

    def _begin(self, index: int | None) -> Begun:
        call = Begun(len(self._begun))
        self._begun.append(call)
        if index is not None:
            if index in self._at:
                self._answer.called(self._at[index].place)
            self._at[index] = call
        return call

    def _write(self, call: Begun, said: Said) -> None:
        if said.identity and not call.identity:
            call.identity = said.identity
            self._by_id[said.identity] = call
        call.signature = call.signature or said.signature
        arguments = said.arguments
        if said.name and not call.name:
            call.name = said.name
            self._tell(call)
        elif not call.name:
            call.early += arguments
            return
        if arguments:
            call.closed = arguments.endswith("}")
            self._answer.arguments(call.place, arguments)

    def _tell(self, call: Begun) -> None:
        if call.signature and self._answer.returning:
            self._answer.thought(ThinkingPart(signature=call.signature, provider=self._answer.provider))
        self._answer.call(call.place, call.identity, call.name)
        self._answer.arguments(call.place, call.early)
        call.early = ""


def read(piece: Piece) -> Said:
    function = piece.function or Function()
    arguments = function.arguments
    if arguments is None:
        arguments = ""
    elif not isinstance(arguments, str):
        arguments = msgspec.json.encode(arguments).decode()
    identity = "" if piece.id is None else str(piece.id)
    return Said(identity, function.name or "", arguments, signature_of(piece.extra_content))


def signature_of(extra: Any) -> str:
    google = extra.get("google") if isinstance(extra, dict) else None
    signature = google.get("thought_signature") if isinstance(google, dict) else None
    return signature if isinstance(signature, str) else ""
