"""Postgres alone holds: the application asks for another user's rows as if they were its caller's own, and gets
what it gets of rows that never were."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import pytest
from tests.contract.test_postgres_isolation import filled, store  # noqa: F401 - fixtures
from tests.contract.test_store_answers import answer
from tests.contract.test_store_ownership import CALLS
from tests.postgres import Database
from tests.stores import ANA, BIA, BOOT, NOON, bound, conversation, file, message, opening

from prosa.adapters.store.records import Records
from prosa.adapters.store.tables import OWNED
from prosa.domain.calendar import Calendar
from prosa.domain.errors import ProsaError
from prosa.domain.feedback import Feedback
from prosa.domain.ids import new_id
from prosa.domain.imports import Planting
from prosa.domain.models import Role
from prosa.domain.money import Picodollars
from prosa.domain.opening import Bound, Holding, Limits
from prosa.domain.search import Phrase, Sought
from prosa.domain.steps import StepStatus, Verdict
from prosa.domain.templates import Template
from prosa.domain.tickets import Asking
from prosa.domain.time import SECOND, Instant
from prosa.ports import store as ports

LATER = Instant(NOON + 1_000 * SECOND)


class Named(NamedTuple):
    """What there is of Ana's, or what never was."""

    conversation: str
    message: str
    run: str
    file: str
    template: str
    ticket: str
    link: str
    answer: str


def template(identity: str) -> Template:
    return Template(identity, ANA.user_id, "", "x", None, "x", (), NOON, NOON)


def remark(of: Named) -> Feedback:
    return Feedback(of.message, ANA.user_id, of.conversation, "down", None, (), None, NOON, NOON)


def told(of: Named) -> Any:
    return message(conversation(ANA, id=of.conversation), role=Role.ASSISTANT, kind="summary")


def free(_: Any) -> Bound:
    return Bound("m", 1, Picodollars(0))


Call = Callable[[Any, Named], Awaitable[Any]]
OTHERS: dict[str, Call] = {
    "steps.of": lambda r, x: r.steps.of(x.run),
    "steps.say": lambda r, x: r.steps.say(
        x.run, [Verdict("call-1", "output", StepStatus.COMPLETED, "x")], BOOT, NOON, LATER
    ),
    "exports.count": lambda r, _: r.exports.count(),
    "exports.conversations": lambda r, _: r.exports.conversations(None, 9),
    "exports.messages": lambda r, x: r.exports.messages(x.conversation, None),
    "exports.some": lambda r, x: r.exports.some(x.conversation, [x.message]),
    "exports.above": lambda r, x: r.exports.above(x.conversation, x.message, 9),
    "imports.plant": lambda r, x: r.imports.plant(
        [Planting(conversation(ANA, id=x.conversation), x.conversation, [])]
    ),
    "summaries.claim": lambda r, x: r.summaries.claim(x.conversation, NOON, LATER),
    "summaries.let_go": lambda r, x: r.summaries.let_go(x.conversation, LATER),
    "summaries.branch": lambda r, x: r.summaries.branch(x.conversation, x.message),
    "summaries.insert": lambda r, x: r.summaries.insert(told(x), x.message, LATER),
    "ledger.hold": lambda r, x: r.ledger.hold(Holding((x.run,)), Limits(), free, NOON),
    "ledger.go_on": lambda r, x: r.ledger.go_on(x.run, [], Limits(), free(None), NOON),
    "ledger.release": lambda r, x: r.ledger.release(x.run, []),
    "usage.sums": lambda r, _: r.usage.sums(Instant(0), LATER, Calendar()),
    "usage.entries": lambda r, _: r.usage.entries(Instant(0), LATER, None, 9),
    "usage.remaining": lambda r, _: r.usage.remaining(Limits(100), NOON),
    "files.add": lambda r, x: r.files.add(file(ANA, id=x.file), None),
    "conversations.create": lambda r, x: r.conversations.create(conversation(ANA, id=x.conversation)),
    "search.page": lambda r, _: r.search.page(Sought((Phrase("hello"),)), 9, None),
    "search.text": lambda r, x: r.search.text(x.message),
    "sign_ins.use": lambda r, x: r.sign_ins.use(x.link, NOON),
    "templates.add": lambda r, x: r.templates.add(template(x.template)),
    "templates.get": lambda r, x: r.templates.get(x.template),
    "templates.page": lambda r, _: r.templates.page(9, None),
    "templates.update": lambda r, x: r.templates.update(x.template, {"name": "x"}, NOON),
    "templates.delete": lambda r, x: r.templates.delete(x.template),
    "remains.count": lambda r, _: r.remains.count(None),
    "remains.files": lambda r, _: r.remains.files(None),
    "remains.drop_files": lambda r, x: r.remains.drop_files([x.file]),
    "remains.conversations": lambda r, _: r.remains.conversations(None),
    "remains.drop": lambda r, x: r.remains.drop(x.conversation),
    "remains.drop_others": lambda r, _: r.remains.drop_others(None),
    "remains.drop_journal": lambda r, x: r.remains.drop_journal([x.run]),
    "remains.drop_answers": lambda r, x: r.remains.drop_answers([x.message]),
    "remains.expire": lambda r, x: r.remains.expire(x.conversation, LATER),
    "answers.find": lambda r, _: r.answers.find("k", NOON),
    "answers.family": lambda r, _: r.answers.family("f", NOON, 9),
    "answers.get": lambda r, x: r.answers.get(x.message, NOON),
    "answers.keep": lambda r, _: r.answers.keep(answer(ANA)),
    "tickets.begin": lambda r, x: r.tickets.begin(
        Asking(new_id(), x.ticket, "x"), opening(new_id(), parent_id=None), bound()
    ),
    "tickets.get": lambda r, x: r.tickets.get(x.ticket),
    "tickets.page": lambda r, _: r.tickets.page(9, None, None),
    "tickets.forget": lambda r, x: r.tickets.forget(x.ticket, NOON),
    "feedback.put": lambda r, x: r.feedback.put(remark(x)),
    "feedback.of": lambda r, x: r.feedback.of([x.message]),
    "feedback.delete": lambda r, x: r.feedback.delete(x.conversation, x.message),
    "feedback.page": lambda r, _: r.feedback.page(9, None, None),
}
"""Beside those of `test_store_ownership`, whose callers come in Bia's name: here all come in Ana's."""


