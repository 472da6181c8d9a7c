"""One store that is filled, and what things cost in it: run by `bench.many` in a process of its own.

The words are the number of messages; the settings are in the environment. Prints one line of JSON.
"""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import IO, Any

from prosa import bootstrap, config
from prosa.adapters.models.fake.client import FakeModel
from prosa.domain.principal import Principal
from prosa.services.chat import Chat
from prosa.services.conversations import Draft
from prosa.services.export.exporter import encoder
from prosa.services.runs.start import Send

OWN, OTHERS, LONG = Principal("own"), Principal("others"), Principal("long")
IN_ONE = 20
PAGE = 50
TIMES = 30
MILLI = 1_000
MEGA = 1_000_000
WORDS = "a message of the usual length, as people write them when they ask for something, and a bit more " * 3


def main() -> None:
    print(json.dumps(asyncio.run(measured(int(sys.argv[1])))))


async def measured(size: int) -> dict[str, float]:
    """Milliseconds, seconds of the processor and megabytes by the name of the figure."""
    chat = bootstrap.chat(config.load(), {"fake": FakeModel()})
    await chat.open()
    try:
        figures = await moved(chat, size)
        with tempfile.TemporaryFile() as file:
            write(file, size, IN_ONE)
            await brought(chat, OTHERS, file)
        with tempfile.TemporaryFile() as file:
            write(file, size, size)
            await brought(chat, LONG, file)
        await chat.store.index()  # what SQLite does for it meanwhile is no part of a turn
        return figures | await asked(chat)
    finally:
        await chat.close()


async def moved(chat: Chat, size: int) -> dict[str, float]:
    """An import of so many messages, and the export of what it brought."""
    with tempfile.TemporaryFile() as file:
        write(file, size, IN_ONE)
        begun = Peak()
        await brought(chat, OWN, file)
        figures = {"import, CPU s": begun.seconds, "import, MB": begun.megabytes}
    total = await chat.export.count(OWN)
    begun = Peak()
    await drained(chat.export.everything(OWN, encoder("json"), total))
    return {**figures, "export, CPU s": begun.seconds, "export, MB": begun.megabytes}


async def asked(chat: Chat) -> dict[str, float]:
    """What somebody waits for who has one conversation among all of these."""
    mine, _ = await chat.conversations.create(OWN, Draft())
    await turn(chat, mine.id)
    (long,), _ = await chat.conversations.page(LONG, 1, None)
    middle, end = await places(chat, long.id)
    return {
        "open, ms": await often(lambda: opened(chat, OWN, mine.id)),
        "list, ms": await often(lambda: chat.conversations.page(OWN, PAGE, None)),
        "turn, ms": await often(lambda: turn(chat, mine.id)),
        "open the long one, ms": await often(lambda: opened(chat, LONG, long.id)),
        "its first page, ms": await often(lambda: page(chat, long.id, None)),
        "a page in its middle, ms": await often(lambda: page(chat, long.id, middle)),
        "its last page, ms": await often(lambda: page(chat, long.id, end)),
    }


async def places(chat: Chat, conversation: str) -> tuple[str | None, str | None]:
    """The cursors of a page in the middle and of the last one."""
    found: list[str | None] = [None]
    while True:
        _, cursor = await chat.messages.page(
            LONG, conversation, head=None, order="asc", limit=200, cursor=found[-1]
        )
        if cursor is None:
            return found[len(found) // 2], found[-1]
        found.append(cursor)


async def opened(chat: Chat, who: Principal, conversation: str) -> None:
    await chat.conversations.get(who, conversation)
    await chat.messages.page(who, conversation, head=None, order="desc", limit=PAGE, cursor=None)


async def page(chat: Chat, conversation: str, cursor: str | None) -> None:
    await chat.messages.page(LONG, conversation, head=None, order="asc", limit=PAGE, cursor=cursor)


async def turn(chat: Chat, conversation: str) -> None:
    _, reader = await chat.engine.start(OWN, Send(conversation_id=conversation, content="Hello"), "en")
    while await reader.read():
        pass


async def often(what: Callable[[], Awaitable[Any]]) -> float:
    """The best of so many times, in milliseconds: the others tell of what else the machine does."""
    taken = []
    for _ in range(TIMES):
        began = time.perf_counter()
        await what()
        taken.append((time.perf_counter() - began) * MILLI)
    return min(taken)


async def brought(chat: Chat, who: Principal, file: IO[bytes]) -> None:
    file.seek(0)
    await drained(chat.imports.run(who, file))


async def drained(pieces: AsyncIterator[Any]) -> None:
    async for _ in pieces:
        pass


def write(file: IO[bytes], size: int, in_one: int) -> None:
    """An export of `size` messages in conversations of `in_one`."""
    file.write(b'{"format":"prosa","version":1,"conversations":[\n')
    for first in range(0, size, in_one):
        messages = [
            {
                "id": str(place),
                "parentId": str(place - 1) if place else None,
                "role": "assistant" if place % 2 else "user",
                "content": f"{first + place}: {WORDS}",
            }
            for place in range(in_one)
        ]
        line = json.dumps({"id": str(first), "createdAt": "2026-01-01T00:00:00Z", "messages": messages})
        file.write((",\n" if first else "").encode() + line.encode())
    file.write(b"\n]}\n")


class Peak:
    """From now on: how long the process was busy, and by how much it grew at its largest."""

    def __init__(self) -> None:
        Path("/proc/self/clear_refs").write_text("5")
        self._before = _status("VmRSS")
        self._began = time.process_time()

    @property
    def seconds(self) -> float:
        return time.process_time() - self._began

    @property
    def megabytes(self) -> float:
        return (_status("VmHWM") - self._before) / MEGA


def _status(name: str) -> int:
    """Bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1_024
    raise RuntimeError(f"/proc says nothing of {name}")


if __name__ == "__main__":
    main()
