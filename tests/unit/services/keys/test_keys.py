"""The operator's keys: what is done with them reaches the models in use, and a wrong or moved seal nobody."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs
from tests.stores import sqlite_store

from prosa.adapters.models.fake.client import FakeModel
from prosa.adapters.vault.vault import Vault
from prosa.domain.errors import (
    InvalidRequest,
    KeyNotFound,
    KeyRetired,
    MisconfiguredError,
    NoSuchProvider,
    NoUsableKey,
    ProviderKeyRefused,
    ProviderNotConfigured,
    QuotaExhausted,
)
from prosa.domain.ids import new_id
from prosa.domain.keys import KeyState, place_of
from prosa.domain.models import Asked, ChatRequest, ModelEvent, Role, TextDelta, Turn
from prosa.domain.principal import Principal
from prosa.services.keys.keys import Keys
from prosa.services.models.keyed import Keyed

OP = Principal("op")
CANARY = "canary-0123456789-abcdefghij-6789"
ONE, TWO = "11" * 32, "22" * 32


class Room:
    """Keys over a store of their own, and a provider whose model says with which key it was asked."""

    def __init__(
        self, folder: Path, *, key: str | None = None, old: str | None = None, own: bool = False
    ) -> None:
        self.store = sqlite_store(folder)
        self.file = folder / "prosa.db.key"
        self.vault = Vault(key, old, self.file)
        self.keys = Keys(self.store, self.vault)
        self.refused: dict[str, Any] = {}
        self.closed: list[str] = []
        environment = self.model("environment") if own else None
        self.ring = self.keys.ring("openai", self.model, environment)
        self.keyed = Keyed(self.ring)

    def model(self, secret: str) -> FakeModel:
        room = self

        class Speaking(FakeModel):
            async def close(self) -> None:
                room.closed.append(secret)
                await super().close()

        def script(_request: ChatRequest) -> list[Any]:
            return [self.refused[secret]] if secret in self.refused else [secret]

        return Speaking(script, provider="openai")

    async def __aenter__(self) -> "Room":
        await self.store.open(lambda _kind, _ids: None)
        try:
            await self.keys.open()
        except BaseException:
            await self.store.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.keys.close()
        await self.keyed.close()
        await self.store.close()

    async def add(self, secret: str, **fields: Any) -> str:
        fields = {"label": "", "weight": 1, "by": OP, **fields}
        return (await self.keys.add("openai", secret, **fields)).key.id

    async def ask(self) -> tuple[str, str | None]:
        """(what was said, with which key)."""
        said: list[ModelEvent] = [event async for event in self.keyed.stream(ASKED)]
        asked = [event for event in said if isinstance(event, Asked)]
        return "".join(each.text for each in said if isinstance(each, TextDelta)), asked[-1].key

    async def states(self) -> dict[str, KeyState]:
        return {each.key.id: each.key.state for each in await self.keys.list(by=OP)}


ASKED = ChatRequest("m", (Turn(Role.USER, "x"),))


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with Room(tmp_path) as made:
        yield made


async def test_a_key_serves_as_soon_as_it_is_added(room: Room) -> None:
    with pytest.raises(ProviderNotConfigured):
        await room.ask()
    assert not room.ring
    key = await room.add("first-key")
    assert await room.ask() == ("first-key", key)
    assert room.keys.providers == ["openai"]


async def test_it_serves_beside_the_key_of_the_environment_by_its_weight(tmp_path: Path) -> None:
    async with Room(tmp_path, own=True) as room:
        assert await room.ask() == ("environment", None)
        await room.add("stored", weight=3)
        said = [(await room.ask())[0] for _ in range(8)]
        assert (said.count("stored"), said.count("environment")) == (6, 2)


async def test_the_environments_key_needs_nothing_of_all_this(tmp_path: Path) -> None:
    async with Room(tmp_path, own=True) as room:
        assert await room.ask() == ("environment", None)
        assert not room.file.exists()
    file = tmp_path / "prosa.db.key"
    file.write_text("no key at all")
    async with Room(tmp_path, own=True) as room:
        assert await room.ask() == ("environment", None)


async def test_it_is_there_after_a_restart(room: Room, tmp_path: Path) -> None:
    key = await room.add(CANARY, label="l", weight=7)
    await room.store.close()
    async with Room(tmp_path) as again:
        assert await again.ask() == (CANARY, key)
        (listed,) = await again.keys.list(by=OP)
        assert (listed.key.label, listed.key.weight, listed.key.hint) == ("l", 7, "6789")
        assert listed.last_used_at is None


async def test_a_new_key_takes_an_old_ones_place_under_running_answers(room: Room) -> None:
    key = await room.add("old-key")
    stream = room.keyed.stream(ASKED)
    assert await anext(stream) == Asked("openai", "m", key)
    rotated = await room.keys.rotate(key, "new-key", by=OP)
    assert await room.ask() == ("new-key", rotated.key.id)
    assert "old-key" not in room.closed[1:]  # once it was tried before it was stored
    rest = [event async for event in stream]
    assert TextDelta("old-key") in rest
    await room.keyed.close()
    assert room.closed.count("old-key") == 2
    assert await room.states() == {key: KeyState.RETIRED, rotated.key.id: KeyState.ACTIVE}
    with pytest.raises(KeyRetired):
        await room.keys.rotate(key, "newer-key", by=OP)


async def test_a_retired_key_is_used_no_more(room: Room) -> None:
    key = await room.add("only-key")
    for _ in range(2):
        await room.keys.retire(key, by=OP)
    with pytest.raises(NoUsableKey):
        await room.ask()
    with pytest.raises(KeyNotFound):
        await room.keys.retire(new_id(), by=OP)


@pytest.mark.parametrize("error", [ProviderKeyRefused, QuotaExhausted])
async def test_a_key_that_is_refused_is_set_aside_and_said_so(
    tmp_path: Path, error: type[ProviderKeyRefused]
) -> None:
    async with Room(tmp_path) as room:
        bad, good = await room.add("bad-key"), await room.add("good-key")
        room.refused["bad-key"] = error("openai", status=401)
        with capture_logs() as logs:
            assert {(await room.ask())[0] for _ in range(4)} == {"good-key"}
        await room.keys.close()
        assert await room.states() == {bad: KeyState.SET_ASIDE, good: KeyState.ACTIVE}
        listed = (await room.keys.list(by=OP))[0].key
        assert listed.reason == error.code
        assert listed.set_aside_at is not None
        assert [each["key"] for each in logs if each["event"] == "key_set_aside"] == [bad]
    async with Room(tmp_path) as again:  # where it is still known
        again.refused["bad-key"] = AssertionError("it was asked")
        assert {(await again.ask())[0] for _ in range(4)} == {"good-key"}


async def test_a_key_that_works_again_is_back(tmp_path: Path) -> None:
    async with Room(tmp_path) as room:
        key = await room.add("the-key")
        room.refused["the-key"] = QuotaExhausted("openai")
        with pytest.raises(QuotaExhausted):
            await room.ask()
        await room.keys.close()
        assert await room.states() == {key: KeyState.SET_ASIDE}
        del room.refused["the-key"]
        (held,) = room.ring._held
        held.aside_since -= 61
        assert await room.ask() == ("the-key", key)
        await room.keys.close()
        assert await room.states() == {key: KeyState.ACTIVE}


@pytest.mark.parametrize("secret", ["", " ", "a b", "a\nb", "á", "a\x7f", "k" * 2_001])
async def test_what_can_not_be_a_key(room: Room, secret: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await room.add(secret)
    assert len(secret) < 2 or secret not in str(caught.value)
    assert await room.keys.list(by=OP) == []


async def test_a_provider_that_takes_none(room: Room) -> None:
    with pytest.raises(NoSuchProvider, match="openai"):
        await room.keys.add("nobody", "k", label="", weight=1, by=OP)


@pytest.mark.hostile(22)
async def test_swapped_rows_are_refused(tmp_path: Path) -> None:
    async with Room(tmp_path) as room:
        one, two, three = await room.add("one"), await room.add("two"), await room.add("three")
        sealed = {each.key.id: each.sealed for each in await room.store.keys.all()}
        assert await room.store.keys.reseal(one, sealed[one], sealed[two])
        assert await room.store.keys.reseal(two, sealed[two], sealed[one])
    with capture_logs() as logs:
        async with Room(tmp_path) as again:
            assert {await again.ask() for _ in range(4)} == {("three", three)}
            states = await again.states()
            assert states == {one: KeyState.SET_ASIDE, two: KeyState.SET_ASIDE, three: KeyState.ACTIVE}
            assert {each.key.reason for each in await again.keys.list(by=OP)} == {"seal_broken", None}
    assert {each["key"] for each in logs if each["event"] == "provider_key_unreadable"} == {one, two}


@pytest.mark.hostile(23)
@pytest.mark.parametrize("wrong", ["another", "lost", "garbled"])
async def test_with_another_master_key_nothing_starts_and_nothing_is_written(
    tmp_path: Path, wrong: str
) -> None:
    async with Room(tmp_path, key=ONE if wrong == "another" else None) as room:
        key = await room.add(CANARY)
    file = tmp_path / "prosa.db.key"
    if wrong == "lost":
        file.unlink()
    elif wrong == "garbled":
        file.write_text(f"{TWO}\n")
    before = files(tmp_path)
    with pytest.raises(MisconfiguredError, match="another master key"):
        await Room(tmp_path, key=TWO if wrong == "another" else None).__aenter__()
    assert files(tmp_path) == before
    if wrong == "another":
        async with Room(tmp_path, key=ONE) as again:
            assert await again.ask() == (CANARY, key)


async def test_a_node_without_the_master_key_leaves_keys_to_others(tmp_path: Path) -> None:
    """It goes on with those that it has opened, and takes none from the nodes that can open them."""
    async with Room(tmp_path, key=ONE) as room:
        one = await room.add("one")
        (before,) = await room.store.keys.all()
        anew = Vault(TWO, None, None).seal("one", place_of(before.key))
        await room.store.keys.reseal(one, before.sealed, anew)
        other = replace(before.key, id=new_id())
        await room.store.keys.add(other, Vault(TWO, None, None).seal("two", place_of(other)))
        with capture_logs() as logs:
            await room.keys.refresh()
        assert [each["key"] for each in logs if each["event"] == "provider_key_unused"] == [other.id]
        assert {await room.ask() for _ in range(3)} == {("one", one)}
        assert set((await room.states()).values()) == {KeyState.ACTIVE}
    async with Room(tmp_path, key=TWO) as room:
        assert {(await room.ask())[0] for _ in range(2)} == {"one", "two"}


async def test_no_key_is_added_beside_keys_of_another_master(tmp_path: Path) -> None:
    """As where two nodes were given different ones."""
    async with Room(tmp_path, key=ONE) as room:
        await room.add("one")
        room.keys.masters._vault = Vault(TWO, None, None)
        with pytest.raises(MisconfiguredError, match="another master key"):
            await room.add("two")
        assert len(await room.keys.list(by=OP)) == 1


def files(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.iterdir()}


async def under(room: Room) -> set[str]:
    """The master keys that what is stored is sealed under."""
    return {each.sealed.master for each in await room.store.keys.all() if each.sealed is not None}


async def test_the_master_key_in_the_file_gives_way(tmp_path: Path) -> None:
    async with Room(tmp_path) as room:
        one, gone = await room.add("one"), await room.add("gone")
        await room.keys.retire(gone, by=OP)
        before, kept = await under(room), room.file.read_text()
        assert await room.keys.rotate_master(by=OP) == 1
        assert not await under(room) & before
        assert kept.strip() not in room.file.read_text()
        assert len(room.file.read_text().split()) == 1
        two = await room.add("two")
    async with Room(tmp_path) as again:
        assert {await again.ask() for _ in range(2)} == {("one", one), ("two", two)}


async def test_the_master_key_that_is_set_gives_way(tmp_path: Path) -> None:
    async with Room(tmp_path, key=ONE) as room:
        for secret in ("one", "two"):
            await room.add(secret)
        with pytest.raises(MisconfiguredError, match="PROSA_SECRET_KEY_OLD"):
            await room.keys.rotate_master(by=OP)
    async with Room(tmp_path, key=TWO, old=ONE) as room:
        assert len(await under(room)) == 1  # a restart with both alone does not begin it
        assert await room.keys.rotate_master(by=OP) == 2
        assert await room.keys.rotate_master(by=OP) == 0
    async with Room(tmp_path, key=TWO) as room:
        assert {(await room.ask())[0] for _ in range(2)} == {"one", "two"}


async def test_from_the_file_to_the_setting(tmp_path: Path) -> None:
    async with Room(tmp_path) as room:
        await room.add("one")
    async with Room(tmp_path, key=ONE) as room:
        assert await room.ask()
        assert await room.keys.rotate_master(by=OP) == 1
    (tmp_path / "prosa.db.key").unlink()
    async with Room(tmp_path, key=ONE) as room:
        assert (await room.ask())[0] == "one"


@pytest.mark.hostile(23)
@pytest.mark.parametrize("done", range(5))
@pytest.mark.parametrize("given", [False, True], ids=["file", "setting"])
async def test_a_rotation_that_broke_off_is_ended_by_the_next_start(
    tmp_path: Path, done: int, given: bool
) -> None:
    """Left after so many of the four keys, as by a kill."""
    settings: dict[str, Any] = {"key": TWO, "old": ONE} if given else {}
    async with Room(tmp_path, key=ONE if given else None) as room:
        secrets = {f"key-{place}" for place in range(4)}
        for secret in secrets:
            await room.add(secret)
    async with Room(tmp_path, **settings) as room:
        room.vault.renew()
        for each in (await room.store.keys.all())[:done]:
            place = place_of(each.key)
            after = room.vault.seal(room.vault.open(each.sealed, place), place)
            assert await room.store.keys.reseal(each.key.id, each.sealed, after)
    async with Room(tmp_path, **settings) as again:
        assert {(await again.ask())[0] for _ in range(4)} == secrets
        ended = done > 0 or not given
        assert await under(again) == {again.vault.masters()[0 if ended else 1]}
        assert await again.keys.rotate_master(by=OP) == (0 if given and done else 4)
        assert {(await again.ask())[0] for _ in range(4)} == secrets


async def test_a_key_that_does_not_open_keeps_the_old_master_key(tmp_path: Path) -> None:
    async with Room(tmp_path) as room:
        one, two = await room.add("one"), await room.add("two")
        sealed = {each.key.id: each.sealed for each in await room.store.keys.all()}
        await room.store.keys.reseal(one, sealed[one], sealed[two])
        assert await room.keys.rotate_master(by=OP) == 1
        assert len(room.vault.masters()) == 2
        await room.keys.retire(one, by=OP)
        assert await room.keys.rotate_master(by=OP) == 0
        assert len(room.vault.masters()) == 1


async def test_keys_come_and_go_while_the_master_key_changes(tmp_path: Path) -> None:
    async with Room(tmp_path) as room:
        await asyncio.gather(
            *(room.add(f"key-{place}") for place in range(10)),
            *(room.keys.rotate_master(by=OP) for _ in range(3)),
        )
    async with Room(tmp_path) as again:
        assert len({(await again.ask())[0] for _ in range(10)}) == 10


@pytest.mark.hostile(21)
async def test_a_key_is_nowhere_in_the_clear(tmp_path: Path) -> None:
    with capture_logs() as logs:
        async with Room(tmp_path) as room:
            key = await room.add(CANARY, label="l")
            await room.keys.rotate(key, CANARY[::-1], by=OP)
            await room.keys.rotate_master(by=OP)
            listed = repr(await room.keys.list(by=OP)) + repr(await room.store.keys.all()) + repr(room.vault)
    stored = b"".join(files(tmp_path).values()).decode("latin-1")
    everything = repr(logs) + listed + stored
    for secret in (CANARY, CANARY[::-1]):
        assert secret not in everything
        assert secret[:12] not in everything
    assert {"provider_key_added", "provider_key_rotated", "master_key_rotated"} <= {
        each["event"] for each in logs
    }
