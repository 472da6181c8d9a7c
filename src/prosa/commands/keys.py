"""`prosa keys`: providers' keys, which are read from standard input or a prompt, never from the words."""

import asyncio
import getpass
import logging
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from prosa import config
from prosa.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from prosa.commands.desk import Desk
    from prosa.transport.admin.keys import KeyForm

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="Add, list, rotate and retire providers' keys.")

Url = Annotated[str | None, typer.Option(help="The server to ask, if not the one of this machine.")]
Id = Annotated[str, typer.Argument(help="The key's id, as `prosa keys list` shows it.")]

COLUMNS = ("id", "provider", "key", "label", "weight", "state", "last used", "requests", "tokens", "cost")


@app.callback()
def quiet() -> None:
    """Add, list, rotate and retire providers' keys."""
    import structlog

    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


@app.command()
def add(
    provider: Annotated[str, typer.Argument(help="Such as openai, anthropic or mistral.")],
    label: Annotated[str, typer.Option(help="What people call it.")] = "",
    weight: Annotated[int, typer.Option(min=1, max=1_000, help="How often it is used, beside others.")] = 1,
    url: Url = None,
) -> None:
    """Add a key, which is read from standard input or asked for. It is used at once."""
    secret = _secret()
    added = _at(url, lambda keys: keys.add(provider, secret, label, weight))
    print(f"Added {added.id} ({_named(added)}).")


@app.command(name="list")
def list_(
    *,
    retired: Annotated[bool, typer.Option("--all", help="Show retired keys, too.")] = False,
    url: Url = None,
) -> None:
    """Show the keys, how they fare, and what was spent with each in the last 30 days."""
    found = _at(url, lambda keys: keys.list())
    shown = [each for each in found if retired or each.state != "retired"]
    if not shown:
        print("There are no stored keys. Add one with `prosa keys add <provider>`.")
        return
    rows = [COLUMNS, *map(_row, shown)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(COLUMNS))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@app.command()
def rotate(
    key_id: Annotated[str | None, typer.Argument(help="The key whose place a new one takes.")] = None,
    *,
    master: Annotated[bool, typer.Option("--master", help="Rotate the master key that seals them.")] = False,
    url: Url = None,
) -> None:
    """Put a new key, read as in `add`, in the place of one; or, with --master, seal all keys anew."""
    if master == (key_id is not None):
        raise InvalidRequest("name either a key or --master.")
    if key_id is None:
        print(f"Sealed {_at(url, lambda keys: keys.rotate_master())} keys anew.")
        return
    secret = _secret()
    rotated = _at(url, lambda keys: keys.rotate(key_id, secret))
    print(f"Added {rotated.id} ({_named(rotated)}) in the place of {key_id}, which is retired.")


@app.command()
def retire(key_id: Id, url: Url = None) -> None:
    """Use a key no more, and delete its secret. Answers that began with it are finished with it."""
    _at(url, lambda keys: keys.retire(key_id))
    print(f"Retired {key_id}.")


def _at(url: str | None, work: "Callable[[Desk], Awaitable[T]]") -> T:
    from prosa.commands.desk import desk

    async def all_of_it() -> T:
        async with desk(config.load(), url) as keys:
            return await work(keys)

    return asyncio.run(all_of_it())


def _secret() -> str:
    read = getpass.getpass("Key: ") if sys.stdin.isatty() else sys.stdin.readline()
    return read.strip()


def _named(key: "KeyForm") -> str:
    return f"{key.provider}, …{key.hint}" if key.hint else key.provider


def _row(key: "KeyForm") -> tuple[str, ...]:
    since = f" since {_minute(key.set_aside_at)}" if key.state == "set_aside" and key.set_aside_at else ""
    why = f": {key.reason}" if key.reason and key.state == "set_aside" else ""
    return (
        key.id,
        key.provider,
        f"…{key.hint}" if key.hint else "-",
        key.label or "-",
        str(key.weight),
        f"{key.state.replace('_', ' ')}{why}{since}",
        _minute(key.last_used_at) if key.last_used_at else "never",
        str(key.use.requests),
        str(key.use.prompt_tokens + key.use.completion_tokens),
        f"${key.use.cost}",
    )


def _minute(instant: str) -> str:
    """`2026-11-21 09:30Z`."""
    return f"{instant[:10]} {instant[11:16]}Z"
