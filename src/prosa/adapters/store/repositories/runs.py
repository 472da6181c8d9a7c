"""Runs of one principal: beginning them, and reading them and their journal."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Integer, bindparam, literal_column, select, update

from prosa.adapters.store.repositories.begin import begin
from prosa.adapters.store.repositories.conversations import present
from prosa.adapters.store.repositories.rows import RUN, to_run, unpack
from prosa.adapters.store.session import Session
from prosa.adapters.store.statement import Ask, Ids, Plan, Statement, Tell, among, owned
from prosa.adapters.store.tables import journal, runs
from prosa.domain.conversations import Conversation
from prosa.domain.errors import RunNotFound
from prosa.domain.opening import Begun, Opening, Prepare
from prosa.domain.runs import END_STATES, Run, Signal, feed

_r = runs.c

_mine = select(*RUN).where(owned(runs))
_GET = Statement(_mine.where(_r.id == bindparam("id")))
_LOCK = Statement(_mine.where(_r.id == bindparam("id")).with_for_update())
_OPEN = Statement(
    _mine.where(_r.conversation_id == bindparam("conversation_id"), _r.ended_at.is_(None)).order_by(_r.id)
)
_NAMED = Statement(
    _mine.where(_r.conversation_id == bindparam("conversation_id"), among(_r.id, "ids")).order_by(_r.id)
)
_LINES = Statement(
    select(journal.c.first_seq, journal.c.data)
    .where(journal.c.run_id == bindparam("run_id"), journal.c.last_seq > bindparam("after"), owned(journal))
    .order_by(journal.c.first_seq)
    .limit(literal_column("2", Integer))
)
"""Two commits' worth: whoever reads comes back for more, and one who is stuck holds no more than this."""
_CANCEL = Statement(
    update(runs).where(_r.id == bindparam("key"), owned(runs), _r.ended_at.is_(None)).values(
        status=bindparam("status")
    )
)  # fmt: skip


def _get(run_id: str) -> Plan[Run]:
    rows = yield Ask(_GET, id=run_id)
    if not rows:
        raise RunNotFound
    return to_run(rows[0])


def _open(conversation_id: str) -> Plan[list[Run]]:
    rows = yield Ask(_OPEN, conversation_id=conversation_id)
    return [to_run(row) for row in rows]


def _seen(conversation_id: str, run_ids: Sequence[str] | None) -> Plan[tuple[Conversation, list[Run]]]:
    conversation = yield from present(conversation_id)
    if run_ids is None:
        return conversation, (yield from _open(conversation_id))
    rows = []
    if run_ids:
        rows = list((yield Ask(_NAMED, conversation_id=conversation_id, ids=Ids(run_ids))))
    return conversation, [to_run(row) for row in rows]


def _lines(run_id: str, after: int) -> Plan[tuple[Run, list[tuple[int, bytes]]]]:
    # The run is read first: if it had ended by then, the lines that follow are all there will be.
    run = yield from _get(run_id)
    rows = yield Ask(_LINES, run_id=run_id, after=after)
    return run, unpack(rows, after)


def _cancel(run_id: str) -> Plan[Run]:
    rows = yield Ask(_LOCK, id=run_id)
    if not rows:
        raise RunNotFound
    run = to_run(rows[0])
    if run.status in END_STATES:
        return run
    after = feed(run.status, Signal.STOP)
    yield Ask(_CANCEL, key=run_id, status=str(after))
    yield Tell("stop", [run_id])
    return msgspec.structs.replace(run, status=after)


class Runs:
    """Serves `ports.store.Runs`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def begin(self, opening: Opening, prepare: Prepare) -> Begun:
        return await self._session.write(begin, opening, prepare)

    async def get(self, run_id: str) -> Run:
        return await self._session.read(_get, run_id)

    async def open(self, conversation_id: str) -> list[Run]:
        return await self._session.read(_open, conversation_id)

    async def seen(
        self, conversation_id: str, run_ids: Sequence[str] | None
    ) -> tuple[Conversation, list[Run]]:
        return await self._session.read(_seen, conversation_id, run_ids)

    async def lines(self, run_id: str, after: int) -> tuple[Run, list[tuple[int, bytes]]]:
        return await self._session.read(_lines, run_id, after)

    async def cancel(self, run_id: str) -> Run:
        return await self._session.write(_cancel, run_id)
