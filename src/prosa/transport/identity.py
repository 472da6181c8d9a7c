"""Who is calling: a credential in a header or a cookie becomes a principal, and nothing else does."""

import time
from collections import OrderedDict
from typing import Any, TypeGuard

from msgspec import Struct, structs
from starlette.types import Scope

from prosa.domain.access import LONGEST_EMBED, PREFIX, SIGNER
from prosa.domain.errors import NotAuthenticated
from prosa.domain.limits import FREE, Cap, claimed
from prosa.domain.principal import ADMIN, CHAT, READ, RESERVED, Principal
from prosa.domain.time import SECOND
from prosa.kit.text import well_formed
from prosa.services.access.checks import Checks, Signer
from prosa.services.access.keyset import ASYMMETRIC, KeySet
from prosa.services.access.standing import LOCAL_PASS, Pass, pass_of
from prosa.transport.tokens import CLOCK_SKEW, decoded, encoded, head, load, shared

MOST_CACHED = 10_000
LONGEST_TOKEN = 8_192
LONGEST_NAME = 255
_OFFERED = "bearer."
SIGN_IN = "prosa-sign-in"
"""The `aud` of the token in a sign-in link: it opens a session and is good for nothing else."""


class Claims(Struct, frozen=True):
    """What the claims of tokens are called (dotted paths), and what some of them must be (None, and for
    `parties` empty: anything)."""

    user: str = "sub"
    client: str = "client_id"
    roles: str = "roles"
    admin: str = ADMIN
    issuer: str | None = None
    audience: str | None = None
    parties: frozenset[str] = frozenset()


class Identity:
    """Checks HS256 tokens against `secret` and others against `keys`, never one kind with the other's, and
    API keys and embed tokens by `checks`; with neither secret nor keys, everybody is the local user.

    A checked token is remembered until it expires: a check costs 75 µs and more.
    """

    def __init__(
        self,
        secret: str | None,
        cookie: str,
        claims: Claims = Claims(),  # noqa: B008 - frozen
        keys: KeySet | None = None,
        checks: Checks | None = None,
    ) -> None:
        self._key = None if secret is None else shared(secret)
        self.cookie = cookie
        self._claims = claims
        self._keys = keys
        self._checks = checks
        self._known: OrderedDict[str, Pass] = OrderedDict()
        if keys is not None:
            keys.changed = self._known.clear
        if not self.local:
            load()

    @property
    def local(self) -> bool:
        return self._key is None and self._keys is None

    @property
    def signs(self) -> bool:
        """Whether it can make tokens itself."""
        return self._key is not None

    async def of(self, scope: Scope) -> Pass:
        """Raises what `verify` raises."""
        if self.local:
            return LOCAL_PASS
        return await self.verify(bearer(scope) or cookie(scope, self.cookie))

    async def verify(self, token: str | None) -> Pass:
        """What this credential is good for. Raises NotAuthenticated, also once a token that was good has
        expired; for API keys and embed tokens AccessBusy and StoreUnavailable, too."""
        if not token or len(token) > LONGEST_TOKEN:
            raise NotAuthenticated
        known = self._known.get(token)
        if known is not None:
            if known.until > time.time():
                if self._keys is not None:
                    self._keys.freshen()
                return known
            del self._known[token]
            raise NotAuthenticated
        if token.startswith(PREFIX):
            if self._checks is None:
                raise NotAuthenticated
            return await self._checks.admit(token)
        given = await self._verified(token)
        self._known[token] = given
        if len(self._known) > MOST_CACHED:
            self._known.popitem(last=False)
        return given

    def seen(self, scope: Scope) -> str:
        """The user whose credential this was when it was checked last; "" where nobody remembers. It costs
        next to nothing, and lets nobody in."""
        token = told(scope) or cookie(scope, self.cookie)
        if not token:
            return ""
        known = self._known.get(token)
        if known is None and token.startswith(PREFIX) and self._checks is not None:
            known = self._checks.seen(token)
        return "" if known is None else known.principal.user_id

    def forgeable(self, scope: Scope) -> bool:
        """Whether another site could have made the browser send this: a cookie comes by itself, so the
        browser must say where from. (A foreign `Origin` was refused before.)

        Nothing is asked of what changes nothing: without CORS another site can't read the answer, and over
        plain http browsers say nothing of where a GET comes from."""
        if self.local or scope["method"] in ("GET", "HEAD") or bearer(scope):
            return False
        told = header(scope, b"origin") is not None
        return not told and header(scope, b"sec-fetch-site") not in ("same-origin", "none")

    async def _verified(self, token: str) -> Pass:
        algorithm, kid = head(token)
        if algorithm == "HS256":
            if kid is not None and kid.startswith(SIGNER) and self._checks is not None:
                return self._guest(token, await self._checks.signer(kid))
            claims = self.claims(token)
        elif self._keys is not None and algorithm in ASYMMETRIC:
            claims = decoded(token, await self._keys.key(algorithm, kid), algorithm)
        else:
            raise NotAuthenticated
        self._addressed(claims)
        return pass_of(self.principal_of(claims), float(claims["exp"]))

    def _addressed(self, claims: dict[str, Any]) -> None:
        """Raises NotAuthenticated unless the token is for us, from whom it must be."""
        want = self._claims
        if claims.get("aud") == SIGN_IN:
            raise NotAuthenticated
        if want.issuer is not None and claims.get("iss") != want.issuer:
            raise NotAuthenticated
        if want.audience is not None and want.audience not in _several(claims.get("aud")):
            raise NotAuthenticated
        if want.parties and not (_is_name(claims.get("azp")) and claims["azp"] in want.parties):
            raise NotAuthenticated

    def _guest(self, token: str, signer: Signer) -> Pass:
        """Whom a host application vouches for. Raises NotAuthenticated."""
        claims = decoded(token, shared(signer.secret), "HS256")
        name, expires = claims.get("sub"), float(claims["exp"])
        if not _is_name(name) or not name or expires > time.time() + LONGEST_EMBED + CLOCK_SKEW:
            raise NotAuthenticated
        if claims.get("client_id", signer.key.client_id) != signer.key.client_id:
            raise NotAuthenticated
        scopes = claims.get("scopes", [CHAT, READ])
        if not isinstance(scopes, list) or not all(each in (CHAT, READ) for each in scopes):
            raise NotAuthenticated
        granted = frozenset(scopes) | ({READ} if CHAT in scopes else set())
        said, own = _limits(claims), signer.key.limits
        limits = said if own is None else own.tightened(said or FREE)
        guest = structs.replace(signer.key.guest(name, granted), limits=limits)
        until = expires if signer.key.expires_at is None else min(expires, signer.key.expires_at / SECOND)
        return pass_of(guest, until, signer.credential, signer.key.principal)

    def principal_of(self, claims: dict[str, Any]) -> Principal:
        """The user, the tenant where there is one, and the roles where there is a list of names (from a claim
        that the settings name also one name; anything else gives no role). Raises NotAuthenticated."""
        names = self._claims
        subject, client = find(claims, names.user), find(claims, names.client)
        client = "" if client is None and names.client not in claims else client
        if not _is_name(subject) or not _is_name(client) or not subject or subject.startswith(RESERVED):
            raise NotAuthenticated
        told = find(claims, names.roles)
        if isinstance(told, str) and names.roles != "roles":
            told = [told]
        roles = {role for role in told if _is_name(role)} if isinstance(told, list) else set()
        if names.admin != ADMIN:
            roles = roles - {ADMIN} | ({ADMIN} if names.admin in roles else set())
        return Principal(subject, client, roles=frozenset(roles), limits=_limits(claims))

    def claims(self, token: str) -> dict[str, Any]:
        """The claims of a token that is signed by us and in its time. Raises NotAuthenticated."""
        if self._key is None:
            raise NotAuthenticated
        return decoded(token, self._key, "HS256")

    def claim(self, user: str, client: str = "", *, admin: bool = False) -> dict[str, Any]:
        """What a token of our own says, whatever the settings call it."""
        names = self._claims
        said: dict[str, Any] = {"sub": user, names.user: user}
        if client:
            said[names.client] = client
        if admin:
            said[names.roles] = [names.admin]
        if names.issuer is not None:
            said["iss"] = names.issuer
        if names.audience is not None:
            said["aud"] = names.audience
        if names.parties:
            said["azp"] = min(names.parties)
        return said

    def sign(self, claims: dict[str, Any]) -> str:
        """A token over `claims`. Raises NotAuthenticated without a secret."""
        if self._key is None:
            raise NotAuthenticated
        return encoded(claims, self._key)

    def sign_in_link(self, who: dict[str, Any], link_id: str, expires: int) -> str:
        """The token of a link that opens a session, once. Raises NotAuthenticated without a secret."""
        return self.sign({**who, "aud": SIGN_IN, "jti": link_id, "exp": expires})


