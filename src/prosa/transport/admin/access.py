"""`/api/admin/api-keys` and `/api/admin/suspensions`: who may call, as the operator says."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from prosa.domain import access as a
from prosa.domain import errors as e
from prosa.domain.time import to_iso
from prosa.services.access.access import NewApiKey
from prosa.transport.native.apikeys import (
    ApiKeyForm,
    Label,
    ListQuery,
    MadeKeyForm,
    Scope,
    api_key_form,
    made_key_form,
    moment,
)
from prosa.transport.native.forms import Key, Page
from prosa.transport.native.moments import Moment
from prosa.transport.operation import Call, Nothing, Operation, Reply


class NewKeyFor(Struct, frozen=True, rename="camel"):
    """`userId` is who calls with it. One with the scope `embed` is a host application's, that signs tokens
    for its own users; one with `admin` may do what an operator may."""

    user_id: Key
    name: Label
    client_id: Key | None = None
    scopes: Annotated[tuple[Scope, ...], Meta(min_length=1, max_length=4)] = ("chat",)
    expires_at: Moment | None = None


class KeysQuery(ListQuery, frozen=True, rename="camel"):
    user_id: Key | None = None


class SuspensionForm(Struct, frozen=True, rename="camel"):
    """Of a user or a client, the other is null. `only` says what alone is taken from them; null: all."""

    user_id: str | None
    client_id: str | None
    only: Literal["admin"] | None
    reason: str
    created_at: str
    created_by: str


class Subject(Struct, frozen=True, rename="camel"):
    """Either a user or a client."""

    user_id: Key | None = None
    client_id: Key | None = None


class NewSuspension(Subject, frozen=True, rename="camel"):
    """With `only` "admin" they stay users, and are no operators any more, whatever their tokens say."""

    reason: Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")] = ""
    only: Literal["admin"] | None = None


async def list_keys(call: Call[Nothing, KeysQuery]) -> Reply:
    """Everybody's, the newest first; revoked ones stay in the list."""
    found, cursor = await call.chat.access.look(
        call.principal, call.query.user_id, call.query.limit, call.query.cursor
    )
    return Reply(200, Page([api_key_form(each) for each in found], cursor))


async def add_key(call: Call[NewKeyFor, Nothing]) -> Reply:
    """Answers the whole key, once."""
    body = call.body
    asked = NewApiKey(body.user_id, body.client_id or "", body.name, body.scopes, moment(body.expires_at))
    return Reply(201, made_key_form(await call.chat.access.add(asked, call.principal)))


async def revoke_key(call: Call[Nothing, Nothing]) -> Reply:
    """Anybody's: at once, on every node. What was signed with it is worth nothing any more, either."""
    await call.chat.access.revoke(call.id("apiKeyId", a.ApiKeyNotFound), None, call.principal)
    return Reply(204)


async def list_suspensions(call: Call[Nothing, Nothing]) -> Reply:
    found = await call.chat.access.suspensions(call.principal)
    return Reply(200, Page([suspension_form(each) for each in found], None))


async def suspend(call: Call[NewSuspension, Nothing]) -> Reply:
    """Whatever they call with is refused from now on (403 `suspended`), on every node, and their open streams
    and sockets are closed. Runs that go on are finished and billed."""
    kind, subject = subject_of(call.body)
    made = await call.chat.access.suspend(
        kind, subject, call.principal, part=call.body.only or "", reason=call.body.reason
    )
    return Reply(201, suspension_form(made))


async def lift(call: Call[Nothing, Subject]) -> Reply:
    await call.chat.access.lift(*subject_of(call.query), call.principal)
    return Reply(204)


def subject_of(told: Subject) -> tuple[Literal["user", "client"], str]:
    """Raises InvalidRequest."""
    match told.user_id, told.client_id:
        case str(user), None:
            return "user", user
        case None, str(client):
            return "client", client
    raise e.InvalidRequest("name either userId or clientId.")


def suspension_form(suspension: a.Suspension) -> SuspensionForm:
    user = suspension.kind == "user"
    return SuspensionForm(
        suspension.subject if user else None,
        None if user else suspension.subject,
        suspension.part or None,
        suspension.reason,
        to_iso(suspension.created_at),
        suspension.created_by,
    )


_KEYS, _SUSPENSIONS = "/api/admin/api-keys", "/api/admin/suspensions"

OPERATIONS = [
    Operation("GET", _KEYS, "List everybody's API keys", list_keys, query=KeysQuery,
              gives={200: Page[ApiKeyForm]}, operator=True),
    Operation("POST", _KEYS, "Make an API key for a user", add_key, takes=NewKeyFor, gives={201: MadeKeyForm},
              errors=(a.TooManyApiKeys, e.MisconfiguredError), operator=True),
    Operation("DELETE", _KEYS + "/{apiKeyId}", "Revoke anybody's API key", revoke_key, gives={204: None},
              errors=(a.ApiKeyNotFound,), operator=True),
    Operation("GET", _SUSPENSIONS, "List who is suspended", list_suspensions,
              gives={200: Page[SuspensionForm]}, operator=True),
    Operation("POST", _SUSPENSIONS, "Suspend a user or a client", suspend,
              takes=NewSuspension,
              gives={201: SuspensionForm}, errors=(a.AlreadySuspended,), operator=True),
    Operation("DELETE", _SUSPENSIONS, "Lift a suspension", lift, query=Subject, gives={204: None},
              errors=(a.SuspensionNotFound,), operator=True),
]  # fmt: skip
