"""Signed tokens, read and made with one key by one algorithm; the library is loaded late, since a server
without tokens needs none."""

import base64
import binascii
import time
import warnings
from contextlib import nullcontext
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeGuard

import msgspec

from prosa.domain.errors import NotAuthenticated

if TYPE_CHECKING:
    from joserfc.jws import JWSRegistry

CLOCK_SKEW = 5
"""Seconds that another machine's clock may be ahead of ours."""
_LATEST = 1e15
"""No token is good for longer than that: so many seconds are a number that every computer can hold."""
_BROUGHT = {"jwk", "jku", "x5u", "x5c", "crit"}
"""What a header says to have its token checked with a key that it brings, or to be understood in a way that
nobody here knows."""


def load() -> None:
    """Loads the library (a twentieth of a second) before somebody waits for it."""
    import_module("joserfc.jwt")


def shared(secret: str) -> Any:
    """The key of those who both sign and check by `secret`."""
    from joserfc.jwk import OctKey

    return OctKey.import_key(secret.encode())


def encoded(claims: dict[str, Any], key: Any, kid: str | None = None) -> str:
    """A token over `claims`, signed with a shared key."""
    from joserfc import jwt

    named = {} if kid is None else {"kid": kid}
    return jwt.encode({"alg": "HS256", **named}, claims, key)


def head(token: str) -> tuple[str | None, str | None]:
    """The algorithm and the key that a token names. Raises NotAuthenticated."""
    first = token.partition(".")[0]
    try:
        said = msgspec.json.decode(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    except (ValueError, binascii.Error, msgspec.DecodeError, RecursionError) as error:
        raise NotAuthenticated from error
    if not isinstance(said, dict) or _BROUGHT & said.keys():
        raise NotAuthenticated
    algorithm, kid = said.get("alg"), said.get("kid")
    return algorithm if isinstance(algorithm, str) else None, kid if isinstance(kid, str) else None


def decoded(token: str, key: Any, algorithm: str) -> dict[str, Any]:
    """The claims of a token that this key has signed and that is in its time. Raises NotAuthenticated."""
    from joserfc import jwt
    from joserfc.errors import JoseError

    try:
        with warnings.catch_warnings() if algorithm == "EdDSA" else nullcontext():
            if algorithm == "EdDSA":  # what everybody calls Ed25519 has two names, and one of them is old
                warnings.simplefilter("ignore")
            read = jwt.decode(token, key, registry=_registry(algorithm))
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise NotAuthenticated from error
    said, claims = read.header, read.claims
    if _BROUGHT & said.keys() or not isinstance(claims, dict):
        raise NotAuthenticated
    now = time.time()
    expires, not_before = claims.get("exp"), claims.get("nbf", 0)
    if not _is_number(expires) or not _is_number(not_before):
        raise NotAuthenticated
    if not (not_before <= now + CLOCK_SKEW and now < expires < _LATEST):  # NaN is never in its time
        raise NotAuthenticated
    return claims


@cache
def _registry(algorithm: str) -> "JWSRegistry":
    """Headers may say what nobody here knows, as those of Clerk do, unless it is `crit`."""
    from joserfc.jws import JWSRegistry

    return JWSRegistry(algorithms=[algorithm], strict_check_header=False)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
