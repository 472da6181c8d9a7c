"""`/api/admin/keys`: providers' keys, for the operator. What is given is never told again."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from prosa.domain import errors as e
from prosa.domain.keys import LONGEST
from prosa.domain.money import to_dollars
from prosa.domain.time import to_iso
from prosa.services.keys.keys import ListedKey
from prosa.transport.native.forms import Name, Page
from prosa.transport.operation import Call, Nothing, Operation, Reply

Secret = Annotated[str, Meta(min_length=1, max_length=LONGEST, pattern=r"^[\x21-\x7e]+$")]
Label = Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x1f]*$")]
Weight = Annotated[
    float, Meta(ge=1, le=1_000, multiple_of=1, extra_json_schema={"type": "integer"})
]  # as JSON has it, where 7.0 is a whole number


class NewKey(Struct, frozen=True, rename="camel"):
    """Of several keys of a provider each is used in proportion to its `weight`."""

    provider: Name
    key: Secret
    label: Label = ""
    weight: Weight = 1

    def __repr__(self) -> str:  # a trace may show it
        return f"NewKey({self.provider!r}, …)"


class NextKey(Struct, frozen=True, rename="camel"):
    key: Secret

    def __repr__(self) -> str:  # a trace may show it
        return "NextKey(…)"


class KeyUseForm(Struct, frozen=True, rename="camel"):
    """`cost` leaves out the requests whose price is not known."""

    requests: int
    prompt_tokens: int
    completion_tokens: int
    cost: str


class KeyForm(Struct, frozen=True, rename="camel"):
    """`hint` is the end of the key, "" for a short one; `reason` an error's code, on one that is set aside;
    `use` what was spent with it in the last 30 days."""

    id: str
    provider: str
    label: str
    weight: int
    state: Literal["active", "set_aside", "retired"]
    reason: str | None
    hint: str
    use: KeyUseForm
    created_at: str
    last_used_at: str | None
    set_aside_at: str | None
    retired_at: str | None


class ResealedForm(Struct, frozen=True, rename="camel"):
    """How many keys are sealed anew."""

    resealed: int


def key_form(listed: ListedKey) -> KeyForm:
    key, use = listed.key, listed.use
    return KeyForm(
        id=key.id,
        provider=key.provider,
        label=key.label,
        weight=key.weight,
        state=key.state.value,
        reason=key.reason,
        hint=key.hint,
        use=KeyUseForm(use.requests, use.prompt_tokens, use.completion_tokens, to_dollars(use.cost)),
        created_at=to_iso(key.created_at),
        last_used_at=None if listed.last_used_at is None else to_iso(listed.last_used_at),
        set_aside_at=None if key.set_aside_at is None else to_iso(key.set_aside_at),
        retired_at=None if key.retired_at is None else to_iso(key.retired_at),
    )


async def list_keys(call: Call[Nothing, Nothing]) -> Reply:
    """In the order in which they were added; retired ones stay in the list."""
    return Reply(200, Page([key_form(each) for each in await call.chat.keys.list(by=call.principal)], None))


async def add_key(call: Call[NewKey, Nothing]) -> Reply:
    """It is used from now on, on every node."""
    body = call.body
    added = await call.chat.keys.add(
        body.provider, body.key, label=body.label, weight=int(body.weight), by=call.principal
    )
    return Reply(201, key_form(added))


async def rotate_key(call: Call[NextKey, Nothing]) -> Reply:
    """Answers the new key. The old one serves until then; it is retired, and its secret deleted."""
    identity = call.id("keyId", e.KeyNotFound)
    rotated = await call.chat.keys.rotate(identity, call.body.key, by=call.principal)
    return Reply(201, key_form(rotated))


async def retire_key(call: Call[Nothing, Nothing]) -> Reply:
    """It is used no more, and its secret is deleted. Answers that began with it are finished with it."""
    await call.chat.keys.retire(call.id("keyId", e.KeyNotFound), by=call.principal)
    return Reply(204)


async def rotate_master(call: Call[Nothing, Nothing]) -> Reply:
    """Seals all keys anew: under `PROSA_SECRET_KEY` where `PROSA_SECRET_KEY_OLD` sealed them, under a new
    master key where Prosa keeps one itself. After a crash midway all keys can be read; the next start, or
    another call, goes on."""
    return Reply(200, ResealedForm(await call.chat.keys.rotate_master(by=call.principal)))


_KEYS = "/api/admin/keys"
_MASTER = (e.MisconfiguredError,)
_ONE = f"{_KEYS}/{{keyId}}"

OPERATIONS = [
    Operation("GET", _KEYS, "List the providers' keys", list_keys, gives={200: Page[KeyForm]}, operator=True),
    Operation("POST", _KEYS, "Add a provider's key", add_key, takes=NewKey, gives={201: KeyForm},
              errors=(e.NoSuchProvider, *_MASTER), operator=True),
    Operation("POST", f"{_ONE}/rotate", "Put a new key in the place of one", rotate_key, takes=NextKey,
              gives={201: KeyForm}, errors=(e.KeyNotFound, e.KeyRetired, *_MASTER), operator=True),
    Operation("DELETE", _ONE, "Retire a provider's key", retire_key, gives={204: None},
              errors=(e.KeyNotFound,), operator=True),
    Operation("POST", "/api/admin/master/rotate", "Rotate the master key", rotate_master,
              gives={200: ResealedForm}, errors=_MASTER, operator=True),
]  # fmt: skip
