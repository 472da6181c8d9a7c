"""API keys and suspensions on both databases: the operator's, and known to all nodes at once."""

import pytest
from msgspec.structs import replace
from tests.contract.conftest import Place
from tests.stores import NOON, Ears

from prosa.domain.access import (
    MOST_KEYS,
    ApiKey,
    ApiKeyNotFound,
    Suspension,
    SuspensionNotFound,
    TooManyApiKeys,
)
from prosa.domain.ids import new_id
from prosa.domain.keys import Sealed
from prosa.domain.limits import Cap
from prosa.domain.money import Picodollars
from prosa.domain.time import SECOND, Instant
from prosa.ports.store import Store

LATER = Instant(NOON + SECOND)


def api_key(user_id: str = "ana", **fields: object) -> ApiKey:
    made = ApiKey(new_id(), user_id, "acme", "laptop", "abcd", ("chat", "read"), NOON, "ana")
    return replace(made, **fields)


async def test_they_are_kept_as_they_were_given(store: Store) -> None:
    one, two = api_key(), api_key("bia", client_id="", scopes=("embed",), expires_at=LATER)
    one = replace(one, limits=Cap(tokens_per_day=0, cost_per_month=Picodollars(2**60)))
    await store.access.add(one, "hash-1", None)
    await store.access.add(two, "hash-2", Sealed(b"\x00\xff", "master"))
    found = await store.access.get(two.id)
    assert (found.key, found.hash, found.sealed) == (two, "hash-2", Sealed(b"\x00\xff", "master"))
    assert (await store.access.get(one.id)).sealed is None
    assert sorted(await store.access.many([one.id, two.id, new_id()]), key=lambda key: key.id) == [one, two]
    assert await store.access.sealed() == [(two, Sealed(b"\x00\xff", "master"))]
    with pytest.raises(ApiKeyNotFound):
        await store.access.get(new_id())


async def test_pages_of_one_user_and_of_all(store: Store) -> None:
    mine = [api_key() for _ in range(3)]
    theirs = api_key("bia")
    for each in (*mine, theirs):
        await store.access.add(each, "h", None)
    assert await store.access.page("ana", 2, None) == [mine[2], mine[1]]
    assert await store.access.page("ana", 2, mine[1].id) == [mine[0]]
    assert await store.access.page(None, 9, None) == [theirs, *mine[::-1]]
    assert await store.access.page(None, 9, mine[1].id) == [mine[0]]


async def test_revoked_for_good_and_by_its_user_alone(store: Store) -> None:
    one = api_key(scopes=("embed",))
    await store.access.add(one, "h", Sealed(b"x", "m"))
    for stranger in ("bia", "ANA", ""):
        with pytest.raises(ApiKeyNotFound):
            await store.access.revoke(one.id, stranger, NOON)
    assert (await store.access.revoke(one.id, "ana", NOON)).revoked_at == NOON
    assert (await store.access.revoke(one.id, None, LATER)).revoked_at == NOON
    assert await store.access.sealed() == []
    with pytest.raises(ApiKeyNotFound):
        await store.access.revoke(new_id(), None, NOON)


async def test_the_last_use_only_moves_on(store: Store) -> None:
    one = api_key()
    await store.access.add(one, "h", None)
    for at in (LATER, NOON):
        await store.access.used({one.id: at, new_id(): at})
    assert (await store.access.get(one.id)).key.last_used_at == LATER


async def test_a_user_has_no_endless_number_of_them(store: Store) -> None:
    for _ in range(MOST_KEYS):
        await store.access.add(api_key(), "h", None)
    with pytest.raises(TooManyApiKeys):
        await store.access.add(api_key(), "h", None)
    await store.access.add(api_key("bia"), "h", None)
    [newest] = await store.access.page("ana", 1, None)
    await store.access.revoke(newest.id, None, NOON)
    await store.access.add(api_key(), "h", None)


async def test_sealed_anew_only_where_it_is_still_the_same(store: Store) -> None:
    one = api_key()
    await store.access.add(one, "h", Sealed(b"old", "m"))
    assert not await store.access.reseal(one.id, Sealed(b"other", "m"), Sealed(b"new", "n"))
    assert await store.access.reseal(one.id, Sealed(b"old", "m"), Sealed(b"new", "n"))
    assert (await store.access.get(one.id)).sealed == Sealed(b"new", "n")


async def test_suspensions(store: Store) -> None:
    ana = Suspension("user", "ana", "", "spam", NOON, "op")
    acme = Suspension("client", "acme", "", "", LATER, "op")
    await store.access.suspend(ana)
    await store.access.suspend(acme)
    assert await store.access.suspensions() == [ana, acme]
    demoted = replace(ana, part="admin", reason="left the team")
    await store.access.suspend(demoted)
    assert await store.access.suspensions() == [demoted, acme]
    await store.access.lift("user", "ana")
    with pytest.raises(SuspensionNotFound):
        await store.access.lift("user", "ana")
    with pytest.raises(SuspensionNotFound):
        await store.access.lift("user", "acme")
    assert await store.access.suspensions() == [acme]


@pytest.mark.parametrize("place", ["postgres"], indirect=True)  # a file has one process
async def test_the_other_nodes_hear_of_it(place: Place, store: Store) -> None:
    ears, other = Ears(), place()
    await other.open(ears)
    try:
        one = api_key()
        await store.access.add(one, "h", None)
        await store.access.suspend(Suspension("user", "ana", "", "", NOON, "op"))
        await ears.until("access")
        await store.access.revoke(one.id, None, NOON)
        await ears.until("access", one.id)
    finally:
        await other.close()
