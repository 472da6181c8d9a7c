"""`POST /api/import`: conversations from a file, with their progress as NDJSON."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from typing import IO, Any

import msgspec
from msgspec import Struct
from starlette.types import Receive, Send

from prosa.domain.errors import StoreUnavailable
from prosa.domain.files import FilesUnavailable, UploadTooSlow
from prosa.domain.imports import NewerFile, RefusedArchive, UnknownFile
from prosa.services.imports.importer import Done, Failure, Progress
from prosa.services.imports.sources import Source
from prosa.transport.errors import Headers
from prosa.transport.operation import Call, Nothing, Operation, Stream
from prosa.transport.pace import timely
from prosa.transport.pieces import write_pieces

LIMIT = 1024 * 1024 * 1024
"""Bytes of a file; they wait on the disk until they are read."""
SPOOL = 1024 * 1024
"""Bytes that are written to the disk at once."""

HEADERS: Headers = [
    (b"content-type", b"application/x-ndjson"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]


class ImportQuery(Struct, frozen=True):
    source: Source = "auto"


class ProgressLine(Struct, frozen=True, tag="progress"):
    conversations: int
    messages: int


class FailureForm(Struct, frozen=True):
    """`id` is null where it is the file that is broken, or where there are too many to tell."""

    id: str | None
    reason: str


class DoneLine(Struct, frozen=True, tag="done"):
    imported: int
    skipped: int
    messages: int
    failed: list[FailureForm]


async def import_conversations(call: Call[Nothing, ImportQuery]) -> Stream:
    """Takes an export of Prosa, the data export of ChatGPT or of Claude (the zip or its conversations.json),
    or OpenAI threads as JSON. Answers with lines of JSON: `progress`, then one `done`. What is there already
    stays as it is, so that importing a file twice makes nothing twice."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the stream closes it
    try:
        await _spool(timely(call.chunks or _nothing()), file)
        steps = call.chat.imports.run(call.principal, file, call.query.source)
        whose = f"user:{call.principal.user_id}"
        await call.chat.audit.note(call.principal, "import", whose, source=call.query.source)
        first = await anext(steps)  # what can be refused is refused before anything is answered
    except BaseException:
        file.close()
        raise

    async def write(receive: Receive, send: Send) -> None:
        try:
            await write_pieces(HEADERS, _lines(first, steps, call.language), receive, send)
        finally:
            await steps.aclose()
            file.close()

    return Stream(write)


async def _spool(chunks: AsyncIterator[bytes], file: IO[bytes]) -> None:
    """Puts the body into `file`, which is then at its beginning. Raises UploadTooSlow, FilesUnavailable."""
    held: list[bytes] = []
    size = 0
    try:
        async for chunk in chunks:
            held.append(chunk)
            size += len(chunk)
            if size >= SPOOL:
                await asyncio.to_thread(file.write, b"".join(held))
                held.clear()
                size = 0
        await asyncio.to_thread(file.write, b"".join(held))
        await asyncio.to_thread(file.seek, 0)
    except OSError as error:  # the disk is full
        raise FilesUnavailable from error


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield


async def _lines(
    first: Progress | Done, steps: AsyncIterator[Progress | Done], language: str
) -> AsyncIterator[bytes]:
    yield _encoded(line_of(first, language))
    async for step in steps:
        yield _encoded(line_of(step, language))


def line_of(step: Progress | Done, language: str) -> ProgressLine | DoneLine:
    """What is told of a step."""
    if isinstance(step, Progress):
        return ProgressLine(step.conversations, step.messages)
    return DoneLine(step.imported, step.skipped, step.messages, _failures(step, language))


def _failures(done: Done, language: str) -> list[FailureForm]:
    told = [_failure(each, language) for each in done.failed]
    more = {"en": f"{done.more} more were not imported.", "pt": f"Outras {done.more} não foram importadas."}
    return [*told, FailureForm(None, more.get(language, more["en"]))] if done.more else told


def _failure(failure: Failure, language: str) -> FailureForm:
    return FailureForm(failure.id, failure.error.sentence(language))


def _encoded(line: Any) -> bytes:
    return msgspec.json.encode(line) + b"\n"


OPERATIONS = [
    Operation("POST", "/api/import", "Import conversations", import_conversations, query=ImportQuery,
              gives={200: None}, stream="application/x-ndjson", limit=LIMIT,
              uploads=("application/json", "application/octet-stream", "application/zip"),
              errors=(UnknownFile, NewerFile, RefusedArchive, UploadTooSlow, StoreUnavailable,
                      FilesUnavailable)),
]  # fmt: skip
