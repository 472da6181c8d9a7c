"""The values of a JSON file, one at a time, however large it is: they stand in a list, in a list of that name
of an object, or one after the other."""

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Protocol

from msgspec import Struct

from prosa.domain.imports import BrokenFile, TooMuch
from prosa.services.imports.digits import Digits
from prosa.services.imports.escapes import Escapes

LIST = "conversations"
"""The list of an object at the top that is read value by value."""

MOST_TEXT = 64 * 1024 * 1024
"""Characters that one value may have in all its texts."""
MOST_VALUES = 4_000_000
"""Values in one: those of 200,000 messages."""
MOST_AT_A_TIME = 32 * 1024 * 1024
"""Bytes of one text: the reader holds all of it, and looks at it anew with each piece."""
DEEPEST = 100
PIECE = 65_536

Events = Iterator[tuple[str, Any]]


class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class Entry(Struct, frozen=True):
    """One value. `place` is the name of the list that it stands in, "" for a list at the top, "." for an
    object at the top without its lists, and a name with a dot before it for a plain value of that object."""

    place: str
    value: Any


class Flaw(Struct, frozen=True):
    """A value that is too large; `told` is its id, where it comes early enough."""

    error: TooMuch
    told: str | None


def entries(file: Readable) -> Iterator[Entry | Flaw]:
    """Raises BrokenFile where it is not JSON (any more)."""
    import ijson

    counted = _Counted(file)
    try:
        events = counted.heard(ijson.basic_parse(counted, buf_size=PIECE, multiple_values=True))
        for event, value in events:
            if event == "start_array":
                yield from _elements("", events)
            elif event == "start_map":
                yield from _envelope(events)
            else:
                yield Entry(".", _plain(value))
    except (ijson.JSONError, ValueError, ArithmeticError) as error:
        raise BrokenFile(counted.read_so_far) from error


class _Counted:
    """A file that counts what was read of it, and gives no halves of characters and nothing endless."""

    def __init__(self, file: Readable) -> None:
        self._file = file
        self._escapes = Escapes()
        self._digits = Digits()
        self._silent = 0
        self.read_so_far = 0

    def read(self, size: int = -1) -> bytes:
        """Raises ValueError where one thing in the file is longer than anybody needs."""
        while data := self._file.read(size):
            self.read_so_far += len(data)
            if whole := self._escapes.feed(data):
                return self._bounded(whole)
        return self._bounded(self._escapes.rest())

    def heard(self, events: Events) -> Events:
        """`events` of what is read here."""
        for event in events:
            self._silent = 0
            yield event

    def _bounded(self, data: bytes) -> bytes:
        self._silent += len(data)
        if self._silent > MOST_AT_A_TIME or self._digits.endless(data):
            raise ValueError(self._silent)
        return data


def _envelope(events: Events) -> Iterator[Entry | Flaw]:
    """What stands beside the list is held together, so all of it counts as one value."""
    whole: dict[str, Any] = {}
    builder = _Builder()
    for event, name in events:
        if event == "end_map":
            break
        kind, value = next(events)
        if kind == "start_array" and name == LIST:
            yield from _elements(name, events)
            continue
        built = builder.whole(kind, value, events)
        if isinstance(built, Flaw):
            yield built
            continue
        whole[_mended(name)] = built
        if kind not in ("start_array", "start_map"):
            yield Entry(f".{name}", built)
    yield Entry(".", whole)


def _elements(place: str, events: Events) -> Iterator[Entry | Flaw]:
    for kind, value in events:
        if kind == "end_array":
            return
        built = _Builder().whole(kind, value, events)
        yield built if isinstance(built, Flaw) else Entry(place, built)


class _Builder:
    """Builds one value from events; of one that is too large it remembers only its id."""

    def __init__(self) -> None:
        self._text = 0
        self._values = 0
        self._over = False
        self._told: str | None = None

    def whole(self, kind: str, value: Any, events: Events) -> Any:
        """The value that begins with this event, or a Flaw."""
        if kind not in ("start_array", "start_map"):
            self._count(kind, value, 0)
            return Flaw(TooMuch("file"), None) if self._over else _plain(value)
        root: Any = {} if kind == "start_map" else []
        stack: list[Any] = [root]
        names: list[str] = [""]
        depth = 1
        while depth:
            kind, value = next(events)
            depth += _STEPS.get(kind, 0)
            self._count(kind, value, depth)
            if not self._over:
                self._place(kind, value, stack, names)
            elif stack:
                self._give_up(root, stack)
        return Flaw(TooMuch("conversation"), self._told) if self._over else root

    def _count(self, kind: str, value: Any, depth: int) -> None:
        self._values += 1
        if kind == "string":
            self._text += len(value)
        if self._values > MOST_VALUES or self._text > MOST_TEXT or depth > DEEPEST:
            self._over = True

    def _give_up(self, root: Any, stack: list[Any]) -> None:
        found = (root.get("id") or root.get("uuid")) if isinstance(root, dict) else None
        self._told = found if isinstance(found, str) else None
        root.clear()
        stack.clear()

    @staticmethod
    def _place(kind: str, value: Any, stack: list[Any], names: list[str]) -> None:
        if kind == "map_key":
            names[-1] = _mended(value)
            return
        if kind in ("end_map", "end_array"):
            stack.pop()
            names.pop()
            return
        new: Any = {} if kind == "start_map" else [] if kind == "start_array" else _plain(value)
        inside = stack[-1]
        if isinstance(inside, dict):
            inside[names[-1]] = new
        else:
            inside.append(new)
        if kind in ("start_map", "start_array"):
            stack.append(new)
            names.append("")


_STEPS = {"start_map": 1, "start_array": 1, "end_map": -1, "end_array": -1}


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return _mended(value)
    if isinstance(value, Decimal):  # what floats can't hold is no number
        value = float(value)
        return value if math.isfinite(value) else None
    return value


def _mended(text: str) -> str:
    """Without what no database keeps and no reader wants: NUL, and halves of characters."""
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
