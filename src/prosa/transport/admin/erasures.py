"""`/api/admin/erasures`: all that is a user's or a client's, taken away by the operator; the receipts."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from prosa.domain import errors as e
from prosa.domain.erasure import Erasure, Scope
from prosa.domain.files import FilesUnavailable
from prosa.domain.ids import parse_id
from prosa.domain.time import to_iso
from prosa.transport.native.forms import Key, ListQuery, Page
from prosa.transport.operation import Call, Nothing, Operation, Reply


class NewErasure(Struct, frozen=True, rename="camel"):
    """Of a user or of a client."""

    user_id: Key | UnsetType = UNSET
    client_id: Key | UnsetType = UNSET


class ErasureForm(Struct, frozen=True, rename="camel"):
    """`subject` is forgotten once it is done (`erasedAt`): `hash`, the SHA-256 of `id`, a space and the
    subject, tells whoever knows it. `counts` is how much of each kind there was when it began."""

    id: str
    scope: Literal["user", "client"]
    subject: str | None
    hash: str
    begun_at: str
    erased_at: str | None
    counts: dict[str, int]


def erasure_form(erasure: Erasure) -> ErasureForm:
    return ErasureForm(
        erasure.id,
        erasure.scope.value,
        erasure.subject,
        erasure.hash,
        to_iso(erasure.begun_at),
        None if erasure.erased_at is None else to_iso(erasure.erased_at),
        erasure.counts,
    )


async def erase(call: Call[NewErasure, Nothing]) -> Reply:
    """It is done once the receipt is there; meanwhile whoever is meant may not call (403 `suspended`)."""
    user, client = call.body.user_id, call.body.client_id
    if isinstance(user, str) and client is UNSET:
        receipt = await call.chat.erasing.erase(call.principal, Scope.USER, user)
    elif isinstance(client, str) and user is UNSET:
        receipt = await call.chat.erasing.erase(call.principal, Scope.CLIENT, client)
    else:
        raise e.InvalidRequest("name either userId or clientId.")
    return Reply(200, erasure_form(receipt))


async def list_erasures(call: Call[Nothing, ListQuery]) -> Reply:
    """The newest first: those that go on, and receipts."""
    limit, cursor = call.query.limit, call.query.cursor
    if cursor is not None and parse_id(cursor) != cursor:
        raise e.InvalidRequest("cursor must be the nextCursor of an earlier answer.")
    found = await call.chat.erasing.page(call.principal, limit + 1, cursor)
    more = found[limit - 1].id if len(found) > limit else None
    return Reply(200, Page([erasure_form(each) for each in found[:limit]], more))


_ONE_OF: dict[str, Any] = {"oneOf": [{"required": ["userId"]}, {"required": ["clientId"]}]}
_ALL = "/api/admin/erasures"

OPERATIONS = [
    Operation("GET", _ALL, "List erasures", list_erasures, query=ListQuery, gives={200: Page[ErasureForm]},
              operator=True),
    Operation("POST", _ALL, "Erase all that is a user's or a client's", erase,
              takes=Annotated[NewErasure, Meta(extra_json_schema=_ONE_OF)], gives={200: ErasureForm},
              errors=(FilesUnavailable,), operator=True),
]  # fmt: skip
