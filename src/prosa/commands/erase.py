"""`prosa erase`: all that is a user's or a client's, taken away."""

import asyncio
from typing import Annotated

import typer

from prosa import bootstrap, config
from prosa.commands.address import address
from prosa.commands.keys import quiet
from prosa.config import Settings
from prosa.domain.erasure import Scope
from prosa.domain.errors import InvalidRequest, StoreLocked
from prosa.domain.principal import COMMAND
from prosa.transport.admin.erasures import ErasureForm, erasure_form


def erase(
    user: Annotated[str, typer.Option(help="The user's id.")] = "",
    client: Annotated[str, typer.Option(help="The client's id: all that its users have with it.")] = "",
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    url: Annotated[
        str | None, typer.Option(help="The server to ask, if not the one of this machine.")
    ] = None,
) -> None:
    """Take away all that is a user's or a client's, for good, and print the receipt."""
    quiet()
    if bool(user) == bool(client):
        raise InvalidRequest("name either a user or a client.")
    scope, subject = (Scope.USER, user) if user else (Scope.CLIENT, client)
    if not yes:
        typer.confirm(f"Erase all that is of {scope} {subject}? It can't be undone.", abort=True)
    receipt = asyncio.run(_erased(config.load(), scope, subject, url))
    print(f"Erased {scope} {subject}. Receipt {receipt.id}, {receipt.erased_at}.")
    for name, number in receipt.counts.items():
        if number:
            print(f"  {name}: {number}")


async def _erased(settings: Settings, scope: Scope, subject: str, url: str | None) -> ErasureForm:
    if url is None:
        try:
            async with bootstrap.erasing(settings) as erasing:
                return erasure_form(await erasing.erase(COMMAND, scope, subject))
        except StoreLocked:
            url = address(settings.host, settings.port)
    import msgspec

    from prosa.commands.desk import called, session_of

    async with session_of(settings, patience=None) as session:
        body = {f"{scope}Id": subject}
        answer = await called(session, "POST", url.rstrip("/"), "/erasures", body)
        return msgspec.json.decode(answer, type=ErasureForm)
