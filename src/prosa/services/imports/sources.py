"""Which program a file comes from, and the conversations in it."""

from collections.abc import Callable, Iterator
from contextlib import closing
from types import ModuleType
from typing import IO, Any, Literal

from prosa.domain.imports import BrokenFile, ImportFailed, Malformed, NewerFile, Told, TooMuch
from prosa.services.imports import chatgpt, claude, openai, prosa
from prosa.services.imports.archive import contents
from prosa.services.imports.fields import objects
from prosa.services.imports.reading import Entry, Flaw, entries

Source = Literal["auto", "prosa", "chatgpt", "claude", "openai"]
Faulty = tuple[str | None, ImportFailed]
"""The id of a conversation that can't be imported, where it is known, and what is wrong with it."""
Found = tuple[str, Told | Faulty]
"""The name of a source, and what is in it."""

_READERS: dict[str, ModuleType] = {"chatgpt": chatgpt, "claude": claude, "prosa": prosa}
MOST_STRANGE = 100
"""Things of no known form that are told one by one."""


def conversations(file: IO[bytes], source: Source) -> Iterator[Found]:
    """Raises BrokenFile, NewerFile, RefusedArchive, TooMuch, UnknownFile."""
    with closing(_Reading(source)) as reading:
        try:
            for content in contents(file):
                for entry in entries(content):
                    yield from reading.take(entry)
        except (BrokenFile, TooMuch):
            yield from reading.rest()
            raise
        yield from reading.rest()


class _Reading:
    """What was found so far in one file."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._known: str | None = None
        self._threads = openai.Threads()
        self._strange: list[str | None] = []

    def close(self) -> None:
        self._threads.close()

    def take(self, entry: Entry | Flaw) -> Iterator[Found]:
        if isinstance(entry, Flaw):
            yield self._known or "prosa", (entry.told, entry.error)
        elif entry.place == ".version" and entry.value != prosa.VERSION:
            raise NewerFile(entry.value)
        elif isinstance(entry.value, list):
            yield from self._take_list(entry.value)
        elif isinstance(entry.value, dict):
            if entry.place == "." and not _known(entry.value):
                for each in entry.value.values():
                    yield from self._take_list([each] if isinstance(each, dict) and _known(each) else each)
            else:
                yield from self._take_object(entry.value)

    def rest(self) -> Iterator[Found]:
        """What can be told only at the end."""
        for name, found in self._threads.all():
            yield "openai", found if isinstance(found, Told) else (name, found)
            self._known = self._known or "openai"
        if self._known is not None:
            for told in self._strange:
                yield self._known, (told, Malformed("conversation"))

    def _take_list(self, values: Any) -> Iterator[Found]:
        found = objects(values)
        if found and all(map(openai.is_object, found)) and self._source in ("auto", "openai"):
            self._threads.add(found)  # together, for their order says something
            return
        for each in found:
            yield from self._take_object(each)

    def _take_object(self, raw: dict[str, Any]) -> Iterator[Found]:
        for name, reader in _READERS.items():
            if self._source in ("auto", name) and reader.is_conversation(raw):
                self._known = name
                yield name, _told(reader.told, raw)
                return
        if self._source in ("auto", "openai") and openai.is_object(raw):
            self._threads.add(raw)
        elif len(self._strange) < MOST_STRANGE:
            self._strange.append(_name(raw))


def _known(raw: dict[str, Any]) -> bool:
    """Whether it is itself a conversation, or a page of them."""
    return openai.is_object(raw) or any(reader.is_conversation(raw) for reader in _READERS.values())


def _told(reader: Callable[[dict[str, Any]], Told], raw: dict[str, Any]) -> Told | Faulty:
    try:
        return reader(raw)
    except ImportFailed as error:
        return _name(raw), error


def _name(raw: dict[str, Any]) -> str | None:
    names = [raw.get(name) for name in ("id", "conversation_id", "uuid")]
    return next((each[:100] for each in names if isinstance(each, str)), None)
