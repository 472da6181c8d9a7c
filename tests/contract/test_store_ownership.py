"""What is another principal's looks exactly like what does not exist, on every method."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.stores import ANA, BIA, NOON, added, bound, conversation, message, opening, turn

from prosa.domain.context import Counts
from prosa.domain.conversations import Conversation
from prosa.domain.errors import ProsaError
from prosa.domain.ids import new_id
from prosa.domain.principal import Principal
from prosa.domain.runs import Run
from prosa.ports.store import Records, Store

Call = Callable[[Records, str, str, str], Awaitable[Any]]


def _in(conversation_id: str, **fields: Any) -> Conversation:
    return conversation(BIA, id=conversation_id, **fields)


CALLS: dict[str, Call] = {
    "conversations.get": lambda r, c, _m, _n: r.conversations.get(c),
    "conversations.by_external_id": lambda r, c, _m, _n: r.conversations.by_external_id(f"x-{c}"),
    "conversations.page": lambda r, _c, _m, _n: r.conversations.page(10, None),
    "conversations.update": lambda r, c, _m, _n: r.conversations.update(c, {"title": "x"}, NOON),
    "conversations.update head": lambda r, c, m, _n: r.conversations.update(c, {"head_id": m}, NOON),
    "conversations.claim_title": lambda r, c, _m, _n: r.conversations.claim_title(c),
    "conversations.entitle": lambda r, c, _m, _n: r.conversations.entitle(c, "x"),
    "conversations.delete": lambda r, c, _m, _n: r.conversations.delete(c),
    "messages.tree": lambda r, c, _m, _n: r.messages.tree(c),
    "messages.stretch": lambda r, c, _m, _n: r.messages.stretch(c, None, "asc", 5, None),
    "messages.stretch to": lambda r, c, m, _n: r.messages.stretch(c, m, "desc", 5, None),
    "messages.placed": lambda r, c, m, _n: r.messages.placed(c, m),
    "messages.get": lambda r, c, m, _n: r.messages.get(c, m),
    "messages.many": lambda r, c, m, _n: r.messages.many(c, [m]),
    "messages.append": lambda r, c, _m, _n: r.messages.append(message(_in(c)), at_head=True),
    "messages.append under": lambda r, c, m, _n: r.messages.append(
        message(_in(c), parent_id=m), at_head=False
    ),
    "messages.seed": lambda r, c, _m, _n: r.messages.seed([message(_in(c)), message(_in(c))]),
    "messages.rewrite": lambda r, c, m, _n: r.messages.rewrite(c, m, "x", NOON),
    "messages.count": lambda r, c, m, _n: r.messages.count(c, {m: Counts(1, {})}),
    "messages.delete": lambda r, c, m, _n: r.messages.delete(c, m, NOON),
    "messages.clear": lambda r, c, _m, _n: r.messages.clear(c, NOON),
    "runs.begin": lambda r, c, _m, _n: r.runs.begin(opening(c, owner=BIA), bound()),
    "runs.begin under": lambda r, c, m, _n: r.runs.begin(opening(c, owner=BIA, parent_id=m), bound()),
    "runs.begin regenerate": lambda r, c, m, _n: r.runs.begin(
        opening(c, None, owner=BIA, regenerate=m), bound()
    ),
    "runs.begin answering": lambda r, c, m, _n: r.runs.begin(
        opening(c, None, owner=BIA, answering=m), bound()
    ),
    "runs.get": lambda r, _c, _m, n: r.runs.get(n),
    "runs.open": lambda r, c, _m, _n: r.runs.open(c),
    "runs.lines": lambda r, _c, _m, n: r.runs.lines(n, 0),
    "runs.cancel": lambda r, _c, _m, n: r.runs.cancel(n),
    "runs.seen": lambda r, c, _m, n: r.runs.seen(c, [n]),
    "files.get": lambda r, _c, _m, n: r.files.get(n),
    "files.many": lambda r, _c, _m, n: r.files.many([n]),
    "files.of": lambda r, c, _m, _n: r.files.of(c),
    "files.used": lambda r, _c, _m, _n: r.files.used(),
    "files.delete": lambda r, _c, _m, n: r.files.delete(n),
    "runs.begin with a file": lambda r, c, _m, n: r.runs.begin(
        opening(c, owner=BIA, attachments=(n,)), bound()
    ),
}

TAKE_A_CHILD = (
    "conversations.update head",
    "messages.get",
    "messages.stretch to",
    "messages.placed",
    "messages.many",
    "messages.append under",
    "messages.rewrite",
    "messages.delete",
    "runs.begin under",
    "runs.begin regenerate",
    "runs.begin answering",
    "runs.begin with a file",
)


def test_no_method_is_forgotten() -> None:
    named = {name.split()[0] for name in CALLS}
    groups = {
        name: getattr(Records, name).fget.__annotations__["return"]
        for name in ("conversations", "messages", "runs", "files")
    }
    methods = {
        f"{name}.{method}"
        for name, group in groups.items()
        for method in vars(group)
        if not method.startswith("_")
    }
    assert methods - named == {"files.add", "conversations.create"}


@pytest.fixture
async def ended(store: Store) -> Run:
    chat = conversation(ANA)
    await store.of(ANA).conversations.create(
        conversation(ANA, id=chat.id, external_id=f"x-{chat.id}", client_id="acme")
    )
    run = await turn(store, chat, attachments=(await added(store),))
    await added(store, id=run.id)
    return run


@pytest.mark.hostile(12)
@pytest.mark.parametrize("name", CALLS)
async def test_foreign_is_as_if_it_never_was(store: Store, ended: Run, name: str) -> None:
    before = await _all_of_ana(store, ended)
    for intruder in (BIA, Principal("bia", "acme"), Principal("ANA"), Principal("ana' OR '1'='1")):
        call, records = CALLS[name], store.of(intruder)
        foreign = await _outcome(call(records, ended.conversation_id, ended.message_id, ended.id))
        unknown = await _outcome(call(records, new_id(), new_id(), new_id()))
        assert foreign == unknown
    assert await _all_of_ana(store, ended) == before


@pytest.mark.hostile(12)
@pytest.mark.parametrize("name", TAKE_A_CHILD)
async def test_own_parent_with_a_foreign_child(
    store: Store, other: Conversation, ended: Run, name: str
) -> None:
    foreign = await _outcome(CALLS[name](store.of(BIA), other.id, ended.message_id, ended.id))
    unknown = await _outcome(CALLS[name](store.of(BIA), other.id, new_id(), new_id()))
    assert foreign == unknown


async def _outcome(call: Awaitable[Any]) -> Any:
    try:
        return await call
    except ProsaError as error:
        return type(error), error.details


async def _all_of_ana(store: Store, run: Run) -> list[Any]:
    records = store.of(ANA)
    tree, head = await records.messages.tree(run.conversation_id)
    return [
        await records.conversations.get(run.conversation_id),
        head,
        await records.messages.many(run.conversation_id, tree.branch(head)),
        await records.runs.lines(run.id, 0),
        await records.files.many([run.id, *await records.files.of(run.conversation_id)]),
    ]


async def test_a_link_works_once(store: Store) -> None:
    assert await store.of(ANA).sign_ins.use("link", NOON)
    assert not await store.of(ANA).sign_ins.use("link", NOON)
    assert not await store.of(BIA).sign_ins.use("link", NOON)
    assert await store.of(BIA).sign_ins.use("another", NOON)
