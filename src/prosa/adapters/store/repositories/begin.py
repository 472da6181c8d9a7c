"""The transaction that begins a run: everything that must be safe before a provider is called."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET
from sqlalchemy import Integer, bindparam, func, literal, select, type_coerce, update
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement

from prosa.adapters.store.repositories import messages as stored_messages
from prosa.adapters.store.repositories.conversations import locked
from prosa.adapters.store.repositories.leases import lease_end
from prosa.adapters.store.repositories.limits import remaining
from prosa.adapters.store.repositories.rows import RUN, to_message, to_run
from prosa.adapters.store.statement import Ask, Json, Plan, Row, Statement, Together, Upto, insertion, owned
from prosa.adapters.store.tables import conversations, idempotency, messages, reservations, runs
from prosa.domain.conversations import Conversation, ConversationStatus, Message, MessageStatus
from prosa.domain.errors import (
    ConversationClosed,
    IdempotencyMismatch,
    InvalidRequest,
    MessageNotFound,
    RunInProgress,
)
from prosa.domain.models import Role, Turn, Usage
from prosa.domain.opening import Begun, Opening, Prepare, Prepared
from prosa.domain.runs import Run, RunStatus

TITLE = 60
"""Characters of a title that is taken from a first message."""

WINDOW_BYTES = 2_000_000
"""How far back a branch is read at most (SQLite counts characters): more than windows are in practice."""

_ROLES = {role.value: role for role in Role}

_m = messages.c


class _size(ColumnElement[int]):  # noqa: N801 - reads as a function in a statement
    """How long a message's text is: in bytes where the database knows them without reading the text."""

    inherit_cache = False


@compiles(_size)
def _size_in_characters(_element: _size, compiler: Any, **kw: Any) -> str:
    return f"length({compiler.process(_m.content, **kw)})"


@compiles(_size, "postgresql")
def _size_in_bytes(_element: _size, compiler: Any, **kw: Any) -> str:
    return f"octet_length({compiler.process(_m.content, **kw)})"


_fields = (_m.id, _m.parent_id, _m.role, _m.content, _m.status, _m.run_id)
_walk = (
    select(*_fields, literal(0, Integer).label("depth"), type_coerce(_size(), Integer).label("size"))
    .where(_m.id == bindparam("leaf"), _m.conversation_id == bindparam("conversation_id"), owned(messages))
    .cte("walk", recursive=True)
)
_walk = _walk.union_all(
    select(*_fields, _walk.c.depth + literal(1, Integer), _walk.c.size + _size())
    .where(_m.id == _walk.c.parent_id, owned(messages), _walk.c.size < literal(WINDOW_BYTES, Integer))
)  # fmt: skip
_BRANCH = Statement(
    select(
        _walk.c.id, _walk.c.parent_id, _walk.c.role, _walk.c.content, _walk.c.status, _walk.c.run_id
    ).order_by(_walk.c.depth)
)
"""The branch that ends at `leaf`, newest message first."""


class _short(ColumnElement[str]):  # noqa: N801
    """A message's text; null for a long one where the database would hand out all rows at once."""

    inherit_cache = False


@compiles(_short)
def _short_or_not(_element: _short, compiler: Any, **kw: Any) -> str:
    return str(compiler.process(_m.content, **kw))


@compiles(_short, "postgresql")
def _short_only(_element: _short, compiler: Any, **kw: Any) -> str:
    content = compiler.process(_m.content, **kw)
    return f"CASE WHEN octet_length({content}) <= {SHORT} THEN {content} END"


RECENT, SHORT = 200, 10_000
_NEWEST = Statement(
    select(_m.id, _m.parent_id, _m.role, _short(), _m.status, _m.run_id)
    .where(_m.conversation_id == bindparam("conversation_id"), owned(messages))
    .order_by(_m.id.desc())
    .limit(literal(RECENT, Integer))
)
"""The newest messages of all branches: half the price of a walk, where they hold the whole branch and none of
them is long. They are read as far as a walk would go: 200 of the longest would be 80 MB."""

_EARLIER = Statement(
    select(idempotency.c.run_id, idempotency.c.body_hash).where(
        idempotency.c.key == bindparam("key"), owned(idempotency)
    )
)
_REMEMBER = insertion(idempotency, *idempotency.c.keys())
_INSERT_RUN = insertion(runs, *Run.__struct_fields__, lease_until=lease_end())
_RESERVE = insertion(reservations, *reservations.c.keys())
_SHOW = Statement(
    update(conversations)
    .where(conversations.c.id == bindparam("key_id"), owned(conversations))
    .values(
        head_id=bindparam("message_id"),
        updated_at=bindparam("now"),
        title=func.coalesce(conversations.c.title, bindparam("excerpt", type_=conversations.c.title.type)),
    )
)
_RUN = Statement(select(*RUN).where(runs.c.id == bindparam("id"), owned(runs)))


def begin(opening: Opening, prepare: Prepare) -> Plan[Begun]:
    """The plan of `ports.store.Runs.begin`."""
    conversation = yield from locked(opening.conversation_id)
    earlier = yield from _earlier(opening)
    if earlier is not None:
        return Begun(earlier, None)
    if conversation.status is ConversationStatus.CLOSED:
        raise ConversationClosed
    parent = yield from _place(opening, conversation)
    branch = yield from _branch(opening, parent)
    turns = [Turn(_ROLES[role], content) for _, _, role, content, _, _ in reversed(branch)]
    if opening.content is not None:
        turns.append(Turn(Role.USER, opening.content))
    left = yield from remaining(opening.limits, opening.now)
    prepared = prepare(conversation, turns, left)
    left.hold(prepared)
    run = _run(opening, prepared, parent)
    yield _writes(opening, conversation, prepared, run, parent)
    return Begun(run, prepared, left)


