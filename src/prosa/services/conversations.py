"""Conversations: made, found, changed, closed and deleted."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

from msgspec import Struct, structs

from prosa.domain.conversations import EVERY, Conversation, Filter, blank
from prosa.domain.errors import ClientMismatch, ConversationNotFound, InvalidRequest
from prosa.domain.ids import parse_id
from prosa.domain.models import Turn
from prosa.domain.principal import Principal
from prosa.domain.runs import Run
from prosa.domain.time import Instant, now
from prosa.kit.pages import from_cursor, to_cursor
from prosa.ports.store import Store
from prosa.services.files.files import Files
from prosa.services.messages import stored_message
from prosa.services.models.catalogue import Catalogue
from prosa.services.runs.engine import Engine
from prosa.services.runs.readers import Reader
from prosa.services.runs.start import Send


class Draft(Struct, frozen=True):
    """What a new conversation starts with."""

    external_id: str | None = None
    client_id: str = ""
    title: str | None = None
    system_prompt: str | None = None
    provider: str | None = None
    model: str | None = None
    metadata: dict[str, Any] = {}


class Conversations:
    def __init__(self, store: Store, engine: Engine, catalogue: Catalogue, files: Files) -> None:
        self._store = store
        self._engine = engine
        self._catalogue = catalogue
        self._files = files

    async def create(self, principal: Principal, draft: Draft) -> tuple[Conversation, bool]:
        """(conversation, True), or (the one with this `external_id`, False). Raises NoSuchProvider,
        ProviderNotConfigured, ClientMismatch."""
        if principal.client_id and draft.client_id not in ("", principal.client_id):
            raise ClientMismatch
        self._catalogue.choose((draft.provider, draft.model))
        conversation = structs.replace(
            blank(principal, now()),
            client_id=principal.client_id or draft.client_id,
            external_id=draft.external_id,
            title=draft.title,
            system_prompt=draft.system_prompt,
            provider=draft.provider,
            model=draft.model,
            metadata=draft.metadata,
        )
        return await self._store.of(principal).conversations.create(conversation)

    async def get(self, principal: Principal, conversation_id: str) -> Conversation:
        """Raises ConversationNotFound."""
        return await self._store.of(principal).conversations.get(conversation_id)

    async def known(self, principal: Principal, name: str) -> Conversation:
        """The conversation of the caller's that `name` stands for: its id, else its external id. Raises
        ConversationNotFound."""
        identity = parse_id(name)
        if identity is not None:
            with contextlib.suppress(ConversationNotFound):
                return await self.get(principal, identity)
        found = await self._store.of(principal).conversations.by_external_id(name)
        if found is None:
            raise ConversationNotFound
        return found

    async def owner(self, principal: Principal, conversation_id: str) -> Principal:
        """Whose it is: the caller's own, or his desk's. Raises ConversationNotFound."""
        try:
            await self.get(principal, conversation_id)
        except ConversationNotFound:
            await self.get(principal.desk, conversation_id)
            return principal.desk
        return principal

    async def find(self, principal: Principal, name: str, draft: Draft) -> Conversation:
        """The conversation of the caller's that `name` stands for: its id, else its external id; where there
        is none, a new one by `draft` with that external id. Raises NoSuchProvider, ProviderNotConfigured."""
        identity = parse_id(name)
        if identity is not None:
            with contextlib.suppress(ConversationNotFound):
                return await self.get(principal, identity)
        return (await self.create(principal, structs.replace(draft, external_id=name)))[0]

    async def begin(
        self, principal: Principal, send: Send, language: str = "en", before: Sequence[Turn] = ()
    ) -> tuple[Run, Reader]:
        """A run in a new conversation that holds the turns `before`; `send` names none. It stays only if the
        run is new: the same `send.key` again gives the first run, where it is. Raises what `Engine.start`
        raises."""
        made, _ = await self.create(principal, Draft())
        run = None
        try:
            seeds = [stored_message(principal, made.id, turn) for turn in before]
            await self._store.of(principal).messages.seed(seeds)
            send = structs.replace(send, conversation_id=made.id)
            run, reader = await self._engine.start(principal, send, language)
        finally:
            if run is None or run.conversation_id != made.id:
                await asyncio.shield(self.delete(principal, made.id))
        return run, reader

    async def page(
        self, principal: Principal, limit: int, cursor: str | None, wanted: Filter = EVERY
    ) -> tuple[list[Conversation], str | None]:
        """At most `limit`, newest change first, and the next page's cursor. Raises InvalidRequest."""
        found = await self._store.of(principal).conversations.page(limit + 1, _place(cursor), wanted)
        if len(found) <= limit:
            return found, None
        last = found[limit - 1]
        return found[:limit], to_cursor(last.updated_at, last.id)

    async def update(
        self, principal: Principal, conversation_id: str, changes: dict[str, Any]
    ) -> Conversation:
        """Raises ConversationNotFound, MessageNotFound (`head_id`), NoSuchProvider."""
        self._catalogue.choose((changes.get("provider"), changes.get("model")))
        records = self._store.of(principal).conversations
        return await records.update(conversation_id, changes, now())

    async def delete(self, principal: Principal, conversation_id: str) -> None:
        """Stops what is being written in it, then deletes it, its files too. Raises ConversationNotFound."""
        await self._halt(principal, conversation_id)
        async with self._files.deleting(principal, conversation_id):
            await self._store.of(principal).conversations.delete(conversation_id)

    async def clear(self, principal: Principal, conversation_id: str) -> None:
        """Stops what is being written in it, then deletes all its messages, and their files. Raises
        ConversationNotFound."""
        await self._halt(principal, conversation_id)
        async with self._files.deleting(principal, conversation_id):
            await self._store.of(principal).messages.clear(conversation_id, now())

    async def _halt(self, principal: Principal, conversation_id: str) -> None:
        for run in await self._store.of(principal).runs.open(conversation_id):
            await self._engine.stop(principal, run.id)


def _place(cursor: str | None) -> tuple[Instant, str] | None:
    if cursor is None:
        return None
    match from_cursor(cursor):
        case [int(updated_at), str(identity)] if 0 <= updated_at < 2**62 and parse_id(identity):
            return Instant(updated_at), identity
    raise InvalidRequest("cursor must be the nextCursor of an earlier answer.")
