"""Erasure on both databases: nothing of the user is left, everything of the others is, and the money adds up."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.contract.test_postgres_isolation import filled  # noqa: F401 - a fixture
from tests.postgres import Database, ask
from tests.stores import ANA, BIA, NOON, added, begin, bound, conversation, lapse, message, opening, turn

from prosa.adapters.blobs.folder import Folder
from prosa.adapters.store.repositories.erasures import Erasures
from prosa.adapters.store.tables import OWNED
from prosa.domain.access import ApiKey, ApiKeyNotFound
from prosa.domain.alerts import Alert
from prosa.domain.answers import KeptAnswer
from prosa.domain.audit import Wanted, deed
from prosa.domain.conversations import Conversation
from prosa.domain.ending import Entry
from prosa.domain.erasure import Erasure, Scope, hash_of
from prosa.domain.ids import new_id
from prosa.domain.limits import Bound, Limits
from prosa.domain.models import Usage
from prosa.domain.opening import Holding
from prosa.domain.principal import Principal
from prosa.domain.templates import Template
from prosa.domain.tickets import Asking
from prosa.domain.time import SECOND, Instant
from prosa.ports.store import Store
from prosa.services.erasure import Erasing
from prosa.services.files.files import Files
from prosa.services.files.rules import Rules
from prosa.services.runs.recover import Recovery

pytestmark = pytest.mark.hostile(20)

ROOT = Principal("root")
ANA_OF_ACME, BIA_OF_ACME = Principal("ana", "acme"), Principal("bia", "acme")


def eraser(store: Store, folder: Path) -> Erasing:
    boot = new_id()
    recovery = Recovery(store.engine, boot)

    async def stop(principal: Principal, run_id: str) -> None:
        await store.of(principal).runs.cancel(run_id)
        await recovery.run()

    return Erasing(store, Files(store, Folder(folder / "files"), Rules()), stop, boot)


@pytest.fixture
def erasing(store: Store, tmp_path: Path) -> Erasing:
    return eraser(store, tmp_path)


class Rows:
    """What is in the database, whoever asks."""

    def __init__(self, request: pytest.FixtureRequest, folder: Path) -> None:
        self._request = request
        self._folder = folder

    async def __call__(self, sql: str) -> list[tuple[Any, ...]]:
        if "postgres" in self._request.node.name:
            database: Database = self._request.getfixturevalue("database")
            return [tuple(row) for row in await ask(database.superuser, sql)]
        connection = sqlite3.connect(self._folder / "prosa.db")
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    async def whose(self, user: str) -> dict[str, int]:
        """How many rows of each table have this user."""
        found = {}
        for table in OWNED:
            [[found[table.name]]] = await self(f"SELECT count(*) FROM {table.name} WHERE user_id = '{user}'")
        return {name: number for name, number in found.items() if number}


@pytest.fixture
def rows(request: pytest.FixtureRequest, tmp_path: Path) -> Rows:
    return Rows(request, tmp_path)


@pytest.mark.usefixtures("filled")
async def test_no_table_is_forgotten(store: Store, erasing: Erasing, rows: Rows, other: Conversation) -> None:
    await turn(store, other)
    theirs, spent = await rows.whose("bia"), "SELECT count(*), sum(total_tokens), sum(cost) FROM ai_usage"
    before = await rows(spent)
    assert (await rows.whose("ana")).keys() == {table.name for table in OWNED}, "a row in each"
    receipt = await erasing.erase(ANA, Scope.USER, "ana")
    assert await rows.whose("ana") == {}
    assert await rows.whose("bia") == theirs
    assert receipt.counts["conversations"] == 2
    assert receipt.counts["messages"] > 3
    assert (receipt.subject, receipt.hash) == (None, hash_of(receipt.id, "ana"))
    [[entries, tokens, cost]] = await rows(spent)
    assert entries >= before[0][0]  # the run that went on was stopped, and paid for
    assert (tokens, cost) >= before[0][1:]
    assert await rows("SELECT DISTINCT user_id FROM ai_usage WHERE user_id <> 'bia'") == [
        (receipt.pseudonym,)
    ]
    [link] = await store.operator(ROOT).audit.page(Wanted(), 9, None)
    assert (link.deed.actor, link.deed.action, link.deed.target) == ("ana", "erase", "user:ana")
    assert (await erasing.erase(ANA, Scope.USER, "ana")).counts["conversations"] == 0


async def test_what_a_client_had_goes_and_what_its_users_have_elsewhere_stays(
    store: Store, erasing: Erasing, rows: Rows
) -> None:
    kept = []
    for who in (ANA, ANA_OF_ACME, BIA_OF_ACME, Principal("bia", "other")):
        made, _ = await store.of(who).conversations.create(conversation(who))
        await turn(store, made)
        await added(store, who)
        template = Template(new_id(), who.user_id, who.client_id, "x", None, "y", (), NOON, NOON)
        await store.of(who).templates.add(template)
        kept += [made.id] if who.client_id != "acme" else []
    desk = ANA_OF_ACME.desk
    asking = opening(new_id(), owner=desk, parent_id=None)
    begun = await store.of(desk).tickets.begin(Asking(new_id(), "1", "Hello"), asking, bound())
    await lapse(store, begun.run)
    late = replace(made, id=new_id(), user_id="eva", client_id="")
    await store.of(Principal("eva")).conversations.create(late)
    own = KeptAnswer(new_id(), "eva", "acme", "k", "f", "p", "m", "Olá", None, late.id, None, NOON, NOON)
    await store.of(Principal("eva", "acme")).answers.keep(own)
    kept.append(late.id)
    receipt = await erasing.erase(ROOT, Scope.CLIENT, "acme")
    assert await rows("SELECT count(*) FROM answer_cache") == [(0,)]
    assert receipt.counts["users"] == 4
    for name in ("conversations", "files", "prompt_templates", "tickets", "runs", "ai_usage"):
        assert await rows(f"SELECT count(*) FROM {name} WHERE client_id = 'acme'") == [(0,)], name
    assert {str(row[0]) for row in await rows("SELECT id FROM conversations")} == set(kept)
    for name in ("files", "prompt_templates"):
        assert await rows(f"SELECT count(*) FROM {name}") == [(2,)]
    whose = await rows("SELECT DISTINCT user_id, client_id FROM ai_usage")
    assert set(whose) == {("ana", ""), ("bia", "other"), (receipt.pseudonym, receipt.pseudonym)}


async def test_guests_whom_no_other_can_let_in_go_with_their_host(
    store: Store, erasing: Erasing, rows: Rows
) -> None:
    """Those of a client are the client's; one of them goes alone, or all with the client."""

    def guest(user: str, client: str = "", name: str = "u1") -> Principal:
        key = ApiKey(new_id(), user, client, "x", "x", ("embed",), NOON, "root")
        return key.guest(name, frozenset())

    for who in (Principal("shop"), guest("shop"), guest("shop", name="u2"), guest("Shop"), guest("shop2"),
                guest("shop", "acme"), guest("shop", "acme", "u2")):  # fmt: skip
        made, _ = await store.of(who).conversations.create(conversation(who))
        await turn(store, made)
    about = f"user:{guest('shop').user_id}"
    await store.alerts.put([Alert(new_id(), "tokens", about, "day 1", 80, {}, NOON)])
    receipt = await erasing.erase(ROOT, Scope.USER, "shop")
    assert (receipt.counts["guests"], receipt.counts["conversations"]) == (2, 3)
    assert await rows("SELECT count(*) FROM alerts") == [(0,)]
    stay = {"prosa:guest:@Shop:u1", "prosa:guest:@shop2:u1", "prosa:guest:acme:u1", "prosa:guest:acme:u2"}
    assert {row[0] for row in await rows("SELECT user_id FROM conversations")} == stay
    assert {row[0] for row in await rows("SELECT user_id FROM ai_usage")} == {*stay, receipt.pseudonym}
    await erasing.erase(ROOT, Scope.USER, "prosa:guest:acme:u1")
    stay.remove("prosa:guest:acme:u1")
    assert {row[0] for row in await rows("SELECT user_id FROM conversations")} == stay
    await erasing.erase(ROOT, Scope.CLIENT, "acme")
    assert await rows("SELECT count(*) FROM conversations") == [(2,)]


