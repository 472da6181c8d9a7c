"""`prosa models`: which models can be asked for, with no server running."""

import asyncio
import sys
from typing import Annotated

import typer

from prosa import bootstrap, config
from prosa.services.models.listing import Entry, Listing

COLUMNS = ("model", "window", "input", "output", "cached", "can", "")


def models(
    provider: Annotated[str | None, typer.Argument(help="Show only this one's models.")] = None,
) -> None:
    """Print the models that can be asked for, with prices in US dollars a million tokens."""
    entries = asyncio.run(_entries())
    rows = [_row(entry) for entry in entries if provider in (None, entry.provider)]
    widths = [max(map(len, column)) for column in zip(COLUMNS, *rows, strict=True)]
    for row in (COLUMNS, *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


async def _entries() -> list[Entry]:
    _quietly()
    catalogue = bootstrap.Supply(config.load()).catalogue
    try:
        return await Listing(catalogue).entries()
    finally:
        await catalogue.close()


def _row(entry: Entry) -> tuple[str, ...]:
    price = None if entry.tariff is None else entry.tariff.base
    amounts = (
        ("?", "?", "?")
        if price is None
        else tuple("-" if each is None else f"{each:f}" for each in (price.input, price.output, price.cached))
    )
    return entry.id, str(entry.window), *amounts, ", ".join(entry.capabilities) or "text", _remarks(entry)


def _remarks(entry: Entry) -> str:
    said = ["default"] if entry.default else []
    if entry.targets:
        said.append("route: " + ", ".join(entry.targets))
    elif entry.kind == "alias":
        said.append(f"alias of {entry.name}")
    if entry.shutdown_at is not None:
        said.append(
            f"shut down on {entry.shutdown_at}" + (f", then {entry.successor}" if entry.successor else "")
        )
    return "; ".join(said)


def _quietly() -> None:
    """What is to be warned of stands in the list itself; what else there is goes beside it."""
    import structlog

    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
