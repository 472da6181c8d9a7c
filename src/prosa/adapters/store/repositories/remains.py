"""All that one principal owns, taken away in pieces."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Column, Select, Table, bindparam, delete, func, literal, select, update

from prosa.adapters.store.session import Session
from prosa.adapters.store.statement import Ask, Ids, Plan, Statement, Tell, among, owned
from prosa.adapters.store.tables import (
    OWNED,
    ai_usage,
    answer_cache,
    conversations,
    feedback,
    files,
    journal,
    messages,
    prompt_templates,
    runs,
    sign_ins,
    tickets,
)
from prosa.domain.conversations import ConversationStatus
from prosa.domain.time import Instant
from prosa.ports.erasure import SIZE

_c, _f, _m, _r, _j = conversations.c, files.c, messages.c, runs.c, journal.c

KEPT = (ai_usage,)
"""The ledger stays, under a pseudonym: money must add up."""


def _hangs(table: Table) -> bool:
    """Whether each of its rows goes with a row of another table."""
    return any(
        key.ondelete == "CASCADE" and key.column.table in OWNED and not key.parent.nullable
        for key in table.foreign_keys
    )


LOOSE = tuple(table for table in OWNED if table not in (conversations, files, *KEPT) and not _hangs(table))
"""What goes by itself: no conversation takes it with it."""


def _theirs(query: Select[Any], table: Table, *, client: bool) -> Select[Any]:
    query = query.where(owned(table))
    return query.where(table.c.client_id == bindparam("client_id")) if client else query


def _within(table: Table, *, client: bool) -> Select[Any]:
    """Counts what is in conversations: by them, for they are found by their owner."""
    joined = table.join(conversations, table.c.conversation_id == _c.id)
    query = select(func.count()).select_from(joined).where(owned(table))
    return _theirs(query, conversations, client=client)


def _all(table: Table, *, client: bool) -> Select[Any]:
    return _theirs(select(func.count()).select_from(table), table, client=client)


@cache
def _counts(*, client: bool) -> dict[str, Statement]:
    counted = {
        "conversations": _all(conversations, client=client),
        "messages": _within(messages, client=client),
        "runs": _within(runs, client=client),
        "feedback": _within(feedback, client=client),
        "files": _all(files, client=client),
        "tickets": _all(tickets, client=client),
        "templates": _all(prompt_templates, client=client),
        "ledgerEntries": _all(ai_usage, client=client),
    }
    if not client:
        counted["signIns"] = _all(sign_ins, client=False)
    return {name: Statement(query) for name, query in counted.items()}


@cache
def _next(table: Table, *, client: bool) -> Statement:
    return Statement(_theirs(select(table.c.id), table, client=client).order_by(table.c.id).limit(SIZE))


@cache
def _loose(table: Table, *, client: bool) -> Statement:
    key: Column[Any] = next(column for column in table.primary_key if column.name != "user_id")
    some = _theirs(select(key), table, client=client).limit(SIZE)
    return Statement(delete(table).where(key.in_(some), owned(table)).returning(literal(1)))


_here: BindParameter[str] = bindparam("conversation_id")
_told = (
    select(_j.id)
    .select_from(journal.join(runs, _j.run_id == _r.id))
    .where(_r.conversation_id == _here, owned(journal), owned(runs))
    .limit(SIZE)
)
_DROP_JOURNAL = Statement(delete(journal).where(_j.id.in_(_told), owned(journal)).returning(literal(1)))
_said = select(_m.id).where(_m.conversation_id == _here, owned(messages)).limit(SIZE)
_DROP_MESSAGES = Statement(delete(messages).where(_m.id.in_(_said), owned(messages)).returning(literal(1)))
_ran = select(_r.id).where(_r.conversation_id == _here, owned(runs)).limit(SIZE)
_DROP_RUNS = Statement(delete(runs).where(_r.id.in_(_ran), owned(runs)).returning(literal(1)))
_PIECES = (_DROP_JOURNAL, _DROP_MESSAGES, _DROP_RUNS)
_DROP = Statement(delete(conversations).where(_c.id == _here, owned(conversations)))
_DROP_FILES = Statement(delete(files).where(among(_f.id, "ids"), owned(files)))
_DROP_TOLD = Statement(delete(journal).where(among(_j.run_id, "ids"), owned(journal)).returning(literal(1)))
_DROP_ANSWERS = Statement(delete(answer_cache).where(among(answer_cache.c.id, "ids"), owned(answer_cache)))
_EXPIRE = Statement(
    update(conversations)
    .where(_c.id == bindparam("id"), _c.updated_at < bindparam("before"), owned(conversations))
    .values(status=ConversationStatus.CLOSED.value)
    .returning(_c.id)
)


def _given(client_id: str | None) -> dict[str, str]:
    return {} if client_id is None else {"client_id": client_id}


def _count(client_id: str | None) -> Plan[dict[str, int]]:
    found = {}
    for name, statement in _counts(client=client_id is not None).items():
        rows = yield Ask(statement, **_given(client_id))
        found[name] = int(rows[0][0])
    return found


def _ids(table: Table, client_id: str | None) -> Plan[list[str]]:
    rows = yield Ask(_next(table, client=client_id is not None), **_given(client_id))
    return [row[0] for row in rows]


def _drop(conversation_id: str) -> Plan[bool]:
    for statement in _PIECES:
        if (yield Ask(statement, conversation_id=conversation_id)):
            return True
    yield Ask(_DROP, conversation_id=conversation_id)
    yield Tell("conversations", [conversation_id])
    return False


def _drop_files(file_ids: Sequence[str]) -> Plan[None]:
    yield Ask(_DROP_FILES, ids=Ids(file_ids))


def _drop_others(client_id: str | None) -> Plan[bool]:
    for table in LOOSE:
        if client_id is None:
            gone = yield Ask(_loose(table, client=False))
        elif "client_id" in table.c:
            gone = yield Ask(_loose(table, client=True), client_id=client_id)
        else:
            continue
        if gone:
            return True
    return False


def _drop_told(run_ids: Sequence[str]) -> Plan[int]:
    return len((yield Ask(_DROP_TOLD, ids=Ids(run_ids))))


def _drop_answers(answer_ids: Sequence[str]) -> Plan[None]:
    yield Ask(_DROP_ANSWERS, ids=Ids(answer_ids))


def _expire(conversation_id: str, before: Instant) -> Plan[bool]:
    return bool((yield Ask(_EXPIRE, id=conversation_id, before=before)))


class Remains:
    """Serves `ports.erasure.Remains`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def count(self, client_id: str | None) -> Mapping[str, int]:
        return await self._session.read(_count, client_id)

    async def files(self, client_id: str | None) -> list[str]:
        return await self._session.read(_ids, files, client_id)

    async def drop_files(self, file_ids: Sequence[str]) -> None:
        await self._session.write(_drop_files, file_ids)

    async def conversations(self, client_id: str | None) -> list[str]:
        return await self._session.read(_ids, conversations, client_id)

    async def drop(self, conversation_id: str) -> bool:
        return await self._session.write(_drop, conversation_id)

    async def drop_others(self, client_id: str | None) -> bool:
        return await self._session.write(_drop_others, client_id)

    async def drop_journal(self, run_ids: Sequence[str]) -> int:
        return await self._session.write(_drop_told, run_ids)

    async def drop_answers(self, answer_ids: Sequence[str]) -> None:
        await self._session.write(_drop_answers, answer_ids)

    async def expire(self, conversation_id: str, before: Instant) -> bool:
        return await self._session.write(_expire, conversation_id, before)
