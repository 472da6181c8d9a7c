"""`/api/embed-tokens`: a host application has a short-lived token made for one of its own users."""

import time
from typing import Annotated, Literal

from msgspec import Meta, Struct

from prosa.domain.access import LONGEST_EMBED, SIGNER, ScopeMissing
from prosa.domain.principal import EMBED
from prosa.domain.time import SECOND, Instant, to_iso
from prosa.transport.identity import embed_token
from prosa.transport.native.forms import Key
from prosa.transport.operation import Call, Nothing, Operation, Reply

Seconds = Annotated[
    float, Meta(ge=1, le=LONGEST_EMBED, multiple_of=1, extra_json_schema={"type": "integer"})
]  # as JSON has it, where 7.0 is a whole number


class NewEmbedToken(Struct, frozen=True, rename="camel"):
    """`userId` is what the host calls its user: elsewhere he is nobody. `seconds` is how long the token is
    good for, an hour at most."""

    user_id: Key
    scopes: Annotated[tuple[Literal["chat", "read"], ...], Meta(min_length=1, max_length=2)] = ("chat",)
    seconds: Seconds = 600


class EmbedTokenForm(Struct, frozen=True, rename="camel"):
    """`userId` is whose the user's conversations are here."""

    token: str
    user_id: str
    expires_at: str


async def make_token(call: Call[NewEmbedToken, Nothing]) -> Reply:
    """For an API key with the scope `embed`. The token is revoked with the key."""
    if not call.principal.key_id:  # the local user needs no key, and so has none to sign with
        raise ScopeMissing(EMBED)
    body = call.body
    signer = await call.chat.access.checks.signer(SIGNER + call.principal.key_id.replace("-", ""))
    now = int(time.time())
    expires = now + int(body.seconds)
    claims = {"sub": body.user_id, "scopes": list(body.scopes), "iat": now, "exp": expires}
    guest = signer.key.guest(body.user_id, frozenset())
    form = EmbedTokenForm(embed_token(signer, claims), guest.user_id, to_iso(Instant(expires * SECOND)))
    return Reply(201, form)


OPERATIONS = [
    Operation("POST", "/api/embed-tokens", "Make a token for an end user of a host application", make_token,
              takes=NewEmbedToken, gives={201: EmbedTokenForm}, scope=EMBED),
]  # fmt: skip
