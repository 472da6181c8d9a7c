"""Files of one principal, and what the sweep may see of everybody's."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import BigInteger, bindparam, cast, delete, exists, func, select, update

from prosa.adapters.store.repositories.rows import FILE, to_file
from prosa.adapters.store.repositories.turnstile import UPLOADS
from prosa.adapters.store.session import Session
from prosa.adapters.store.statement import Ask, Ids, Plan, Statement, among, insertion, owned
from prosa.adapters.store.tables import attachments, files
from prosa.domain.content import Attachment
from prosa.domain.files import File, FileInUse, FileNotFound, FileSent, FilesFull
from prosa.domain.opening import Opening
from prosa.domain.time import Instant

_f = files.c
_INSERT = insertion(files, *File.__struct_fields__)
ATTACH = insertion(attachments, "message_id", "file_id", "user_id")
"""Says that a message shows a file."""

_USED = Statement(select(cast(func.coalesce(func.sum(_f.size), 0), BigInteger)).where(owned(files)))
_GET = Statement(select(*FILE).where(_f.id == bindparam("id"), owned(files)))
_MANY = Statement(select(*FILE).where(among(_f.id, "ids"), owned(files)))
_here = (_f.conversation_id == bindparam("conversation_id"), owned(files))
_OF = Statement(select(_f.id).where(*_here))
_DELETE = Statement(
    delete(files)
    .where(
        _f.id == bindparam("id"),
        ~exists().where(attachments.c.file_id == bindparam("id", type_=_f.id.type), owned(attachments)),
        owned(files),
    )
    .returning(_f.id)
)
_shown = select(attachments.c.file_id).where(
    attachments.c.file_id.in_(select(_f.id).where(*_here)), owned(attachments)
)
PRUNE = Statement(delete(files).where(*_here, _f.id.not_in(_shown)))
"""Forgets the files of a conversation that no message shows any more: a step of its own, after the messages
are gone."""

_TAKE = Statement(
    update(files)
    .where(
        among(_f.id, "ids"),
        (_f.conversation_id.is_(None)) | (_f.conversation_id == bindparam("here", type_=_f.id.type)),
        owned(files),
    )
    .values(conversation_id=bindparam("there", type_=_f.id.type))
    .returning(*FILE)
)
"""From now on they are the conversation's. It writes each row, so that no sweep that waits takes one."""

_EXPIRE = Statement(
    delete(files).where(_f.conversation_id.is_(None), _f.created_at < bindparam("before")).returning(_f.id)
)
_KNOWN = Statement(select(_f.id).where(among(_f.id, "ids")))


def taken(opening: Opening) -> Plan[tuple[Attachment, ...]]:
    """The parts that stand for the files of a new message, which become its conversation's. Raises
    FileNotFound, FileInUse."""
    if not opening.attachments:
        return ()
    where = opening.conversation_id
    rows = yield Ask(_TAKE, ids=Ids(opening.attachments), here=where, there=where)
    found = {row[0]: to_file(row) for row in rows}
    missing = [file_id for file_id in opening.attachments if file_id not in found]
    if missing:
        elsewhere = yield Ask(_MANY, ids=Ids(missing))
        raise FileNotFound if len(elsewhere) < len(missing) else FileInUse
    return tuple(found[file_id].part for file_id in opening.attachments)


def _add(file: File, limit: int | None) -> Plan[None]:
    if limit is not None:
        yield Ask(UPLOADS)
        used = yield from _used()
        if used + file.size > limit:
            raise FilesFull(used, limit)
    yield Ask(_INSERT, **msgspec.structs.asdict(file))


def _used() -> Plan[int]:
    rows = yield Ask(_USED)
    return int(rows[0][0])


def _get(file_id: str) -> Plan[File]:
    rows = yield Ask(_GET, id=file_id)
    if not rows:
        raise FileNotFound
    return to_file(rows[0])


def _many(file_ids: Sequence[str]) -> Plan[dict[str, File]]:
    rows = yield Ask(_MANY, ids=Ids(file_ids))
    return {row[0]: to_file(row) for row in rows}


def _of(conversation_id: str) -> Plan[list[str]]:
    return [row[0] for row in (yield Ask(_OF, conversation_id=conversation_id))]


def _delete(file_id: str) -> Plan[None]:
    if not (yield Ask(_DELETE, id=file_id)):
        yield from _get(file_id)
        raise FileSent


def _expire(before: Instant) -> Plan[list[str]]:
    return [row[0] for row in (yield Ask(_EXPIRE, before=before))]


def _known(file_ids: Sequence[str]) -> Plan[set[str]]:
    return {row[0] for row in (yield Ask(_KNOWN, ids=Ids(file_ids)))}


class Files:
    """Serves `ports.files.Files`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, file: File, limit: int | None) -> None:
        await self._session.write(_add, file, limit)

    async def used(self) -> int:
        return await self._session.read(_used)

    async def get(self, file_id: str) -> File:
        return await self._session.read(_get, file_id)

    async def many(self, file_ids: Sequence[str]) -> dict[str, File]:
        return await self._session.read(_many, file_ids)

    async def of(self, conversation_id: str) -> list[str]:
        return await self._session.read(_of, conversation_id)

    async def delete(self, file_id: str) -> None:
        await self._session.write(_delete, file_id)


class KnownFiles:
    """Serves `ports.files.KnownFiles`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def expire(self, before: Instant) -> list[str]:
        return await self._session.write(_expire, before)

    async def known(self, file_ids: Sequence[str]) -> set[str]:
        return await self._session.read(_known, file_ids)
