"""`/api/session`: who the page's user is, and signing in by a link that works once."""

import time
from http.cookies import SimpleCookie

from msgspec import Struct

from prosa.domain import errors as e
from prosa.domain.access import Suspended
from prosa.domain.principal import ADMIN
from prosa.domain.time import now
from prosa.services.access.standing import pass_of
from prosa.transport.identity import SIGN_IN, Identity
from prosa.transport.native.forms import Prompt
from prosa.transport.operation import Call, Handler, Nothing, Operation, Reply

LIFETIME = 30 * 86_400
"""Seconds that a signed-in browser stays so."""

OPERATOR_LIFETIME = 12 * 3_600
"""The same of an operator's: a day's work."""


class SessionForm(Struct, frozen=True, rename="camel"):
    """`local` says that there are no tokens: everybody is the one local user; `operator`, that this one may
    see and change what belongs to no user."""

    user_id: str
    local: bool
    operator: bool
    language: str
    default_provider: str
    default_model: str
    providers: list[str]


class SignInBody(Struct, frozen=True):
    token: Prompt


def operations(identity: Identity) -> list[Operation]:
    async def get_session(call: Call[Nothing, Nothing]) -> Reply:
        default = call.chat.catalogue.default
        form = SessionForm(
            user_id=call.principal.user_id,
            local=identity.local,
            operator=call.principal.is_operator,
            language=call.language,
            default_provider=default.provider,
            default_model=default.model,
            providers=call.chat.catalogue.providers,
        )
        return Reply(200, form)

    async def sign_in(call: Call[SignInBody, Nothing]) -> Reply:
        """Takes the token of a sign-in link, once, and sets the cookie."""
        claims = identity.claims(call.body.token)
        principal = identity.principal_of(claims)
        link = claims.get("jti")
        if claims.get("aud") != SIGN_IN or not isinstance(link, str):
            raise e.NotAuthenticated
        call.chat.access.standing.admit(pass_of(principal, float(claims["exp"])))
        if not await call.chat.store.of(principal).sign_ins.use(link, now()):
            raise e.NotAuthenticated
        await call.chat.audit.note(principal, "login", f"user:{principal.user_id}", by="link")
        lifetime = OPERATOR_LIFETIME if principal.is_operator else LIFETIME
        said = identity.claim(principal.user_id, principal.client_id, admin=ADMIN in principal.roles)
        said |= {"limits": claims["limits"]} if "limits" in claims else {}
        token = identity.sign({**said, "exp": int(time.time()) + lifetime})
        return Reply(
            204, headers=[(b"set-cookie", _cookie(identity.cookie, token, lifetime, secure=call.secure))]
        )

    async def sign_out(call: Call[Nothing, Nothing]) -> Reply:
        """Forgets the cookie."""
        return Reply(204, headers=[(b"set-cookie", _cookie(identity.cookie, "", 0, secure=call.secure))])

    def operation(method: str, summary: str, handler: Handler, **more: object) -> Operation:
        return Operation(method, "/api/session", summary, handler, **more)  # type: ignore[arg-type]

    return [
        operation("GET", "Who is signed in", get_session, gives={200: SessionForm}),
        operation("POST", "Sign in with a link's token", sign_in, takes=SignInBody, gives={204: None},
                  errors=(e.NotAuthenticated, Suspended), public=True),
        operation("DELETE", "Sign out", sign_out, gives={204: None}, public=True),
    ]  # fmt: skip


def _cookie(name: str, value: str, lifetime: int, *, secure: bool) -> bytes:
    """`secure` marks it for https alone."""
    cookie: SimpleCookie = SimpleCookie({name: value})
    morsel = cookie[name]
    morsel["path"] = "/"
    morsel["max-age"] = lifetime
    morsel["httponly"] = True
    morsel["samesite"] = "Lax"
    if secure:
        morsel["secure"] = True
    return morsel.OutputString().encode()
