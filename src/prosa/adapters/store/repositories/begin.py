"""The transaction that begins a run: everything that must be safe before a provider is called."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET
from sqlalchemy import bindparam, select, update

from prosa.adapters.store.repositories import messages as stored_messages
from prosa.adapters.store.repositories.branch import newest, within
from prosa.adapters.store.repositories.conversations import GET, LOCK, found, key_of
from prosa.adapters.store.repositories.files import ATTACH, taken
from prosa.adapters.store.repositories.leases import lease_end
from prosa.adapters.store.repositories.limits import RESERVE, left, question
from prosa.adapters.store.repositories.rows import RUN, as_json, from_message, to_message, to_run, to_shown
from prosa.adapters.store.statement import (
    Ask,
    Lock,
    Params,
    Plan,
    Reads,
    Row,
    Statement,
    Tell,
    Together,
    insertion,
    owned,
)
from prosa.adapters.store.tables import conversations, idempotency, runs
from prosa.domain.content import Attachment, Part, worded
from prosa.domain.context import Shown
from prosa.domain.conversations import (
    Conversation,
    ConversationStatus,
    Message,
    MessageStatus,
    TitleBy,
)
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

_ROLES = {role.value: role for role in Role}

_EARLIER = Statement(
    select(idempotency.c.run_id, idempotency.c.body_hash).where(
        idempotency.c.key == bindparam("key"), owned(idempotency)
    )
)
_REMEMBER = insertion(idempotency, *idempotency.c.keys())
_INSERT_RUN = insertion(runs, *Run.__struct_fields__, lease_until=lease_end())
_SHOW = Statement(
    update(conversations)
    .where(conversations.c.id == bindparam("key_id"), owned(conversations))
    .values(
        {
            name: bindparam(name)
            for name in ("title", "title_by", "title_key", "updated_at", "answer_provider", "answer_model")
        }
        | {"head_id": bindparam("message_id")}
    )
)
_RUN = Statement(select(*RUN).where(runs.c.id == bindparam("id"), owned(runs)))


def begin(opening: Opening, prepare: Prepare) -> Plan[Begun]:
    """The plan of `ports.store.Runs.begin`."""
    limited = question(opening.limits, opening.now)
    yield Lock(LOCK, id=opening.conversation_id)
    there, recent, same, used = yield Reads(
        Ask(GET, id=opening.conversation_id), newest(opening.conversation_id), _same(opening), limited
    )
    conversation = found(there)
    known = yield from _begun(opening, same)
    if known is not None:
        return Begun(known, None)
    if conversation.status is ConversationStatus.CLOSED:
        raise ConversationClosed
    parent = yield from _place(opening, conversation)
    rows = yield from _branch(opening, parent, recent)
    shown = [to_shown(row) for row in reversed(rows)]
    attached = yield from taken(opening)
    if opening.content is not None:
        asked = Turn(Role.USER, opening.content, _parts(opening, attached))
        shown.append(Shown(opening.user_message_id, (asked,)))
    remains = yield from left(opening.limits, opening.now, limited, used)
    remains.begin()
    prepared = prepare(conversation, shown, remains)
    remains.hold(prepared.needed)
    run = _run(opening, prepared, parent)
    yield _writes(opening, conversation, prepared, run, parent, attached)
    yield Tell("begun", [conversation.id, run.id])
    return Begun(run, prepared, remains)


def earlier(opening: Opening) -> Plan[Run | None]:
    """The run that the same key began before."""
    asked = _same(opening)
    return None if asked is None else (yield from _begun(opening, (yield asked)))


def _same(opening: Opening) -> Ask | None:
    return None if opening.key is None else Ask(_EARLIER, key=opening.key)


def _begun(opening: Opening, rows: Sequence[Row]) -> Plan[Run | None]:
    if not rows:
        return None
    run_id, body_hash = rows[0]
    if body_hash != opening.body_hash:
        raise IdempotencyMismatch
    [row] = yield Ask(_RUN, id=run_id)
    return to_run(row)


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


def _branch(opening: Opening, parent: str | None, recent: Sequence[Row]) -> Plan[list[Row]]:
    """The rows of the branch that ends at `parent`, newest first, none of them still being written."""
    if parent is None:
        return []
    rows = yield from within(recent, opening.conversation_id, parent)
    _, _, role, _, status, run_id, *_ = rows[0]
    if status == MessageStatus.IN_PROGRESS:
        raise RunInProgress(run_id)
    if opening.content is None and role != Role.USER:
        raise InvalidRequest("Only a message of the user can be answered.")
    return rows


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
        route=prepared.route,
        context=prepared.sent,
    )


def _writes(
    opening: Opening,
    conversation: Conversation,
    prepared: Prepared,
    run: Run,
    parent: str | None,
    attached: tuple[Attachment, ...],
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
        parts=_parts(opening, attached),
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
        asked.append(Ask(stored_messages.INSERT, **from_message(question)))
    asked += [
        Ask(stored_messages.INSERT, **from_message(answer)),
        Ask(_INSERT_RUN, **_params(run), now=now, until=opening.lease_until),
        Ask(RESERVE, run_id=run.id, client_id=run.client_id, tokens=prepared.tokens, cost=prepared.cost,
            now=now, beside=False, boot=opening.boot),
        Ask(_SHOW, key_id=conversation.id, message_id=answer.id, updated_at=now, answer_provider=run.provider,
            answer_model=run.model, **_title(conversation, opening.content, attached)),
    ]  # fmt: skip
    asked += [Ask(ATTACH, message_id=question.id, file_id=part.file) for part in attached]
    if opening.key is not None:
        asked.append(
            Ask(_REMEMBER, key=opening.key, body_hash=opening.body_hash, run_id=run.id, created_at=now)
        )
    return Together(*asked)


def _params(run: Run) -> dict[str, Any]:
    structs = {
        name: value and as_json(value) for name, value in (("usage", run.usage), ("context", run.context))
    }
    return {**msgspec.structs.asdict(run), **structs}


def _title(conversation: Conversation, content: str | None, attached: Sequence[Attachment]) -> Params:
    """What the conversation is called from now on."""
    title, by = conversation.title, conversation.title_by
    if title is None and (title := _excerpt(content, attached)) is not None:
        by = by or TitleBy.EXCERPT
    return {"title": title, "title_by": None if by is None else str(by), "title_key": key_of(title)}


def _parts(opening: Opening, attached: tuple[Attachment, ...]) -> tuple[Part, ...]:
    """The new message's: files come first, as most providers advise."""
    return worded(attached, opening.content or "")


def _excerpt(content: str | None, attached: Sequence[Attachment] = ()) -> str | None:
    """A title from a first message, or its first file: one line, at most `TITLE` characters, cut between
    words."""
    if content is None:
        return None
    content = content or next((part.name for part in attached if part.name), "")
    line = " ".join(content[:500].split())
    return line if len(line) <= TITLE else line[: TITLE - 1].rsplit(" ", 1)[0] + "…"
