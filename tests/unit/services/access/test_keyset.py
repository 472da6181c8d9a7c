"""The published keys: which are taken, when they are asked for, and that the known ones serve meanwhile."""

import asyncio
import json
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey
from tests.keyhost import KEYS, published

from prosa.domain.errors import NotAuthenticated
from prosa.services.access import keyset
from prosa.services.access.keyset import KeySet, read


class Host:
    def __init__(self, *answers: bytes | Exception) -> None:
        self.answers = list(answers)
        self.asked = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def fetch(self) -> bytes:
        self.asked += 1
        await self.gate.wait()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


class Clock:
    now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(keyset, "time", made)
    return made


async def refused(keys: KeySet, algorithm: str = "RS256", kid: str | None = "unknown") -> None:
    with pytest.raises(NotAuthenticated):
        await keys.key(algorithm, kid)


@pytest.mark.hostile(6)
async def test_a_thousand_unknown_names_are_one_fetch_a_minute(clock: Clock) -> None:
    host = Host(published("rsa"))
    keys = KeySet(host)
    await keys.key("RS256", "rsa")
    for minute in range(3):
        await asyncio.gather(*(refused(keys, kid=f"k{number}") for number in range(1_000)))
        assert host.asked == 1 + minute
        clock.now += 59.9
        await refused(keys)
        assert host.asked == 1 + minute
        clock.now += 0.1


@pytest.mark.hostile(6)
async def test_all_who_come_at_once_wait_for_one_fetch(clock: Clock) -> None:
    host = Host(published())
    host.gate.clear()
    keys = KeySet(host)
    waiting = [asyncio.create_task(keys.key("RS256", "rsa")) for _ in range(50)]
    await asyncio.sleep(0)
    waiting[0].cancel()  # who leaves takes nobody along
    host.gate.set()
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert host.asked == 1
    assert isinstance(found[0], asyncio.CancelledError)
    assert len({id(key) for key in found[1:]}) == 1


@pytest.mark.hostile(6)
@pytest.mark.parametrize(
    "failure",
    [OSError(), TimeoutError(), ValueError(), b"", b"{}", b"[]", b'{"keys": []}', b"\xff", b"[" * 9_999],
)
async def test_while_the_host_is_down_the_known_keys_serve(clock: Clock, failure: bytes | Exception) -> None:
    host = Host(published("rsa"), failure)
    keys = KeySet(host)
    known = await keys.key("RS256", "rsa")
    for _ in range(5):
        clock.now += 3_600
        assert await keys.key("RS256", "rsa") is known
        await refused(keys)
    assert 5 <= host.asked <= 6


async def test_a_new_key_is_found_and_one_that_is_gone_serves_no_more(clock: Clock) -> None:
    host = Host(published("rsa"), published("ec-256"))
    keys, told = KeySet(host), []
    keys.changed = lambda: told.append("changed")
    await keys.key("RS256", "rsa")
    clock.now += 60
    await keys.key("ES256", "ec-256")
    await refused(keys, "RS256", "rsa")
    assert told == ["changed"]


async def test_keys_grow_stale_and_are_read_again_while_they_serve(clock: Clock) -> None:
    host = Host(published("rsa"))
    keys = KeySet(host)
    known = await keys.key("RS256", "rsa")
    clock.now += keyset.FRESH
    host.gate.clear()
    assert await keys.key("RS256", "rsa") is known
    await asyncio.sleep(0)
    assert host.asked == 2
    host.gate.set()


async def test_without_a_name_only_the_one_that_could_be_meant(clock: Clock) -> None:
    keys = KeySet(Host(published("rsa", "ec-256", "ec-384")))
    for algorithm in ("RS256", "PS512", "ES256", "ES384"):
        await keys.key(algorithm, None)
    await refused(keys, "ES512", None)
    await refused(KeySet(Host(published())), "RS256", None)


@pytest.mark.parametrize(
    ("name", "algorithms"),
    [("rsa", "RS256 RS384 RS512 PS256 PS384 PS512"), ("rsa-256", "RS256"), ("ec-256", "ES256"), ("ec-384", "ES384"),
     ("ec-521", "ES512"), ("ed", "EdDSA Ed25519")],
)  # fmt: skip
def test_a_key_serves_its_own_algorithms_alone(name: str, algorithms: str) -> None:
    known = read(published(name))[name]
    assert {each for each in keyset.ASYMMETRIC if known.serves(each)} == set(algorithms.split())


def odd(**fields: Any) -> dict[str, Any]:
    return KEYS["rsa"].as_dict(private=False) | fields


@pytest.mark.parametrize(
    "told",
    [None, "rsa", 7, [], {}, odd(kty="oct"), odd(kty=None), odd(kty=["RSA"]), odd(use="enc"), odd(kid=7), odd(alg="HS256"), odd(alg="none"),
     odd(alg=["RS256"]), odd(n=None), odd(n="AQAB"), odd(n="A" * 171), odd(n="!" * 400), odd(e=None), odd(crv="P-256"),
     OctKey.generate_key(256).as_dict(), OKPKey.generate_key("X25519").as_dict(private=False),
     OKPKey.generate_key("Ed448").as_dict(private=False), ECKey.generate_key("secp256k1").as_dict(private=False)],
    ids=range(23),
)  # fmt: skip
def test_what_is_no_key_for_signatures_is_passed_over(told: Any) -> None:
    with pytest.raises(ValueError, match="no keys"):
        read(json.dumps({"keys": [told]}).encode())
    raw = json.dumps({"keys": [told, KEYS["ec-256"].as_dict(private=False)]}).encode()
    assert list(read(raw)) == ["ec-256"]


def test_the_private_half_is_not_kept() -> None:
    raw = json.dumps({"keys": [KEYS["rsa"].as_dict(private=True)]}).encode()
    assert not read(raw)["rsa"].key.is_private


def test_a_set_is_not_endless() -> None:
    many = [odd(kid=str(number)) for number in range(150)]
    assert len(read(json.dumps({"keys": many}).encode())) == keyset.MOST_KEYS


async def test_tokens_that_are_remembered_have_stale_keys_read_again(clock: Clock) -> None:
    host = Host(published("rsa"), published("ec-256"))
    keys, gone = KeySet(host), asyncio.Event()
    keys.changed = gone.set
    keys.freshen()
    assert host.asked == 0  # no token has come yet
    await keys.key("RS256", "rsa")
    keys.freshen()
    clock.now += keyset.FRESH
    for _ in range(3):
        keys.freshen()
    async with asyncio.timeout(5):
        await gone.wait()
    assert host.asked == 2
