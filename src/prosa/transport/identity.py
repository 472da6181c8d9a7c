"""Who is calling: a token in a header or a cookie becomes a principal, and nothing else does."""

import time
from collections import OrderedDict
from typing import Any, TypeGuard

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from starlette.types import Scope

from prosa.domain.errors import NotAuthenticated
from prosa.domain.principal import LOCAL, RESERVED, Principal
from prosa.kit.text import well_formed

MOST_CACHED = 10_000
LONGEST_TOKEN = 8_192
LONGEST_NAME = 255
CLOCK_SKEW = 5
"""Seconds that another machine's clock may be ahead of ours."""
SIGN_IN = "prosa-sign-in"
"""The `aud` of the token in a sign-in link: it opens a session and is good for nothing else."""


class Identity:
    """Checks HS256 tokens against `secret`; without one, everybody is the local user.

    A checked token is remembered until it expires: a check costs 75 µs.
    """

    def __init__(
        self, secret: str | None, cookie: str, issuer: str | None = None, audience: str | None = None
    ) -> None:
        self._key = None if secret is None else OctKey.import_key(secret.encode())
        self.cookie = cookie
        self._issuer = issuer
        self._audience = audience
        self._known: OrderedDict[str, tuple[Principal, float]] = OrderedDict()

    @property
    def local(self) -> bool:
        return self._key is None

    @property
    def audience(self) -> dict[str, str]:
        """The `aud` claim that our own tokens need."""
        return {} if self._audience is None else {"aud": self._audience}

    def of(self, scope: Scope) -> Principal:
        """Raises NotAuthenticated."""
        if self._key is None:
            return LOCAL
        return self.check(bearer(scope) or cookie(scope, self.cookie))

    def check(self, token: str | None) -> Principal:
        """Whose token this is. Raises NotAuthenticated, also once a token that was good has expired."""
        if not token or len(token) > LONGEST_TOKEN:
            raise NotAuthenticated
        known = self._known.get(token)
        if known is not None:
            principal, until = known
            if until > time.time():
                return principal
            del self._known[token]
            raise NotAuthenticated
        principal, until = self._verified(token)
        self._known[token] = principal, until
        if len(self._known) > MOST_CACHED:
            self._known.popitem(last=False)
        return principal

    def forgeable(self, scope: Scope) -> bool:
        """Whether another site could have made the browser send this: a cookie comes by itself, so the
        browser must say where from. (A foreign `Origin` was refused before.)

        Nothing is asked of what changes nothing: without CORS another site can't read the answer, and over
        plain http browsers say nothing of where a GET comes from."""
        if self._key is None or scope["method"] in ("GET", "HEAD") or bearer(scope):
            return False
        told = header(scope, b"origin") is not None
        return not told and header(scope, b"sec-fetch-site") not in ("same-origin", "none")

    def _verified(self, token: str) -> tuple[Principal, float]:
        claims = self.claims(token)
        if claims.get("aud") == SIGN_IN:
            raise NotAuthenticated
        if self._issuer is not None and claims.get("iss") != self._issuer:
            raise NotAuthenticated
        if self._audience is not None and self._audience not in _several(claims.get("aud")):
            raise NotAuthenticated
        return principal_of(claims), float(claims["exp"])

    def claims(self, token: str) -> dict[str, Any]:
        """The claims of a token that is signed by us and in its time. Raises NotAuthenticated."""
        if self._key is None:
            raise NotAuthenticated
        try:
            decoded = jwt.decode(token, self._key, algorithms=["HS256"])
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise NotAuthenticated from error
        header, claims = decoded.header, decoded.claims
        now = time.time()
        if {"jwk", "jku", "x5u", "x5c", "crit"} & header.keys():
            raise NotAuthenticated
        expires, not_before = claims.get("exp"), claims.get("nbf", 0)
        if not _is_number(expires) or not _is_number(not_before):
            raise NotAuthenticated
        if not (not_before <= now + CLOCK_SKEW and expires > now):  # NaN is never in its time
            raise NotAuthenticated
        return claims

    def sign(self, claims: dict[str, Any]) -> str:
        """A token over `claims`. Raises NotAuthenticated without a secret."""
        if self._key is None:
            raise NotAuthenticated
        return jwt.encode({"alg": "HS256"}, claims, self._key)

    def sign_in_link(self, who: dict[str, Any], link_id: str, expires: int) -> str:
        """The token of a link that opens a session, once. Raises NotAuthenticated without a secret."""
        return self.sign({**who, "aud": SIGN_IN, "jti": link_id, "exp": expires})


def principal_of(claims: dict[str, Any]) -> Principal:
    """`sub` is the user, `client_id` the tenant where there is one, `roles` a list of names where there is
    one (anything else gives no role). Raises NotAuthenticated."""
    subject, client = claims.get("sub"), claims.get("client_id", "")
    if not _is_name(subject) or not _is_name(client) or not subject or subject.startswith(RESERVED):
        raise NotAuthenticated
    roles = claims.get("roles")
    named = [role for role in roles if _is_name(role)] if isinstance(roles, list) else []
    return Principal(subject, client, roles=frozenset(named))


def header(scope: Scope, name: bytes) -> str | None:
    for known, value in scope["headers"]:
        if known == name:
            return value.decode("latin-1")  # type: ignore[no-any-return]
    return None


def bearer(scope: Scope) -> str | None:
    """The token of the `Authorization` header."""
    scheme, _, token = (header(scope, b"authorization") or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def cookie(scope: Scope, name: str) -> str | None:
    """The cookie of this name. Those of other programs on the host are of any form."""
    for pair in (header(scope, b"cookie") or "").split(";"):
        known, _, value = pair.partition("=")
        if known.strip() == name:
            return value.strip().strip('"')
    return None


def _is_name(value: object) -> TypeGuard[str]:
    """Whether a database can hold it: no lone surrogate, no NUL, not endless."""
    return isinstance(value, str) and len(value) <= LONGEST_NAME and well_formed(value) == value


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _several(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else [value]