def _earlier(opening: Opening) -> Plan[Run | None]:
    """The run that the same key began before."""
    if opening.key is None:
        return None
    rows = yield Ask(_EARLIER, key=opening.key)
    if not rows:
        return None
    run_id, body_hash = rows[0]
    if body_hash != opening.body_hash:
        raise IdempotencyMismatch
    found = yield Ask(_RUN, id=run_id)
    return to_run(found[0])


def _place(opening: Opening, conversation: Conversation) -> Plan[str | None]:
    """The id of the message under which the run's first new message hangs."""
    if opening.answering is not None:
        return opening.answering
    if opening.regenerate is not None:
        rows = yield Ask(stored_messages.GET, id=opening.regenerate, conversation_id=conversation.id)
        if not rows:
            raise MessageNotFound
        message = stored_messages.settled(to_message(rows[0]))
        if message.role is not Role.ASSISTANT or message.parent_id is None:
            raise InvalidRequest("regenerate must name an answer of the assistant.")
        return message.parent_id
    return conversation.head_id if opening.parent_id is UNSET else opening.parent_id


def _branch(opening: Opening, parent: str | None) -> Plan[list[Row]]:
    """The rows of the branch that ends at `parent`, newest first, none of them still being written."""
    if parent is None:
        return []
    rows = _chain((yield Upto(_NEWEST, 3, WINDOW_BYTES, conversation_id=opening.conversation_id)), parent)
    if rows is None:
        rows = list((yield Ask(_BRANCH, leaf=parent, conversation_id=opening.conversation_id)))
    if not rows:
        raise MessageNotFound
    _, _, role, _, status, run_id = rows[0]
    if status == MessageStatus.IN_PROGRESS:
        raise RunInProgress(run_id)
    if opening.content is None and role != Role.USER:
        raise InvalidRequest("Only a message of the user can be answered.")
    return rows


def _chain(newest: Sequence[Row], leaf: str) -> list[Row] | None:
    """The branch that ends at `leaf`, newest first, if it lies whole in `newest` and none of its texts is
    left out; else None."""
    branch = []
    wanted: str | None = leaf
    for row in newest:
        if row[0] == wanted:
            if row[3] is None:
                return None
            branch.append(row)
            wanted = row[1]
    return branch if wanted is None else None


def _run(opening: Opening, prepared: Prepared, parent: str | None) -> Run:
    return Run(
        id=opening.run_id,
        user_id=opening.user_id,
        client_id=opening.client_id,
        conversation_id=opening.conversation_id,
        user_message_id=opening.user_message_id if opening.content is not None else parent,
        message_id=opening.message_id,
        status=RunStatus.IN_PROGRESS,
        provider=prepared.provider,
        model=prepared.request.model,
        reason=None,
        error_code=None,
        error_message=None,
        usage=Usage(prepared.prompt),
        cost=None,
        owner=opening.boot,
        created_at=opening.now,
        ended_at=None,
    )


def _writes(
    opening: Opening, conversation: Conversation, prepared: Prepared, run: Run, parent: str | None
) -> Together:
    """All that is written, in an order that respects the foreign keys."""
    now = opening.now
    question = Message(
        id=opening.user_message_id,
        user_id=opening.user_id,
        conversation_id=conversation.id,
        parent_id=parent,
        role=Role.USER,
        content=opening.content or "",
        status=MessageStatus.COMPLETED,
        run_id=None,
        provider=None,
        model=None,
        created_at=now,
    )
    answer = Message(
        id=run.message_id,
        user_id=opening.user_id,
        conversation_id=conversation.id,
        parent_id=run.user_message_id,
        role=Role.ASSISTANT,
        content="",
        status=MessageStatus.IN_PROGRESS,
        run_id=run.id,
        provider=run.provider,
        model=run.model,
        created_at=now,
    )
    asked: list[Ask] = []
    if opening.content is not None:
        asked.append(Ask(stored_messages.INSERT, **_params(question)))
    asked += [
        Ask(stored_messages.INSERT, **_params(answer)),
        Ask(_INSERT_RUN, **_params(run), now=now, until=opening.lease_until),
        Ask(_RESERVE, run_id=run.id, client_id=run.client_id, tokens=prepared.tokens, cost=prepared.cost,
            created_at=now),
        Ask(_SHOW, key_id=conversation.id, message_id=answer.id, now=now, excerpt=_excerpt(opening.content)),
    ]  # fmt: skip
    if opening.key is not None:
        asked.append(
            Ask(_REMEMBER, key=opening.key, body_hash=opening.body_hash, run_id=run.id, created_at=now)
        )
    return Together(*asked)


def _params(record: Message | Run) -> dict[str, Any]:
    params = msgspec.structs.asdict(record)
    if isinstance(record, Run):
        params["usage"] = Json(msgspec.json.encode(record.usage).decode())
    return params


def _excerpt(content: str | None) -> str | None:
    """A title from a first message: one line, at most `TITLE` characters, cut between words."""
    if content is None:
        return None
    line = " ".join(content[:500].split())
    return line if len(line) <= TITLE else line[: TITLE - 1].rsplit(" ", 1)[0] + "…"
