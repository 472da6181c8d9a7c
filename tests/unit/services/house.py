"""A whole house in one process: the services over a SQLite file of the test's own and a fake model."""

import asyncio
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

from tests.stores import ANA, sqlite_store

from prosa.adapters.blobs.folder import Folder
from prosa.adapters.models.fake.client import FakeModel, Script, Step
from prosa.adapters.vault.vault import Vault
from prosa.domain.alerts import Rules as Alerting
from prosa.domain.conversations import Conversation, Message
from prosa.domain.events import Done, Error, Event, Text, decode
from prosa.domain.limits import Limits
from prosa.domain.principal import Principal
from prosa.domain.runs import Run
from prosa.ports.alerts import Messenger
from prosa.ports.models import ChatModel
from prosa.ports.store import Store
from prosa.services.chat import Chat
from prosa.services.conversations import Draft
from prosa.services.files.files import Files
from prosa.services.files.rules import Rules
from prosa.services.keys.keys import Keys
from prosa.services.models.catalogue import Catalogue, Offer
from prosa.services.runs.engine import Engine
from prosa.services.runs.readers import Reader
from prosa.services.runs.start import Defaults, Send
from prosa.services.tools.registry import Toolbox

OPEN = "ended_at IS NULL"


class House:
    """`async with House(tmp_path, script) as house`. Who enters again opens the same file as another boot."""

    def __init__(
        self,
        folder: Path,
        script: Script | Iterable[Step] | None = None,
        *,
        provider: str = "fake",
        model: str = "echo",
        limits: Limits | None = None,
        store: Store | None = None,
        window: int | None = None,
        most: int = 4096,
        instead: ChatModel | None = None,
        tools: Toolbox | None = None,
        alerting: Alerting | None = None,
        messengers: Sequence[Messenger] = (),
        **defaults: Any,
    ) -> None:
        self.file = folder / "prosa.db"
        self.store: Any = store or sqlite_store(folder)
        self.model = FakeModel(script, provider=provider)
        catalogue = Catalogue({provider: Offer(model, instead or self.model, window=window)}, provider, model)
        vault = Vault(None, None, folder / "prosa.db.key")
        keys = Keys(self.store, vault)
        files = Files(self.store, Folder(folder / "files"), Rules())
        usual = Defaults(None, most, limits or Limits(), **{"title_model": "off", **defaults})
        self.chat = Chat(
            self.store, catalogue, usual, keys, files, vault, tools=tools,
            alerting=alerting, messengers=messengers,
        )  # fmt: skip

    async def __aenter__(self) -> Self:
        await self.chat.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.chat.close()

    @property
    def engine(self) -> Engine:
        return self.chat.engine

    async def conversation(self, owner: Principal = ANA, **draft: Any) -> Conversation:
        made, _ = await self.chat.conversations.create(owner, Draft(**draft))
        return made

    async def send(
        self, of: Conversation, content: str | None = "Hello", *, owner: Principal = ANA, **fields: Any
    ) -> tuple[Run, Reader]:
        return await self.engine.start(owner, Send(of.id, content, **fields))

    async def turn(self, content: str = "Hello", **fields: Any) -> tuple[Run, list[Event]]:
        """A conversation with one answer, and all its events."""
        run, reader = await self.send(await self.conversation(), content, **fields)
        events = await events_of(reader)
        return await self.run(run), events

    async def follow(self, run: Run, after: int = 0, owner: Principal = ANA) -> Reader:
        return (await self.engine.follow(owner, run.id, after))[1]

    async def run(self, run: Run, owner: Principal = ANA) -> Run:
        return await self.store.of(owner).runs.get(run.id)

    async def answer(self, run: Run, owner: Principal = ANA) -> Message:
        return await self.store.of(owner).messages.get(run.conversation_id, run.message_id)

    def rows(self, sql: str, *values: Any) -> list[Any]:
        """What the file holds, over a connection of its own."""
        connection = sqlite3.connect(self.file)
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    def count(self, table: str, where: str = "1") -> int:
        return self.rows(f"SELECT count(*) FROM {table} WHERE {where}")[0][0]

    def at_rest(self, runs: int) -> None:
        """Nothing is held, nothing goes on, and each of `runs` was entered into the ledger once."""
        assert self.count("reservations") == 0
        assert self.count("runs", OPEN) == 0
        assert self.count("runs") == runs
        assert self.count("messages", "status = 'in_progress'") == 0
        assert self.rows("SELECT count(*), count(DISTINCT run_id) FROM ai_usage") == [(runs, runs)]


async def lines_of(reader: Reader) -> list[bytes]:
    """All lines to the end."""
    found: list[bytes] = []
    while not reader.ended:
        found += await reader.read()
    return found


async def events_of(reader: Reader) -> list[Event]:
    return [decode(line) for line in await lines_of(reader)]


def text_of(events: Iterable[Event]) -> str:
    return "".join(event.content for event in events if isinstance(event, Text))


def end_of(events: list[Event]) -> Done | Error:
    """The last event, which is an end, and the only one."""
    assert [isinstance(event, Done | Error) for event in events].count(True) == 1
    last = events[-1]
    assert isinstance(last, Done | Error)
    return last


async def until_text(reader: Reader) -> list[bytes]:
    """Reads until the first piece of the answer."""
    found: list[bytes] = []
    while not any(line.startswith(b'{"content"') for line in found):
        found += await reader.read()
    return found


async def soon(work: Any, seconds: float = 10.0) -> Any:
    async with asyncio.timeout(seconds):
        return await work
