"""Retention on both databases: what is too old goes, by kind and by client, and nothing else does."""

import asyncio
from pathlib import Path

import pytest
from tests.contract.test_store_erasure import Rows, rows  # noqa: F401 - a fixture
from tests.stores import ANA, BIA, NOON, append, begin, conversation, ending, file, message

from prosa.adapters.blobs.folder import Folder
from prosa.adapters.store.sqlite.store import SqliteStore
from prosa.domain.answers import PUBLIC, KeptAnswer
from prosa.domain.errors import StoreUnavailable
from prosa.domain.ids import first_id, new_id
from prosa.domain.principal import Principal
from prosa.domain.rates import Count, Slot
from prosa.domain.retention import Keep, Retention
from prosa.domain.time import DAY, SECOND, Instant, now
from prosa.ports.store import Store
from prosa.services.files.files import Files
from prosa.services.files.rules import Rules
from prosa.services.retention import Sweeper

ACME = Principal("ana", "acme")
LONG_AGO = Instant(NOON - 40 * DAY)
POLICY = Retention(messages=30, files=30, journal=30, cache=30)


class Home:
    """A store with a folder of files, and what there is in both."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.blobs = Folder(folder / "files")
        self.blobs.prepare()
        self.files = Files(store, self.blobs, Rules())

    def sweeper(self, policy: Retention = POLICY) -> Sweeper:
        return Sweeper(self.store, self.files, policy, "here")

    async def conversation(self, at: Instant, owner: Principal = ANA, changed: Instant | None = None) -> str:
        """A turn and a file from then."""
        wanted = conversation(owner, id=id_of(at), created_at=at, updated_at=at)
        made, _ = await self.store.of(owner).conversations.create(wanted)
        begun = await begin(
            self.store, made, run_id=id_of(at), now=at, attachments=(await self.file(at, owner),)
        )
        done = ending(begun.run, ended_at=Instant(at + SECOND))
        await self.store.engine.commit(begun.run.owner, [append(begun.run, 1, b"{}")], [done])
        if changed is not None:
            await self.store.of(owner).messages.append(message(made, created_at=changed), at_head=True)
        return made.id

    async def file(self, at: Instant, owner: Principal = ANA) -> str:
        made = file(owner, id=id_of(at), created_at=at)
        draft = self.blobs.begin()
        draft.write(b"x")
        draft.keep(made.id)
        await self.store.of(owner).files.add(made, None)
        return made.id

    async def answer(
        self,
        at: Instant,
        owner: Principal = ANA,
        ever: Instant = Instant(NOON * 2),  # noqa: B008 - frozen
    ) -> None:
        one = id_of(at)
        kept = (one, owner.user_id, owner.client_id, one, "f", "p", "m", "Hi.", None, None, None, at, ever)
        await self.store.of(owner).answers.keep(KeptAnswer(*kept))


def id_of(at: Instant) -> str:
    """A new id, as if it had been made then."""
    return first_id(at)[:24] + new_id()[24:]


@pytest.fixture
def home(store: Store, tmp_path: Path) -> Home:
    return Home(store, tmp_path)


def blobs(home: Home) -> set[str]:
    return {name for names in home.blobs.kept(Instant(2**60)) for name in names}


async def test_nothing_goes_where_nothing_is_said(home: Home, rows: Rows) -> None:  # noqa: F811
    await home.conversation(LONG_AGO)
    before = await rows.whose("ana")
    assert await home.sweeper(Retention()).sweep(NOON) == {}
    assert await rows.whose("ana") == before


async def test_conversations_in_which_nothing_happens_go_as_a_whole(home: Home, rows: Rows) -> None:  # noqa: F811
    old, young = await home.conversation(LONG_AGO), await home.conversation(NOON)
    awake = await home.conversation(LONG_AGO, changed=Instant(NOON - DAY))
    swept = await home.sweeper(Retention(messages=30)).sweep(NOON)
    assert swept == {"messages": 1}
    left = {str(row[0]) for row in await rows("SELECT id FROM conversations")}
    assert (left, old in left) == ({young, awake}, False)
    found = await rows.whose("ana")
    assert (found["runs"], found["journal"], found["ai_usage"]) == (2, 2, 3)
    assert len(blobs(home)) == found["files"] == 2


async def test_each_kind_by_itself(home: Home, rows: Rows) -> None:  # noqa: F811
    for at in (LONG_AGO, NOON):
        await home.conversation(at)
        await home.answer(at)
    before = await rows.whose("ana")
    for kind, table in (("journal", "journal"), ("cache", "answer_cache"), ("files", "files")):
        assert await home.sweeper(Retention(**{kind: 30})).sweep(NOON) == {kind: 1}
        assert await rows(f"SELECT count(*) FROM {table}") == [(1,)]
        assert await home.sweeper(Retention(**{kind: 30})).sweep(NOON) == {}
    after = await rows.whose("ana")
    assert after == before | {"journal": 1, "answer_cache": 1, "files": 1, "attachments": 1}
    assert len(blobs(home)) == 1


async def test_answers_that_expired_go_though_nothing_is_said(home: Home, rows: Rows) -> None:  # noqa: F811
    for owner in (ANA, ACME, PUBLIC):
        await home.answer(LONG_AGO, owner, ever=Instant(LONG_AGO + SECOND))
    await home.answer(LONG_AGO, BIA)
    assert await home.sweeper(Retention()).sweep(NOON) == {"cache": 3}
    assert await rows("SELECT user_id FROM answer_cache") == [("bia",)]


async def test_no_count_of_requests_outlives_its_minute(home: Home, rows: Rows) -> None:  # noqa: F811
    if isinstance(home.store, SqliteStore):
        return  # they are in memory
    rates = home.store.rates
    await rates.take([Count("user:ana", 9)], Slot(NOON // (60 * SECOND) - 2, 0.5))
    await rates.take([Count("user:bia", 9)], Slot(NOON // (60 * SECOND), 0.5))
    await rates.enter([Count("user:ana", 9)], "a node that died")
    await home.sweeper(Retention()).sweep(Instant(NOON))
    assert await rows("SELECT key FROM rates") == [("user:bia",)]
    await home.sweeper(Retention()).sweep(Instant(now() + DAY))
    assert await rows("SELECT key FROM places") == []


async def test_clients_have_their_own(home: Home, rows: Rows) -> None:  # noqa: F811
    ten = Instant(NOON - 10 * DAY)
    short, usual, ever = await home.conversation(ten, ACME), await home.conversation(ten), LONG_AGO
    for owner in (BIA, ACME, Principal("eva", "museum")):
        await home.conversation(ever, owner)
    clients = {"acme": Keep(messages=5, files="forever"), "museum": Keep(messages="forever")}
    swept = await home.sweeper(Retention(messages=30, clients=clients)).sweep(NOON)
    assert swept == {"messages": 3}
    left = {str(row[0]): row[1] for row in await rows("SELECT id, client_id FROM conversations")}
    assert (short in left, left.pop(usual), list(left.values())) == (False, "", ["museum"])


@pytest.mark.hostile(20)
async def test_it_goes_on_where_it_broke_off(home: Home, rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    for _ in range(3):
        await home.conversation(LONG_AGO)
    left = 2

    async def full(_ids: object) -> None:
        nonlocal left
        left -= 1
        if not left:
            raise StoreUnavailable

    monkeypatch.setattr(home.files, "_remove", full)
    policy = Retention(messages=30)
    with pytest.raises(StoreUnavailable):
        await home.sweeper(policy).sweep(NOON)
    monkeypatch.undo()
    assert await home.sweeper(policy).sweep(NOON) == {"messages": 1}
    assert await rows.whose("ana") == {"ai_usage": 3}


async def test_what_comes_alive_meanwhile_stays(store: Store) -> None:
    made, _ = await store.of(ANA).conversations.create(conversation(created_at=LONG_AGO, updated_at=LONG_AGO))
    assert not await store.of(BIA).remains.expire(made.id, NOON)
    assert not await store.of(ANA).remains.expire(made.id, LONG_AGO)
    assert await store.of(ANA).remains.expire(made.id, NOON)


async def test_one_node_sees_to_it(store: Store) -> None:
    alone = type(store).__name__ == "SqliteStore"
    later = Instant(NOON + SECOND)
    assert await store.ages.take("x", "here", NOON, later)
    assert await store.ages.take("x", "here", NOON, later)
    assert await store.ages.take("x", "there", NOON, later) == alone
    assert await store.ages.take("x", "there", Instant(later + 1), Instant(later + SECOND))
    held = await asyncio.gather(*(store.ages.take("y", f"node-{n}", NOON, later) for n in range(8)))
    assert sum(held) == (8 if alone else 1)
