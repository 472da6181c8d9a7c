"""Where the command exports and imports: in the store itself, or through the server that has it to itself."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from prosa import bootstrap
from prosa.commands.address import address
from prosa.commands.desk import headers, sentence
from prosa.config import Settings
from prosa.domain.errors import ConversationNotFound, MisconfiguredError, StoreLocked
from prosa.domain.ids import parse_id
from prosa.domain.principal import COMMAND, Principal
from prosa.kit.ndjson import Lines
from prosa.services.audit import Audit
from prosa.services.export.exporter import Export, encoder
from prosa.services.export.formats import Format
from prosa.services.imports.importer import Import
from prosa.services.imports.sources import Source
from prosa.transport.native.imports import DoneLine, ProgressLine, line_of

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession

PIECE = 65_536

_line = msgspec.json.Decoder(ProgressLine | DoneLine)


class Mover(Protocol):
    """For one user. Both raise ProsaError."""

    async def export(self, conversation: str | None, form: Format) -> tuple[int, AsyncIterator[bytes]]:
        """How many conversations, and the file."""
        ...

    def bring(self, file: Path, source: Source) -> AsyncIterator[ProgressLine | DoneLine]: ...


@asynccontextmanager
async def mover(settings: Settings, user: str, url: str | None) -> AsyncIterator[Mover]:
    """As `desk.desk`: over the server at `url`, or the store."""
    async with AsyncExitStack() as stack:
        if url is None:
            try:
                exports, imports, audit = await stack.enter_async_context(bootstrap.moves(settings))
            except StoreLocked:
                url = address(settings.host, settings.port)
            else:
                yield InStore(exports, imports, audit, Principal(user), settings.language)
                return
        from aiohttp import ClientSession, ClientTimeout

        session = ClientSession(
            headers=headers(settings, user), timeout=ClientTimeout(total=None, sock_read=600), trust_env=False
        )
        yield AtServer(await stack.enter_async_context(session), url.rstrip("/"))


class InStore:
    def __init__(
        self, exports: Export, imports: Import, audit: Audit, principal: Principal, language: str
    ) -> None:
        self._audit = audit
        self._exports = exports
        self._imports = imports
        self._principal = principal
        self._language = language

    async def export(self, conversation: str | None, form: Format) -> tuple[int, AsyncIterator[bytes]]:
        encode = encoder(form, self._language)
        if conversation is None:
            total = await self._exports.count(self._principal)
            await self._audit.note(COMMAND, "export", self._whose, format=form, conversations=total)
            return total, self._exports.everything(self._principal, encode, total)
        found = await self._exports.find(self._principal, _known(conversation))
        await self._audit.note(COMMAND, "export", f"conversation:{found.id}", format=form)
        return 1, self._exports.one(self._principal, found, encode)

    async def bring(self, file: Path, source: Source) -> AsyncIterator[ProgressLine | DoneLine]:
        await self._audit.note(COMMAND, "import", self._whose, source=source)
        with file.open("rb") as opened:
            async for step in self._imports.run(self._principal, opened, source):
                yield line_of(step, self._language)

    @property
    def _whose(self) -> str:
        return f"user:{self._principal.user_id}"


class AtServer:
    def __init__(self, session: "ClientSession", url: str) -> None:
        self._session = session
        self._url = url

    async def export(self, conversation: str | None, form: Format) -> tuple[int, AsyncIterator[bytes]]:
        one = "" if conversation is None else f"/conversations/{_known(conversation)}"
        response = await self._ask("GET", f"{one}/export", {"format": form})
        total = int(response.headers.get("X-Total-Conversations", "0"))
        return total, response.content.iter_chunked(PIECE)

    async def bring(self, file: Path, source: Source) -> AsyncIterator[ProgressLine | DoneLine]:
        with file.open("rb") as opened:
            response = await self._ask("POST", "/import", {"source": source}, opened)
            lines = Lines()
            async for data in response.content.iter_any():
                for line in lines.payloads(data):
                    yield _line.decode(line)

    async def _ask(
        self, method: str, path: str, query: dict[str, str], body: object = None
    ) -> "ClientResponse":
        from aiohttp import ClientError

        kind = {"Content-Type": "application/octet-stream"} if body is not None else {}
        try:
            response = await self._session.request(
                method, f"{self._url}/api{path}", params=query, data=body, headers=kind, allow_redirects=False
            )
            if response.ok:
                return response
            answer = await response.read()
        except (ClientError, OSError, ValueError):
            raise MisconfiguredError(
                f"The database is in use by another process, and no Prosa answers at {self._url}. "
                "Say where it listens with --url, or stop it."
            ) from None
        raise MisconfiguredError(sentence(answer, self._url))


def _known(conversation: str) -> str:
    found = parse_id(conversation)
    if found is None:
        raise ConversationNotFound
    return found
