"""The auditor passes what keeps to its owner, and catches what does not."""

from typing import Any

import pytest
from sqlalchemy import bindparam, delete, insert, literal, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from tests.auditor import Auditor, Unowned

from prosa.adapters.store.statement import Statement, insertion, owned
from prosa.adapters.store.tables import (
    conversations,
    feedback,
    idempotency,
    journal,
    messages,
    provider_keys,
    runs,
    sign_ins,
)

c, m = conversations.c, messages.c
_theirs = c.user_id == bindparam("other")
_alias = messages.alias("other")
_mine = {"id": bindparam("id"), "user_id": bindparam("principal"), "used_at": bindparam("used_at")}
_put = postgresql.insert(sign_ins).values(_mine)

GOOD = {
    "select": select(c.id).where(owned(conversations), c.title == "x"),
    "select without where clauses of its own": select(literal(1)),
    "join": select(c.id, m.id)
    .join(messages, m.conversation_id == c.id)
    .where(owned(conversations), owned(messages)),
    "subquery": select(c.id).where(
        owned(conversations), c.id.in_(select(m.conversation_id).where(owned(messages)))
    ),
    "insert": insert(sign_ins).values(_mine),
    "insert or nothing": sqlite.insert(sign_ins).values(_mine).on_conflict_do_nothing(),
    "insert or change one's own": _put.on_conflict_do_update(
        index_elements=["id"], set_={"used_at": 0}, where=owned(sign_ins)
    ),
    "insertion": insertion(runs, *runs.c.keys()).core,
    "update": update(conversations).where(owned(conversations)).values(title="x"),
    "delete": delete(conversations).where(c.id == "1", owned(conversations)),
}

BAD = {
    "no predicate": select(c.id).where(c.id == bindparam("id")),
    "nothing at all": select(c.id),
    "the operator's": select(provider_keys.c.id),
    "joined with the operator's": select(c.id).where(
        owned(conversations), c.id.in_(select(provider_keys.c.id))
    ),
    "another name": select(c.id).where(_theirs),
    "beneath an or": select(c.id).where(or_(owned(conversations), c.id == "1")),
    "negated": select(c.id).where(~owned(conversations)),
    "not equal": select(c.id).where(c.user_id != bindparam("principal")),
    "one of two": select(c.id, m.id).join(messages, m.conversation_id == c.id).where(owned(conversations)),
    "the other side of a self join": select(m.id)
    .join(_alias, _alias.c.id == m.parent_id)
    .where(owned(messages)),
    "in a subquery": select(c.id).where(owned(conversations), c.id.in_(select(m.conversation_id))),
    "in a cte": select(select(m.id).cte("all").c.id),
    "update": update(conversations).where(c.id == "1").values(title="x"),
    "update that gives away": update(conversations).where(owned(conversations)).values(user_id="x"),
    "delete": delete(messages).where(m.id == "1"),
    "insert for another": insert(sign_ins).values({**_mine, "user_id": bindparam("user_id")}),
    "insert of a constant": insert(sign_ins).values({**_mine, "user_id": "me"}),
    "insert from a select": insert(messages).from_select(["id"], select(m.id).where(owned(messages))),
    "insert that overwrites": sqlite.insert(sign_ins)
    .values(_mine)
    .on_conflict_do_update(index_elements=["id"], set_={"used_at": 0}),
    "insert that changes anybody's": _put.on_conflict_do_update(index_elements=["id"], set_={"used_at": 0}),
    "insert that changes another's": _put.on_conflict_do_update(
        index_elements=["id"], set_={"used_at": 0}, where=or_(owned(sign_ins), sign_ins.c.used_at == 1)
    ),
    "insert that gives away": _put.on_conflict_do_update(
        index_elements=["id"], set_={"user_id": "x"}, where=owned(sign_ins)
    ),
    "text": text("SELECT * FROM conversations WHERE user_id = :principal"),
    "text within": select(c.id).where(owned(conversations), text("1 = 1")),
}


@pytest.mark.parametrize("name", GOOD)
def test_passes(name: str) -> None:
    auditor = Auditor()
    auditor(_statement(GOOD[name]), True)
    assert not auditor.faults


@pytest.mark.hostile(17)
@pytest.mark.parametrize("name", BAD)
def test_catches(name: str) -> None:
    auditor = Auditor()
    with pytest.raises(Unowned):
        auditor(_statement(BAD[name]), True)
    assert auditor.faults


def test_engine_keeps_to_its_tables() -> None:
    auditor = Auditor()
    auditor(_statement(select(journal.c.data).where(journal.c.run_id == "1")), False)
    for table in (feedback, idempotency, sign_ins):
        with pytest.raises(Unowned):
            auditor(_statement(select(table.c.user_id)), False)


def test_a_statement_that_the_engine_may_use_is_not_passed_for_a_principal() -> None:
    auditor = Auditor()
    statement = _statement(select(journal.c.data))
    auditor(statement, False)
    with pytest.raises(Unowned):
        auditor(statement, True)


@pytest.mark.hostile(17)
def test_what_postgres_is_asked_instead_is_seen_too() -> None:
    auditor = Auditor()
    mine, all_of_them = select(c.id).where(owned(conversations)), select(c.id)
    auditor(Statement(mine, mine), True)
    with pytest.raises(Unowned):
        auditor(Statement(mine, all_of_them), True)


def _statement(core: Any) -> Statement:
    made = Statement(core)
    made.sqlite  # noqa: B018 - compiles it, as a store would
    return made
