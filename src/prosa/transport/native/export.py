"""`/api/export` and `/api/conversations/{id}/export`: conversations as files."""

import re
import unicodedata
from collections.abc import AsyncIterator
from urllib.parse import quote

from msgspec import Struct
from starlette.types import Receive, Send

from prosa.domain import errors as e
from prosa.services.export.exporter import encoder
from prosa.services.export.formats import Encoder, Format
from prosa.transport.errors import Headers
from prosa.transport.operation import Call, Nothing, Operation, Stream
from prosa.transport.pieces import write_pieces

LONGEST_NAME = 60


class ExportQuery(Struct, frozen=True):
    format: Format = "json"


async def export_conversations(call: Call[Nothing, ExportQuery]) -> Stream:
    """All conversations of the caller, oldest first. JSON is complete, and can be imported again."""
    form = encoder(call.query.format, call.language)
    total = await call.chat.export.count(call.principal)
    whose = f"user:{call.principal.user_id}"
    await call.chat.audit.note(call.principal, "export", whose, format=call.query.format, conversations=total)
    pieces = call.chat.export.everything(call.principal, form, total)
    headers = [*headers_of(form, "conversations"), (b"x-total-conversations", b"%d" % total)]
    return _stream(headers, pieces)


async def export_conversation(call: Call[Nothing, ExportQuery]) -> Stream:
    """One conversation: JSON and CSV hold all of its branches, Markdown and HTML the one that is shown."""
    identity = call.id("conversationId", e.ConversationNotFound)
    conversation = await call.chat.export.find(call.principal, identity)
    one = f"conversation:{conversation.id}"
    await call.chat.audit.note(call.principal, "export", one, format=call.query.format)
    form = encoder(call.query.format, call.language)
    pieces = call.chat.export.one(call.principal, conversation, form)
    headers = [*headers_of(form, conversation.title or identity), (b"x-total-conversations", b"1")]
    return _stream(headers, pieces)


def headers_of(form: Encoder, name: str) -> Headers:
    """A file to keep, whatever a browser thinks of its content."""
    return [
        (b"content-type", form.media_type.encode()),
        (b"content-disposition", disposition(name, form.suffix).encode()),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
    ]


def disposition(name: str, suffix: str) -> str:
    """`name` as that of a file: without what file systems or headers could take for something else."""
    letters = unicodedata.normalize("NFC", name)[: LONGEST_NAME * 4]
    words = re.sub(r"[^\w]+", "-", letters).strip("-_")[:LONGEST_NAME].strip("-_")
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().strip("-_")
    plain_name, full_name = (f"prosa-{each or 'conversation'}.{suffix}" for each in (plain, words))
    return f"attachment; filename=\"{plain_name}\"; filename*=UTF-8''{quote(full_name, safe='')}"


def _stream(headers: Headers, pieces: AsyncIterator[bytes]) -> Stream:
    async def write(receive: Receive, send: Send) -> None:
        await write_pieces(headers, pieces, receive, send)

    return Stream(write)


_KINDS = "application/json, text/markdown, text/html, text/csv"

OPERATIONS = [
    Operation("GET", "/api/export", "Export all conversations", export_conversations, query=ExportQuery,
              gives={200: None}, stream=_KINDS),
    Operation("GET", "/api/conversations/{conversationId}/export", "Export a conversation",
              export_conversation, query=ExportQuery, gives={200: None}, stream=_KINDS,
              errors=(e.ConversationNotFound,)),
]  # fmt: skip
