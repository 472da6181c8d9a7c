"""Conversations out of the store, as a stream of bytes whose size is no matter to the server's memory."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from prosa.domain.conversations import Conversation, Message, MessageKind
from prosa.domain.models import Role
from prosa.domain.principal import Principal
from prosa.ports.store import Exports, Records, Store
from prosa.services.export.document import Document
from prosa.services.export.formats import Encoder, Exported, Format
from prosa.services.export.markdown import Markdown
from prosa.services.export.page import Html
from prosa.services.export.sheet import Sheet

PAGE = 100
"""Conversations that are read at once."""
PIECE = 65_536
"""Bytes that are handed on at once, at least."""
STRIDE = 5_000
"""Ids of a branch that are read at once, on the way up."""
AT_ONCE = 500
_ID = 16


def encoder(form: Format, language: str = "en") -> Encoder:
    """`language` is that of the words around what was said."""
    match form:
        case "json":
            return Document()
        case "csv":
            return Sheet()
        case "markdown":
            return Markdown(language)
        case "html":
            return Html(language)


class Export:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def count(self, principal: Principal) -> int:
        """How many conversations there are."""
        return await self._store.of(principal).exports.count()

    async def find(self, principal: Principal, conversation_id: str) -> Conversation:
        """Raises ConversationNotFound."""
        return await self._store.of(principal).conversations.get(conversation_id)

    async def everything(self, principal: Principal, encode: Encoder, total: int) -> AsyncIterator[bytes]:
        """All conversations, oldest first, each as it is at its turn; `total` is what `count` said."""
        records = self._store.of(principal)
        async for piece in _joined(_all(records, encode, total)):
            yield piece

    async def one(
        self, principal: Principal, conversation: Conversation, encode: Encoder
    ) -> AsyncIterator[bytes]:
        records = self._store.of(principal)
        async for piece in _joined(_single(records, encode, conversation)):
            yield piece


async def _all(records: Records, encode: Encoder, total: int) -> AsyncIterator[bytes]:
    yield encode.begin(total, None)
    place = 0
    after: str | None = None
    while page := await records.exports.conversations(after, PAGE):
        for each in page:
            async for piece in _conversation(records, encode, each, place):
                yield piece
            place += 1
        after = page[-1].id
    yield encode.end()


async def _single(records: Records, encode: Encoder, conversation: Conversation) -> AsyncIterator[bytes]:
    yield encode.begin(1, conversation.title)
    async for piece in _conversation(records, encode, conversation, 0):
        yield piece
    yield encode.end()


async def _conversation(
    records: Records, encode: Encoder, conversation: Conversation, place: int
) -> AsyncIterator[bytes]:
    yield encode.open(conversation, place)
    number = 0
    read = _by_age if encode.whole else _shown
    async for messages in read(records.exports, conversation):
        said = await records.feedback.of([each.id for each in messages if each.role is Role.ASSISTANT])
        placed = [Exported(each, said.get(each.id), number + at) for at, each in enumerate(messages)]
        number += len(placed)
        for piece in await asyncio.to_thread(_encoded, encode, placed, conversation):
            yield piece
    yield encode.close(conversation)


def _encoded(encode: Encoder, placed: Sequence[Exported], conversation: Conversation) -> list[bytes]:
    """For a thread: a page of a long message made of nothing but marks takes seconds."""
    return [encode.message(each, conversation) for each in placed]


async def _by_age(records: Exports, conversation: Conversation) -> AsyncIterator[list[Message]]:
    after: str | None = None
    while found := await records.messages(conversation.id, after):
        yield found
        after = found[-1].id


async def _shown(records: Exports, conversation: Conversation) -> AsyncIterator[list[Message]]:
    """The branch that is shown, from its first message on, without summaries: all that they tell is there."""
    way = await _way(records, conversation)
    while way:
        wanted = [_id(way[at - _ID : at]) for at in range(len(way), max(0, len(way) - AT_ONCE * _ID), -_ID)]
        found = await records.some(conversation.id, wanted)
        if not found:
            return
        yield [each for each in found if each.kind is MessageKind.MESSAGE]
        del way[-_ID * (wanted.index(found[-1].id) + 1) :]


async def _way(records: Exports, conversation: Conversation) -> bytearray:
    """The ids of the branch that is shown, upwards from its head: in 16 bytes each, for there may be many."""
    way = bytearray()
    next_one = conversation.head_id
    while next_one is not None:
        above = await records.above(conversation.id, next_one, STRIDE + 1)
        for each in above[:STRIDE]:
            way += bytes.fromhex(each.replace("-", ""))
        next_one = above[STRIDE] if len(above) > STRIDE else None
    return way


def _id(raw: bytes | bytearray) -> str:
    digits = raw.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


async def _joined(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Small pieces joined into larger ones."""
    held: list[bytes] = []
    size = 0
    async for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= PIECE:
            yield b"".join(held)
            held.clear()
            size = 0
    if held:
        yield b"".join(held)
