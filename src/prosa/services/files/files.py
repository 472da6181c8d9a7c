"""Files of users: stored, found, handed out, and taken away with what they hang on."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import BinaryIO

from prosa.domain.errors import MisconfiguredError, StoreUnavailable
from prosa.domain.files import MOST_SHOWN, File, FileKind, FileNotFound, FilesFull, TooManyUploads, label
from prosa.domain.ids import new_id
from prosa.domain.principal import Principal
from prosa.domain.time import now
from prosa.kit import media
from prosa.kit.log import log
from prosa.ports.files import Blobs, Draft
from prosa.ports.store import Store
from prosa.services.files.rules import Found, Inspection, Rules, check_size
from prosa.services.files.sweep import Sweep

MOST_UPLOADS = 16
"""Of one user at the same time, in one process."""


class Files:
    def __init__(self, store: Store, blobs: Blobs, rules: Rules) -> None:
        self._store = store
        self._blobs = blobs
        self._rules = rules
        self._sweep = Sweep(store.files, blobs)
        self._uploading: Counter[str] = Counter()

    async def open(self) -> None:
        """Sweeps now and then. Where files can't be kept, all else still works."""
        try:
            await asyncio.to_thread(self._blobs.prepare)
        except MisconfiguredError as error:
            log.warning("files_not_kept", reason=str(error))
        else:
            self._sweep.open()

    async def close(self) -> None:
        await self._sweep.close()

    async def sweep(self) -> None:
        """Takes away what nobody needs, at once. Raises StoreUnavailable, FilesUnavailable."""
        await self._sweep.run()

    async def add(self, principal: Principal, name: str, chunks: AsyncIterator[bytes]) -> File:
        """Stores what `chunks` bring, piece by piece. Raises FileRefused, FileTooLarge, InvalidFile,
        FilesFull, TooManyUploads, FilesUnavailable, and what `chunks` raises: then nothing of it stays."""
        records = self._store.of(principal).files
        limit = self._rules.most_of_user
        if limit is not None and (used := await records.used()) >= limit:
            raise FilesFull(used, limit)
        with self._turn(principal.user_id):
            draft = await asyncio.to_thread(self._blobs.begin)
            try:
                return await self._receive(principal, label(name), chunks, draft)
            finally:
                draft.discard()

    async def _receive(
        self, principal: Principal, name: str, chunks: AsyncIterator[bytes], draft: Draft
    ) -> File:
        inspection = Inspection(name, self._rules)
        async for chunk in chunks:
            inspection.see(chunk)
            await asyncio.to_thread(draft.write, chunk)
        found = inspection.end()
        size = None
        if found.kind is FileKind.IMAGE:
            size = check_size(await asyncio.to_thread(media.dimensions, found.media_type, draft.file))
        file = _file(principal, name, found, size)
        await asyncio.to_thread(draft.keep, file.id)
        try:
            await self._store.of(principal).files.add(file, self._rules.most_of_user)
        except FilesFull:
            await self._remove([file.id])
            raise
        return file

    async def get(self, principal: Principal, file_id: str) -> File:
        """Raises FileNotFound."""
        return await self._store.of(principal).files.get(file_id)

    async def content(self, principal: Principal, file_id: str) -> tuple[File, BinaryIO]:
        """The file, and its bytes to be read in a thread and closed. Raises FileNotFound."""
        file = await self.get(principal, file_id)
        return file, await asyncio.to_thread(self._blobs.open, file_id)

    async def read(self, user_id: str, file_ids: Sequence[str]) -> Mapping[str, bytes]:
        """The bytes of those that are the user's, as far as `MOST_SHOWN` goes; the others are left out. What
        an imported message says of a file's size may be far from it."""
        mine = await self._store.of(Principal(user_id)).files.many(file_ids)
        wanted, left = [], MOST_SHOWN
        for each in mine.values():
            if each.size <= left:
                wanted.append(each.id)
                left -= each.size
        return await asyncio.to_thread(self._read, wanted)

    async def delete(self, principal: Principal, file_id: str) -> None:
        """Raises FileNotFound, FileSent."""
        await self._store.of(principal).files.delete(file_id)
        await self._remove([file_id])

    async def remove(self, file_ids: Sequence[str]) -> None:
        """Takes away the bytes of files, whose rows go next. Raises FilesUnavailable."""
        await asyncio.to_thread(self._blobs.remove, file_ids)

    @asynccontextmanager
    async def deleting(self, principal: Principal, conversation_id: str) -> AsyncIterator[None]:
        """Around what may take messages out of a conversation: the bytes of files that went with them go,
        too. What is left of them if this process dies here, the sweep finds."""
        records = self._store.of(principal).files
        before = await records.of(conversation_id)
        yield
        if not before:
            return
        try:
            left = await records.many(before)
        except StoreUnavailable:  # the messages are gone all the same
            log.warning("blobs_not_removed", files=before)
        else:
            await self._remove([each for each in before if each not in left])

    async def _remove(self, file_ids: Sequence[str]) -> None:
        try:
            await asyncio.to_thread(self._blobs.remove, file_ids)
        except StoreUnavailable:  # nobody finds them any more; the sweep tries again
            log.warning("blobs_not_removed", files=list(file_ids))

    def _read(self, file_ids: Sequence[str]) -> dict[str, bytes]:
        found = {}
        for file_id in file_ids:
            try:
                with self._blobs.open(file_id) as file:
                    found[file_id] = file.read()
            except FileNotFound:
                log.warning("blob_missing", file=file_id)
        return found

    @contextmanager
    def _turn(self, user_id: str) -> Iterator[None]:
        if self._uploading[user_id] >= MOST_UPLOADS:
            raise TooManyUploads(MOST_UPLOADS)
        self._uploading[user_id] += 1
        try:
            yield
        finally:
            self._uploading[user_id] -= 1
            if not self._uploading[user_id]:
                del self._uploading[user_id]


def _file(principal: Principal, name: str, found: Found, size: media.Size | None) -> File:
    width, height = size or (None, None)
    return File(
        id=new_id(),
        user_id=principal.user_id,
        client_id=principal.client_id,
        conversation_id=None,
        name=name,
        media_type=found.media_type,
        kind=found.kind,
        size=found.size,
        width=width,
        height=height,
        created_at=now(),
    )