def embed_token(signer: Signer, claims: dict[str, Any]) -> str:
    """A token as a host application signs it."""
    return encoded(claims, shared(signer.secret), signer.key.kid)


def find(claims: dict[str, Any], path: str) -> Any:
    """What stands at a dotted path; names may have dots themselves, as addresses do. None where nothing
    does."""
    if path in claims:
        return claims[path]
    place = path.find(".")
    while place >= 0:
        inner = claims.get(path[:place])
        if isinstance(inner, dict) and (found := find(inner, path[place + 1 :])) is not None:
            return found
        place = path.find(".", place + 1)
    return None


def header(scope: Scope, name: bytes) -> str | None:
    for known, value in scope["headers"]:
        if known == name:
            return value.decode("latin-1")  # type: ignore[no-any-return]
    return None


def bearer(scope: Scope) -> str | None:
    """The token of the `Authorization` header."""
    scheme, _, token = (header(scope, b"authorization") or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def told(scope: Scope) -> str | None:
    """The token that the caller put there himself: in the `Authorization` header or, for a socket, in a
    subprotocol `bearer.…`."""
    token = bearer(scope)
    if token is None:
        for offered in scope.get("subprotocols", ()):
            if offered.startswith(_OFFERED):
                return str(offered[len(_OFFERED) :])
    return token


def cookie(scope: Scope, name: str) -> str | None:
    """The cookie of this name. Those of other programs on the host are of any form."""
    for pair in (header(scope, b"cookie") or "").split(";"):
        known, _, value = pair.partition("=")
        if known.strip() == name:
            return value.strip().strip('"')
    return None


def _limits(claims: dict[str, Any]) -> Cap | None:
    """Raises NotAuthenticated where they are not understood."""
    try:
        return claimed(claims.get("limits"))
    except ValueError:
        raise NotAuthenticated from None


def _is_name(value: object) -> TypeGuard[str]:
    """Whether a database can hold it: no lone surrogate, no NUL, not endless."""
    return isinstance(value, str) and len(value) <= LONGEST_NAME and well_formed(value) == value


def _several(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else [value]
