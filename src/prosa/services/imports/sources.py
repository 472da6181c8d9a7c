"""Which program a file comes from, and the conversations in it."""

from collections.abc import Iterator
from typing import IO, Any, Literal

from prosa.domain.errors import NotSupported
from prosa.domain.imports import ImportFailed, NewerFile, Told
from prosa.services.imports import prosa
from prosa.services.imports.reading import Entry, Flaw, entries

Source = Literal["auto", "prosa", "chatgpt", "claude", "openai"]
Found = tuple[str, Told | tuple[str | None, ImportFailed]]
"""The name of the source, and a conversation, or the id of one that is faulty and what is wrong with it."""


def conversations(file: IO[bytes], source: Source) -> Iterator[Found]:
    """Raises BrokenFile, NewerFile, NotSupported."""
    if source not in ("auto", "prosa"):
        raise NotSupported(f"source={source}")
    for entry in entries(file):
        if isinstance(entry, Flaw):
            yield "prosa", (entry.told, entry.error)
        elif entry.place == ".version" and entry.value != prosa.VERSION:
            raise NewerFile(entry.value)
        elif isinstance(entry.value, dict) and prosa.is_conversation(entry.value):
            yield "prosa", _told(entry)


def _told(entry: Entry) -> Told | tuple[str | None, ImportFailed]:
    raw: dict[str, Any] = entry.value
    try:
        return prosa.told(raw)
    except ImportFailed as error:
        return raw.get("id"), error
