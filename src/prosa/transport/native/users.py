"""`/api/users/me`: the caller himself, who may have all that is his taken away."""

from msgspec import Struct

from prosa.domain.erasure import Erasure, Scope
from prosa.domain.files import FilesUnavailable
from prosa.domain.principal import ACCOUNT
from prosa.domain.time import to_iso
from prosa.transport.operation import Call, Nothing, Operation, Reply


class ReceiptForm(Struct, frozen=True, rename="camel"):
    """`counts` is how much of each kind there was when it began."""

    id: str
    user_id: str
    erased_at: str
    counts: dict[str, int]


async def erase_me(call: Call[Nothing, Nothing]) -> Reply:
    """Stops what goes on, closes streams and sockets, and takes away conversations, files, templates,
    feedback, API keys and all else that is the caller's. What was spent stays in the ledger, under a name
    that nobody has. It is done once the receipt is there; whoever leaves before does not end it."""
    user_id = call.principal.user_id
    receipt = await call.chat.erasing.erase(call.principal, Scope.USER, user_id)
    return Reply(200, ReceiptForm(receipt.id, user_id, erased_at(receipt), receipt.counts))


def erased_at(receipt: Erasure) -> str:
    assert receipt.erased_at is not None
    return to_iso(receipt.erased_at)


OPERATIONS = [
    Operation("DELETE", "/api/users/me", "Erase all that is yours", erase_me, gives={200: ReceiptForm},
              errors=(FilesUnavailable,), scope=ACCOUNT),
]  # fmt: skip
