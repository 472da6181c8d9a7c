"""OpenAI's threads as raw objects of its API: threads, messages and pages of both, in any order."""

import tempfile
from collections.abc import Iterator
from itertools import pairwise
from typing import IO, Any

import msgspec

from prosa.domain.content import Part
from prosa.domain.conversations import MessageStatus
from prosa.domain.imports import Empty, ImportFailed, Told, ToldMessage, TooMuch
from prosa.domain.models import Role
from prosa.services.imports.fields import maybe, metadata, obj, objects, seconds, text
from prosa.services.imports.reading import MOST_TEXT
from prosa.services.imports.spoken import Spoken, joined

_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT}
MOST_NOTES = 1_000
MOST_OBJECTS = 500_000
"""Threads and messages of one file: where each of them lies is held in memory."""
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def is_object(value: dict[str, Any]) -> bool:
    kind = value.get("object")
    return kind == "list" or (isinstance(kind, str) and kind.split(".")[0] == "thread")


class Threads:
    """Gathers objects on the disk, for the messages of one thread may lie anywhere in a file; then gives the
    threads."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - `close` closes it
        self._end = 0
        self._threads: dict[str, tuple[int, int] | None] = {}
        self._messages: dict[str, list[tuple[int, int]]] = {}
        self._paged: set[str] = set()
        self._objects = 0

    def close(self) -> None:
        self._file.close()

    def add(self, value: Any) -> None:
        """An object, or a list or page of them. Runs and their steps are passed over. Raises TooMuch."""
        if isinstance(value, list):
            self._add_page(value)
            return
        raw = obj(value)
        kind = raw.get("object")
        if kind == "list":
            self._add_page(raw.get("data"))
        elif kind == "thread" and maybe(raw.get("id")):
            inner = raw.pop("messages", None)
            self._threads[raw["id"]] = self._put(raw)
            self.add(inner)
        elif kind == "thread.message" and maybe(raw.get("id")) and maybe(raw.get("thread_id")):
            self._threads.setdefault(raw["thread_id"], None)
            self._messages.setdefault(raw["thread_id"], []).append(self._put(raw))

    def _add_page(self, page: Any) -> None:
        """The API gives the newest first, unless it is asked otherwise."""
        found = objects(page)
        for each in reversed(found) if found and _backwards(found) else found:
            self.add(each)
            self._paged.add(text(each.get("thread_id")))

    def all(self) -> Iterator[tuple[str, Told | ImportFailed]]:
        """Each thread with its id."""
        for name, place in self._threads.items():
            try:
                yield name, self._told(name, {} if place is None else self._get(place))
            except ImportFailed as error:
                yield name, error

    def _told(self, name: str, raw: dict[str, Any]) -> Told:
        places = self._messages.get(name, ())
        if sum(length for _, length in places) > MOST_TEXT:
            raise TooMuch("thread")
        found = [self._get(place) for place in places]
        if found and name not in self._paged and _backwards(found):
            found.reverse()
        found.sort(key=_created)
        messages: list[ToldMessage] = []
        seen: set[str] = set()
        for each in found:
            message = _message(each, messages[-1].id if messages else None)
            if message is not None and message.id not in seen:
                seen.add(message.id)
                messages.append(message)
        if not messages:
            raise Empty
        return Told(
            id=name,
            messages=messages,
            external_id=name,
            metadata=metadata(raw.get("metadata")),
            created_at=seconds(raw.get("created_at")),
        )

    def _put(self, raw: dict[str, Any]) -> tuple[int, int]:
        self._objects += 1
        if self._objects > MOST_OBJECTS:
            raise TooMuch("file")
        line = _encode(raw)
        place = (self._end, len(line))
        self._file.seek(self._end)
        self._file.write(line)
        self._end += len(line)
        return place

    def _get(self, place: tuple[int, int]) -> dict[str, Any]:
        self._file.seek(place[0])
        return _decode(self._file.read(place[1]))


def _created(raw: dict[str, Any]) -> float:
    return seconds(raw.get("created_at")) or 0


def _backwards(page: list[dict[str, Any]]) -> bool:
    """Whether the newest stands first; where all are of one second, whether an answer stands first."""
    times = [_created(each) for each in page]
    if any(after > before for before, after in pairwise(times)) or len(page) == 1:
        return False
    return times[0] > times[-1] or (page[0].get("role"), page[-1].get("role")) == ("assistant", "user")


def _message(raw: dict[str, Any], parent: str | None) -> ToldMessage | None:
    role = _ROLES.get(text(raw.get("role")))
    content, parts = _content(raw)
    if role is None or not content.strip():
        return None
    return ToldMessage(
        id=raw["id"],
        parent=parent,
        role=role,
        content=content,
        parts=parts,
        status=MessageStatus.INCOMPLETE if raw.get("status") == "incomplete" else MessageStatus.COMPLETED,
        provider="openai" if role is Role.ASSISTANT else None,
        created_at=seconds(raw.get("created_at")),
        external_id=raw["id"],
        metadata=metadata(raw.get("metadata")),
    )


def _content(raw: dict[str, Any]) -> tuple[str, tuple[Part, ...]]:
    spoken = Spoken()
    content = raw.get("content")
    for part in [{"type": "text", "text": content}] if isinstance(content, str) else objects(content):
        match part.get("type"):
            case "text":
                spoken.say(_text(part.get("text")))
            case "refusal":
                spoken.say(text(part.get("refusal")))
            case "image_file":
                spoken.say(f"[image {text(obj(part.get('image_file')).get('file_id'))}]")
            case "image_url":
                spoken.say(f"[image {text(obj(part.get('image_url')).get('url'))}]")
    named = [text(each.get("file_id")) for each in objects(raw.get("attachments"))]
    spoken.say(joined([f"[{name}]" for name in named if name], "\n"))
    return spoken.content()


def _text(value: Any) -> str:
    """The text with numbers where its annotations were, and below it what they speak of."""
    if isinstance(value, str):
        return value
    words = text(obj(value).get("value"))
    notes: list[str] = []
    for each in objects(obj(value).get("annotations"))[:MOST_NOTES]:
        cited = obj(each.get("file_citation")) or obj(each.get("file_path")) or obj(each.get("url_citation"))
        source, marked = text(cited.get("file_id")) or text(cited.get("url")), text(each.get("text"))
        if not source or not marked or marked not in words:
            continue
        quote = text(cited.get("quote"))
        notes.append(f"[{len(notes) + 1}] {source}" + (f": {quote}" if quote else ""))
        words = words.replace(marked, f" [{len(notes)}]", 1)
    return joined([words, "\n".join(notes)])
