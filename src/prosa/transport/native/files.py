"""`/api/files`: files that go with messages."""

import asyncio
import re
from typing import BinaryIO, Literal
from urllib.parse import quote

from msgspec import Struct
from starlette.types import Receive, Send

from prosa.domain import errors as e
from prosa.domain import files as f
from prosa.domain.time import to_iso
from prosa.services.files.rules import MOST_BYTES
from prosa.transport.errors import Headers
from prosa.transport.multipart import Upload
from prosa.transport.native.forms import Id
from prosa.transport.operation import Call, HeaderField, Nothing, Operation, Reply, Stream
from prosa.transport.pace import timely

FRAME = 64 * 1024
"""Bytes that a form may have beside its file."""

PIECE = 64 * 1024
"""Bytes that are read and sent at once."""

RANGE = HeaderField("Range", "One range of bytes.", r"^bytes=(?:\d{1,18}-\d{0,18}|-\d{1,18})$")


class FileForm(Struct, frozen=True, rename="camel"):
    """`conversationId` is null until a message has it. `width` and `height` are a picture's, in pixels."""

    id: str
    name: str
    media_type: str
    kind: Literal["image", "document"]
    size: int
    width: int | None
    height: int | None
    conversation_id: str | None
    created_at: str


def file_form(file: f.File) -> FileForm:
    return FileForm(
        id=file.id,
        name=file.name,
        media_type=file.media_type,
        kind=file.kind.value,
        size=file.size,
        width=file.width,
        height=file.height,
        conversation_id=file.conversation_id,
        created_at=to_iso(file.created_at),
    )


class UploadQuery(Struct, frozen=True, rename="camel"):
    """`conversationId` says where the file is going to be sent. A ticket's conversation belongs to all users
    of a client, and only with this its files do, too."""

    conversation_id: Id | None = None


async def upload_file(call: Call[Nothing, UploadQuery]) -> Reply:
    """Takes a form with one field, `file`. What is in the file decides what it is; its name is a label. Send
    its id as one of a message's `attachments` within 24 hours, else it is deleted."""
    assert call.chunks is not None
    owner, where = call.principal, call.query.conversation_id
    if where is not None:
        owner = await call.chat.conversations.owner(owner, where.lower())
    upload = Upload(call.headers["content-type"], timely(call.chunks))
    await upload.begin()
    return Reply(201, file_form(await call.chat.files.add(owner, upload.name, upload.data())))


async def get_file(call: Call[Nothing, Nothing]) -> Reply:
    return Reply(200, file_form(await call.chat.files.get(call.principal, _id(call))))


async def get_content(call: Call[Nothing, Nothing]) -> Reply | Stream:
    """The bytes, always as a download that no browser runs. One range is heeded (206)."""
    file, opened = await call.chat.files.content(call.principal, _id(call))
    headers = _headers(file)
    if call.headers.get("if-none-match") == _etag(file):
        opened.close()
        return Reply(304, headers=headers)
    part = _range(call.headers.get("range"), file.size)
    if part is None:
        return _sending(opened, 200, headers, 0, file.size)
    start, end = part
    if start >= end:
        opened.close()
        return Reply(416, headers=[*headers, (b"content-range", b"bytes */%d" % file.size)])
    headers.append((b"content-range", b"bytes %d-%d/%d" % (start, end - 1, file.size)))
    return _sending(opened, 206, headers, start, end)


async def delete_file(call: Call[Nothing, Nothing]) -> Reply:
    """Before it is sent. After that it goes with its messages."""
    await call.chat.files.delete(call.principal, _id(call))
    return Reply(204)


def _sending(opened: BinaryIO, status: int, headers: Headers, start: int, end: int) -> Stream:
    async def write(receive: Receive, send: Send) -> None:
        del receive
        sized = [*headers, (b"content-length", b"%d" % (end - start))]
        with opened:
            await send({"type": "http.response.start", "status": status, "headers": sized})
            await asyncio.to_thread(opened.seek, start)
            left = end - start
            while left:
                piece = await asyncio.to_thread(opened.read, min(left, PIECE))
                if not piece:
                    return  # it is shorter than it was: the connection is closed, for the answer has no end
                left -= len(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": left > 0})

    return Stream(write)


def _headers(file: f.File) -> Headers:
    text = "; charset=utf-8" if file.media_type.startswith("text/") else ""
    return [
        (b"content-type", f"{file.media_type}{text}".encode()),
        (b"content-disposition", disposition(file.name).encode()),
        (b"content-security-policy", b"sandbox; default-src 'none'"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"cache-control", b"private, no-cache"),
        (b"etag", _etag(file).encode()),
        (b"accept-ranges", b"bytes"),
    ]


def disposition(name: str) -> str:
    """A download under this name: in ASCII for old readers (RFC 6266), and whole (RFC 8187)."""
    plain = re.sub(r"[^A-Za-z0-9 ._-]", "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _etag(file: f.File) -> str:
    return f'"{file.id}"'


def _range(asked: str | None, size: int) -> tuple[int, int] | None:
    """The first byte and the one after the last; None where the whole is asked for, or several ranges."""
    if asked is None or not re.fullmatch(RANGE.pattern, asked):
        return None
    first, _, last = asked.removeprefix("bytes=").partition("-")
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(size, int(last) + 1) if last else size


def _id(call: Call[Nothing, Nothing]) -> str:
    return call.id("fileId", f.FileNotFound)


_ONE = "/api/files/{fileId}"

OPERATIONS = [
    Operation("POST", "/api/files", "Upload a file", upload_file,
              query=UploadQuery, uploads=("multipart/form-data",), limit=MOST_BYTES + FRAME,
              gives={201: FileForm},
              errors=(e.ConversationNotFound, f.FileTooLarge, f.FileRefused, f.InvalidFile, f.EmptyFile,
                      f.ImageTooLarge, f.FilesFull, f.UploadTooSlow, f.TooManyUploads, f.FilesUnavailable)),
    Operation("GET", _ONE, "Get what is known of a file", get_file, gives={200: FileForm},
              errors=(f.FileNotFound,)),
    Operation("GET", _ONE + "/content", "Get a file", get_content, headers=(RANGE,),
              gives={200: None, 206: None, 304: None, 416: None}, stream="application/octet-stream",
              errors=(f.FileNotFound, f.FilesUnavailable)),
    Operation("DELETE", _ONE, "Delete a file that was not sent", delete_file, gives={204: None},
              errors=(f.FileNotFound, f.FileSent)),
]  # fmt: skip
