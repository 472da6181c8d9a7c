"""The public keys of whoever signs users' tokens: fetched once a minute at most, kept while he is down."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import Struct

from prosa.domain.errors import NotAuthenticated
from prosa.kit.log import log
from prosa.ports.access import KeyHost

ASYMMETRIC: Final = {
    "RS256": ("RSA", None), "RS384": ("RSA", None), "RS512": ("RSA", None),
    "PS256": ("RSA", None), "PS384": ("RSA", None), "PS512": ("RSA", None),
    "ES256": ("EC", "P-256"), "ES384": ("EC", "P-384"), "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"), "Ed25519": ("OKP", "Ed25519"),
}  # fmt: skip
"""The algorithms that are taken: what kind of key, and which curve, each needs."""

PAUSE = 60.0
"""Seconds between two fetches, whatever becomes of them."""
FRESH = 600.0
"""Seconds after which the keys are read again, while the ones that are known go on to serve."""
MOST_KEYS = 100
WEAK = 2048
"""Bits that an RSA key must have."""


_KINDS = frozenset(ASYMMETRIC.values())
_PARTS = {"kty", "crv", "x", "y", "n", "e"}
_SAME = {"EdDSA", "Ed25519"}
"""Two names of one algorithm."""


class Published(Struct, frozen=True, eq=False):
    """A public key, and what it may be used for; `plain` are its numbers, by which it is told from others."""

    key: Any
    kind: str
    curve: str | None
    algorithm: str | None
    plain: tuple[tuple[str, str], ...]

    def serves(self, algorithm: str) -> bool:
        stated = self.algorithm in (None, algorithm) or {self.algorithm, algorithm} == _SAME
        return stated and ASYMMETRIC[algorithm] == (self.kind, self.curve)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Published) and (self.plain, self.algorithm) == (other.plain, other.algorithm)

    def __hash__(self) -> int:
        return hash(self.plain)


class KeySet:
    """`changed` is called when a key that served is gone."""

    def __init__(self, host: KeyHost) -> None:
        self._host = host
        self._keys: dict[str, Published] = {}
        self._tried = float("-inf")
        self._fetching: asyncio.Task[None] | None = None
        self.changed: Callable[[], None] = _nothing

    async def key(self, algorithm: str, kid: str | None) -> Any:
        """The key that a token names; without a name the only one that could be meant. An unknown one is
        looked for, if that was not done within the last minute. Raises NotAuthenticated."""
        found = self._find(algorithm, kid)
        age = time.monotonic() - self._tried
        if age >= PAUSE and (found is None or age >= FRESH):
            fetching = self._fetch()
            if found is None:
                await asyncio.shield(fetching)
        elif found is None and self._fetching is not None:
            await asyncio.shield(self._fetching)
        found = found or self._find(algorithm, kid)
        if found is None:
            raise NotAuthenticated
        return found

    def freshen(self) -> None:
        """Has keys that grew stale read again, beside: tokens that are remembered need none, but must end
        with theirs."""
        if self._keys and time.monotonic() - self._tried >= FRESH:
            self._fetch()

    def _find(self, algorithm: str, kid: str | None) -> Any:
        if kid is not None:
            known = self._keys.get(kid)
            return known.key if known is not None and known.serves(algorithm) else None
        able = [known.key for known in self._keys.values() if known.serves(algorithm)]
        return able[0] if len(able) == 1 else None

    def _fetch(self) -> "asyncio.Task[None]":
        """The one that goes on, or a new one."""
        if self._fetching is None:
            self._tried = time.monotonic()
            self._fetching = asyncio.get_running_loop().create_task(self._renew(), name="prosa-jwks")
        return self._fetching

    async def _renew(self) -> None:
        """Raises nothing: what is known goes on to serve."""
        try:
            keys = await asyncio.to_thread(read, await self._host.fetch())
        except (OSError, TimeoutError, ValueError) as error:
            log.warning("jwks_unavailable", reason=type(error).__name__, keys=len(self._keys))
        else:
            gone = any(keys.get(kid) != known for kid, known in self._keys.items())
            self._keys = keys
            if gone:
                self.changed()
        finally:
            self._fetching = None


def _nothing() -> None:
    """Nobody wants to know."""


def read(raw: bytes) -> dict[str, Published]:
    """The keys that may check signatures, by their names (those without any by their places). Raises
    ValueError where there is none."""
    try:
        told = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError("no JSON") from error
    listed = told.get("keys") if isinstance(told, dict) else None
    keys: dict[str, Published] = {}
    for each in (listed if isinstance(listed, list) else [])[:MOST_KEYS]:
        if isinstance(each, dict) and (key := _public(each)) is not None:
            keys.setdefault(each.get("kid", f"\0{len(keys)}"), key)
    if not keys:
        raise ValueError("no keys")
    return keys


def _public(told: dict[str, Any]) -> Published | None:
    """None for what is no public key that checks signatures, or too weak a one."""
    from joserfc import jwk  # late: who has no published keys needs none of it
    from joserfc.errors import JoseError

    kind, curve, algorithm = told.get("kty"), told.get("crv"), told.get("alg")
    if not isinstance(told.get("kid", ""), str) or told.get("use", "sig") != "sig":
        return None
    if not all(isinstance(each, str | None) for each in (kind, curve, algorithm)) or kind is None:
        return None
    if (kind, curve) not in _KINDS or algorithm not in (None, *ASYMMETRIC):
        return None
    if kind == "RSA" and not (isinstance(told.get("n"), str) and len(told["n"]) * 6 >= WEAK):
        return None
    plain = {name: value for name, value in told.items() if name in _PARTS}
    try:
        key = jwk.import_key(plain)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return Published(key, kind, curve, algorithm, tuple(sorted(plain.items())))