def in_her_name(name: str) -> Call:
    call = CALLS[name]
    return lambda r, x: call(r, x.conversation, x.message, x.run)


EVERY = {name: in_her_name(name) for name in CALLS} | OTHERS


def test_every_call_of_every_repository_is_here() -> None:
    groups = {
        name: found.fget.__annotations__["return"]
        for name, found in vars(ports.Records).items()
        if isinstance(found, property) and found.fget is not None
    }
    methods = {
        f"{name}.{method}"
        for name, group in groups.items()
        for method in vars(group)
        if not method.startswith("_")
    }
    assert methods == {name.split()[0] for name in EVERY}


async def everything(connection: Any) -> dict[str, list[str]]:
    """All rows of all owned tables."""
    return {
        table.name: [
            row[0]
            for row in await connection.fetch(f"SELECT to_jsonb(t)::text FROM {table.name} AS t ORDER BY 1")
        ]
        for table in OWNED
    }


async def outcome(call: Awaitable[Any]) -> Any:
    try:
        return await call
    except ProsaError as error:
        return type(error), error.details


@pytest.mark.hostile(15)
@pytest.mark.usefixtures("filled")
async def test_without_the_applications_own_predicates(database: Database, store: Any) -> None:  # noqa: F811
    import asyncpg

    await store.of(ANA).answers.keep(answer(ANA))
    connection = await asyncpg.connect(database.superuser)

    async def one(table: str, column: str = "id") -> str:
        return await connection.fetchval(f"SELECT {column}::text FROM {table} LIMIT 1")

    hers = Named(
        await one("conversations"), await one("messages WHERE role = 'assistant'"), await one("runs"),
        await one("files"), await one("prompt_templates"), await one("tickets", "ticket_id"), await one("sign_ins"), await one("answer_cache"),
    )  # fmt: skip
    never = Named(new_id(), new_id(), new_id(), new_id(), new_id(), "no such", "no such", new_id())
    session = store.of(BIA)._session._session  # the one that her share is of
    assert session._bound == {"principal": "bia"}
    session._bound = {"principal": "ana"}  # now the application takes Bia for Ana; Postgres does not
    records = Records(session)
    before = await everything(connection)
    assert all(before.values()), "there is something to be seen"
    assert (await store.of(ANA).runs.get(hers.run)).id == hers.run
    wrong = {}
    for name, call in EVERY.items():
        foreign = await outcome(call(records, hers))
        unknown = await outcome(call(records, never))
        if foreign != unknown or await everything(connection) != before:
            wrong[name] = foreign, unknown
    await connection.close()
    assert wrong == {}
