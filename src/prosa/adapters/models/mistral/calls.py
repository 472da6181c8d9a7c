"""Tells the pieces of one of Mistral's tool calls from those of another."""

from typing import Any

from msgspec import Struct

from prosa.adapters.models.answer import Answer
from prosa.adapters.models.arguments import as_text

NO_ID = {None, "", "null"}
"""How Mistral says that a piece has no id of its own."""


class Function(Struct, gc=False):
    name: str | None = None
    arguments: Any = None
    """Text, or the object itself."""


class Piece(Struct, gc=False):
    """A call, which usually comes whole, or a piece of one."""

    id: str | None = None
    index: int | None = None
    function: Function | None = None


class Calls:
    """Writes the calls of one answer into it.

    A piece goes on with a call that was begun where it has no name and no new id: the one of its id, of its
    index, or else the last one. The index alone does not tell calls apart, since some models leave it at 0.
    """

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._count = 0
        self._by_id: dict[str, int] = {}
        self._by_index: dict[int, int] = {}

    def write(self, pieces: list[Piece]) -> None:
        for piece in pieces:
            self._write(piece, piece.function or Function())

    def _write(self, piece: Piece, function: Function) -> None:
        identity = None if piece.id in NO_ID else piece.id
        place = self._place(piece, identity)
        if place is None or (identity is None and function.name):
            place = self._count
            self._count += 1
            self._answer.call(place, identity, function.name or "")
            if identity is not None:
                self._by_id[identity] = place
        if piece.index is not None:
            self._by_index[piece.index] = place
        self._answer.arguments(place, as_text(function.arguments))

    def _place(self, piece: Piece, identity: str | None) -> int | None:
        if identity is not None:
            return self._by_id.get(identity)
        last = self._count - 1 if self._count else None
        return last if piece.index is None else self._by_index.get(piece.index, last)
