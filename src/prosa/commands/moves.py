"""`prosa export` and `prosa import`: conversations into files and out of them."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from prosa import bootstrap, config
from prosa.commands.mover import Mover, mover
from prosa.domain.errors import MisconfiguredError
from prosa.domain.principal import LOCAL
from prosa.services.export.formats import Format
from prosa.services.imports.sources import Source
from prosa.transport.native.imports import DoneLine, ProgressLine

SOME_FAILED = 3
"""The status of an import that left something out."""
_MEGABYTE = 1_000_000
_TELL_EVERY = _MEGABYTE

User = Annotated[str, typer.Option(help="Whose conversations; needed where there are tokens.")]
Url = Annotated[
    str | None,
    typer.Option(help="Where the server is, if it has the database to itself and listens elsewhere."),
]


def export(
    user: User = "",
    conversation: Annotated[str | None, typer.Option(help="The id of one; without it, all.")] = None,
    form: Annotated[Format, typer.Option("--format", help="JSON alone can be imported again.")] = "json",
    output: Annotated[Path | None, typer.Option(help="The file; without it, standard output.")] = None,
    url: Url = None,
) -> None:
    """Write conversations to a file."""

    async def work(to: Mover) -> None:
        total, pieces = await to.export(conversation, form)
        if output is None:
            size = await _write(pieces, sys.stdout.buffer, total)
        else:
            size = await _write_file(pieces, output, total)
        where = "" if output is None else f" to {output}"
        _say(f"Exported {_many(total, 'conversation')} ({size / _MEGABYTE:.1f} MB){where}.")

    _run(user, url, work)


def bring(
    file: Annotated[Path, typer.Argument(help="An export of Prosa, ChatGPT, Claude, or OpenAI threads.")],
    user: User = "",
    source: Annotated[Source, typer.Option(help="Which program wrote it.")] = "auto",
    url: Url = None,
) -> None:
    """Read conversations from a file. What is there already stays as it is. Ends with 3 where some were left
    out."""
    if not file.is_file():
        raise MisconfiguredError(f"There is no file {file}.")

    async def work(to: Mover) -> None:
        done: DoneLine | None = None
        async for line in to.bring(file, source):
            if isinstance(line, ProgressLine):
                _show(f"{_many(line.conversations, 'conversation')}, {_many(line.messages, 'message')}")
            else:
                done = line
        if done is None:
            raise MisconfiguredError("The import broke off. Start it again: what is there already is kept.")
        _tell(done)
        if done.failed:
            raise typer.Exit(SOME_FAILED)

    _run(user, url, work)


def _run(user: str, url: str | None, work: Callable[[Mover], Awaitable[None]]) -> None:
    settings = config.load()
    if not user and not bootstrap.identity(settings).local:
        raise MisconfiguredError("Say whose conversations with --user: it is the token's `sub`.")

    async def all_of_it() -> None:
        async with mover(settings, user or LOCAL.user_id, url) as found:
            await work(found)

    asyncio.run(all_of_it())


async def _write(pieces: AsyncIterator[bytes], file: BinaryIO, total: int) -> int:
    size = told = 0
    async for piece in pieces:
        file.write(piece)
        size += len(piece)
        if size - told >= _TELL_EVERY:
            told = size
            _show(f"{_many(total, 'conversation')}: {size / _MEGABYTE:.0f} MB")
    file.flush()
    return size


async def _write_file(pieces: AsyncIterator[bytes], path: Path, total: int) -> int:
    """The file is there whole, or as it was before."""
    beside = path.with_name(f"{path.name}.part")
    try:
        with beside.open("wb") as file:
            size = await _write(pieces, file, total)
        beside.replace(path)
    except OSError as error:
        raise MisconfiguredError(f"{path} can't be written: {error.strerror}.") from error
    finally:
        beside.unlink(missing_ok=True)
    return size


def _tell(done: DoneLine) -> None:
    were = "was" if done.skipped == 1 else "were"
    there = f"; {_many(done.skipped, 'conversation')} {were} there already" if done.skipped else ""
    _say(f"Imported {_many(done.imported, 'conversation')} with {_many(done.messages, 'message')}{there}.")
    for each in done.failed:
        print(f"! {each.id or 'the file'}: {each.reason}", file=sys.stderr)


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def _show(text: str) -> None:
    """Progress, where somebody looks."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text} …", end="", file=sys.stderr, flush=True)


def _say(text: str) -> None:
    print(f"\r\033[K{text}" if sys.stderr.isatty() else text, file=sys.stderr)
