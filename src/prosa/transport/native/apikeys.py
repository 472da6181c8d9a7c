"""`/api/api-keys`: keys that programs call with, a user's own. A key is shown once, when it is made."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from prosa.domain import access as a
from prosa.domain import errors as e
from prosa.domain.principal import ACCOUNT
from prosa.domain.time import Instant, from_iso, to_iso
from prosa.services.access.access import Made, NewApiKey
from prosa.transport.native.forms import Page, PageLimit
from prosa.transport.native.moments import Moment
from prosa.transport.operation import Call, Nothing, Operation, Reply

Label = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$")]
Scope = Literal["chat", "read", "embed", "admin"]
OwnScope = Literal["chat", "read"]


class NewOwnKey(Struct, frozen=True, rename="camel"):
    """`scopes`: `chat` (which is to read, too) or only `read`; without `expiresAt` it is good until it is
    revoked."""

    name: Label
    scopes: Annotated[tuple[OwnScope, ...], Meta(min_length=1, max_length=2)] = ("chat",)
    expires_at: Moment | None = None


class ApiKeyForm(Struct, frozen=True, rename="camel"):
    """`hint` is the end of the key."""

    id: str
    name: str
    hint: str
    scopes: list[Scope]
    user_id: str
    client_id: str | None
    created_at: str
    expires_at: str | None
    last_used_at: str | None
    revoked_at: str | None


class MadeKeyForm(ApiKeyForm, frozen=True, rename="camel"):
    """`key` is the whole key, which is never shown again; nor are `kid` and `signingSecret`, with which one
    that may do so signs embed tokens."""

    key: str
    kid: str | None
    signing_secret: str | None

    def __repr__(self) -> str:  # a trace may show it
        return f"MadeKeyForm({self.id!r}, …)"


class ListQuery(Struct, frozen=True):
    limit: PageLimit = 50
    cursor: str | None = None


def api_key_form(key: a.ApiKey) -> ApiKeyForm:
    return ApiKeyForm(**_told(key))


def made_key_form(made: Made) -> MadeKeyForm:
    kid = None if made.signing_secret is None else made.key.kid
    return MadeKeyForm(**_told(made.key), key=made.text, kid=kid, signing_secret=made.signing_secret)


def moment(text: str | None) -> Instant | None:
    """Raises InvalidRequest."""
    found = None if text is None else from_iso(text)
    if text is not None and found is None:
        raise e.InvalidRequest("expiresAt must be a date or a moment, as in 2026-11-21T09:30:00Z.")
    return found


async def list_keys(call: Call[Nothing, ListQuery]) -> Reply:
    """One's own, the newest first; revoked ones stay in the list."""
    found, cursor = await call.chat.access.page(call.principal.user_id, call.query.limit, call.query.cursor)
    return Reply(200, Page([api_key_form(each) for each in found], cursor))


async def add_key(call: Call[NewOwnKey, Nothing]) -> Reply:
    """Answers the whole key, once."""
    body, who = call.body, call.principal
    asked = NewApiKey(who.user_id, who.client_id, body.name, body.scopes, moment(body.expires_at))
    return Reply(201, made_key_form(await call.chat.access.add(asked, who)))


async def revoke_key(call: Call[Nothing, Nothing]) -> Reply:
    """Nobody gets in with it any more, on any node, and its open streams and sockets are closed."""
    key_id = call.id("apiKeyId", a.ApiKeyNotFound)
    await call.chat.access.revoke(key_id, call.principal.user_id, call.principal)
    return Reply(204)


def _told(key: a.ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "hint": key.hint,
        "scopes": list(key.scopes),
        "user_id": key.user_id,
        "client_id": key.client_id or None,
        "created_at": to_iso(key.created_at),
        "expires_at": None if key.expires_at is None else to_iso(key.expires_at),
        "last_used_at": None if key.last_used_at is None else to_iso(key.last_used_at),
        "revoked_at": None if key.revoked_at is None else to_iso(key.revoked_at),
    }


_ALL = "/api/api-keys"

OPERATIONS = [
    Operation("GET", _ALL, "List your API keys", list_keys, query=ListQuery,
              gives={200: Page[ApiKeyForm]}, scope=ACCOUNT),
    Operation("POST", _ALL, "Make an API key", add_key, takes=NewOwnKey, gives={201: MadeKeyForm},
              errors=(a.TooManyApiKeys,), scope=ACCOUNT),
    Operation("DELETE", _ALL + "/{apiKeyId}", "Revoke an API key", revoke_key, gives={204: None},
              errors=(a.ApiKeyNotFound,), scope=ACCOUNT),
]  # fmt: skip