@pytest.mark.parametrize("scope", Scope)
async def test_who_has_nothing_but_an_answer_that_goes_on_is_waited_for(
    store: Store, erasing: Erasing, rows: Rows, scope: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a first request on `/v1`: all there is of it is what is held, until it is paid for."""
    client = "acme" if scope is Scope.CLIENT else ""
    guest = ApiKey(new_id(), "shop", client, "x", "x", (), NOON, "root").guest("\U0010ffff", frozenset())
    ledger, hold, waited = store.of(guest).ledger, new_id(), asyncio.Event()

    class Watched(Erasures):
        async def held(self, user_id: str, client_id: str | None) -> bool:
            found = await super().held(user_id, client_id)
            if user_id == guest.user_id:
                waited.set()
            return found

    monkeypatch.setattr(f"{type(store).__module__}.Erasures", Watched)
    await ledger.hold(Holding((hold,), client), Limits(), lambda _: Bound("m", 9, None), NOON)
    going = asyncio.create_task(erasing.erase(ROOT, scope, client or "shop"))
    waits = asyncio.create_task(waited.wait())
    await asyncio.wait({going, waits}, return_when=asyncio.FIRST_COMPLETED)
    assert not going.done()
    entry = Entry(new_id(), hold, guest.user_id, client, None, 1, "p", "m", Usage(7), None, False, NOON)
    await ledger.release(hold, [entry])
    receipt = await going
    assert await rows("SELECT user_id FROM ai_usage") == [(receipt.pseudonym,)]


async def test_keys_go_and_whoever_is_erased_may_not_call(store: Store, erasing: Erasing) -> None:
    keys = [ApiKey(new_id(), user, "", "", "1234", ("chat",), NOON, user) for user in ("ana", "bia")]
    for key in keys:
        await store.access.add(key, "hash", None)
    noted = deed(ROOT, "erase", "user:ana", {})
    one = Erasure(new_id(), Scope.USER, "ana", "hash", {}, NOON)
    assert await store.erasures.begin(one, "gone", NOON, noted) == one
    [barred] = await store.access.suspensions()
    assert (barred.kind, barred.subject, barred.part) == ("user", "ana", "")
    told = [Alert(new_id(), "tokens", f"user:{user}", "day 1", 80, {}, NOON) for user in ("ana", "bia")]
    await store.alerts.put(told)
    await erasing.resume()
    assert await store.access.suspensions() == []
    assert [each.subject for each in await store.alerts.page(9, None)] == ["user:bia"]
    with pytest.raises(ApiKeyNotFound):
        await store.access.get(keys[0].id)
    assert (await store.access.get(keys[1].id)).key == keys[1]


async def test_of_many_at_once_there_is_one(store: Store, erasing: Erasing, chat: Conversation) -> None:
    await turn(store, chat)
    receipts = await asyncio.gather(*(erasing.erase(ANA, Scope.USER, "ana") for _ in range(5)))
    assert {receipt.counts["conversations"] for receipt in receipts} <= {0, 1}
    assert (
        sum(receipt.counts["conversations"] for receipt in {each.id: each for each in receipts}.values()) == 1
    )
    assert all(receipt.erased_at for receipt in receipts)


async def test_one_that_nobody_is_at_is_taken_over(store: Store, rows: Rows) -> None:
    one = Erasure(new_id(), Scope.USER, "ana", "hash", {"messages": 3}, NOON)
    later, noted = Instant(NOON + 30 * SECOND), deed(ROOT, "erase", "user:ana", {})
    await store.erasures.begin(one, "here", later, noted)
    assert await store.erasures.begin(replace(one, id=new_id()), "there", later, noted) == one
    assert await store.erasures.claim("here", NOON, later) is None
    assert await store.erasures.renew(one.id, "here", Instant(later + SECOND))
    assert not await store.erasures.renew(one.id, "there", later)
    found = await store.erasures.claim("there", Instant(later + 2 * SECOND), Instant(later + 9 * SECOND))
    assert found == one
    done = await store.erasures.done(one.id, later)
    assert done == replace(one, subject=None, erased_at=later)
    assert await store.erasures.claim("there", Instant(later * 2), later) is None
    assert await store.erasures.page(9, None) == [done]
    assert await store.erasures.page(9, one.id) == []
    assert await rows("SELECT count(*) FROM audit_log") == [(1,)]


async def test_a_run_that_nobody_ends_does_not_keep_it_waiting_for_ever(
    store: Store, erasing: Erasing, chat: Conversation, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prosa.services.erasure.PATIENCE", 0.2)
    await begin(store, chat)

    async def nothing(_principal: Principal, _run_id: str) -> None: ...

    monkeypatch.setattr(erasing, "_stop", nothing)
    await erasing.erase(ANA, Scope.USER, "ana")
    assert await rows.whose("ana") == {}


async def test_a_long_conversation_goes_in_pieces(store: Store, erasing: Erasing, chat: Conversation) -> None:
    await store.of(ANA).messages.seed([message(chat, f"word {place}") for place in range(450)])
    remains = store.of(ANA).remains
    assert [await remains.drop(chat.id) for _ in range(4)] == [True, True, True, False]
    assert await store.of(BIA).remains.conversations(None) == []
