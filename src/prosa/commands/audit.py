"""`prosa audit`: whether the log of who did what is whole."""

import asyncio
from typing import Annotated

import typer

from prosa import bootstrap, config
from prosa.commands.address import address
from prosa.config import Settings
from prosa.domain.audit import Head
from prosa.domain.errors import InvalidRequest, StoreLocked
from prosa.domain.principal import COMMAND
from prosa.transport.admin.audit import FindingForm, finding_form

BROKEN = 3
"""The status where the chain does not hold."""

app = typer.Typer(no_args_is_help=True, help="Check the audit log.")


@app.callback()
def audit() -> None:
    """Check the audit log."""


@app.command()
def verify(
    head: Annotated[
        str, typer.Option(help="What an earlier check printed: the log must still have it as it was.")
    ] = "",
    url: Annotated[
        str | None, typer.Option(help="The server to ask, if not the one of this machine.")
    ] = None,
) -> None:
    """Walk along the whole log: rows that were changed, taken out, moved or put in are found. Ends with 3
    where there are such."""
    found = asyncio.run(_found(config.load(), _head(head), url))
    if found.intact:
        print(f"The audit log is whole: {found.rows} rows{_gone(found.swept)}.")
    else:
        print(f"The audit log was tampered with: it does not hold from row {found.broken_at} on.")
    if found.rows:
        print(f"Head: {found.head.rows}:{found.head.hash}")
    if not found.intact:
        raise typer.Exit(BROKEN)


def _gone(swept: int) -> str:
    return f", of which the first {swept} were swept" if swept else ""


def _head(text: str) -> Head:
    rows, _, hashed = text.partition(":")
    if text and not (rows.isdecimal() and hashed):
        raise InvalidRequest("--head is what an earlier check printed, as in 120:9f86d0….")
    return Head(int(rows), hashed) if text else Head()


async def _found(settings: Settings, known: Head, url: str | None) -> FindingForm:
    if url is None:
        try:
            async with bootstrap.audit(settings) as log:
                return finding_form(await log.verify(COMMAND, known))
        except StoreLocked:
            url = address(settings.host, settings.port)
    import msgspec

    from prosa.commands.desk import called, session_of

    async with session_of(settings) as session:
        path = f"/audit/verify?rows={known.rows}&hash={known.hash}"
        return msgspec.json.decode(await called(session, "GET", url.rstrip("/"), path), type=FindingForm)
