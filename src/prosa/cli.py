"""The command `prosa`: parses words, calls bootstrap."""

import asyncio
import secrets
import sys
import time
from functools import partial
from typing import Annotated

import typer

from prosa import bootstrap, config, telemetry
from prosa.commands import access, alerts, audit, erase, keys, models, moves, usage
from prosa.commands.address import address
from prosa.domain.errors import ProsaError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(alerts.app, name="alerts")
app.add_typer(audit.app, name="audit")
app.add_typer(access.keys, name="api-keys")
app.command()(access.suspend)
app.command()(access.unsuspend)
app.command()(access.suspensions)
app.add_typer(keys.app, name="keys")
app.command()(models.models)
app.command()(usage.usage)
app.command()(erase.erase)
app.command(name="export")(moves.export)
app.command(name="import")(moves.bring)


def main() -> None:
    """Runs a command; a failure that has a sentence ends with it and status 1."""
    try:
        app()
    except ProsaError as error:
        print(f"prosa: {error}", file=sys.stderr)
        sys.exit(1)


@app.command()
def serve() -> None:
    """Serve the API and the page."""
    settings = config.load()
    telemetry.logs(settings)
    from prosa.server import listen
    from prosa.server import serve as run

    listener = listen(settings.host, settings.port)
    host, port = listener.getsockname()[:2]

    async def all_of_it() -> None:
        async with telemetry.told(settings):
            chat = bootstrap.chat(settings)
            print(f"Prosa is at {address(host, port)}/", flush=True)
            await run(partial(bootstrap.application, settings, chat), chat, listener, settings.drain_seconds)

    try:
        import uvloop
    except ImportError:
        asyncio.run(all_of_it())
    else:
        uvloop.run(all_of_it())


@app.command()
def migrate() -> None:
    """Bring the database up to date. On Postgres it needs PROSA_DATABASE_OWNER_URL."""
    asyncio.run(bootstrap.migrate(config.load()))
    print("The database is up to date.")


@app.command()
def token(
    user: Annotated[str, typer.Option(help="The user's id: it becomes the token's `sub`.")],
    client: Annotated[str, typer.Option(help="The tenant or customer account, if any.")] = "",
    *,
    admin: Annotated[
        bool, typer.Option("--admin", help="Give the token and the link the operator's role.")
    ] = False,
    days: Annotated[int, typer.Option(min=1, help="How long the token is valid.")] = 30,
    url: Annotated[str, typer.Option(help="Where the page is, if not where this machine listens.")] = "",
) -> None:
    """Print a token for a user, and a link that signs a browser in once."""
    settings = config.load()
    identity = bootstrap.identity(settings)
    if not identity.signs:
        print("prosa: PROSA_JWT_SECRET is not set: nothing here can sign a token.", file=sys.stderr)
        sys.exit(1)
    now = int(time.time())
    who = identity.claim(user, client, admin=admin)
    page = (url or address(settings.host, settings.port)).rstrip("/")
    link = identity.sign_in_link(who, secrets.token_urlsafe(16), now + 3_600)
    print("Token:  ", identity.sign({**who, "iat": now, "exp": now + days * 86_400}))
    print("Sign in:", f"{page}/#sign-in={link}", "(works once, for an hour)")


@app.command()
def doctor() -> None:
    """Print the settings in force and where they come from, never a secret; say what is weak."""
    settings = config.load()
    rows = config.in_force(settings)
    width = max(len(name) for name, _, _ in rows)
    for name, value, where in rows:
        print(f"{name:{width}}  {value}  ({where})")
    from prosa.commands import advice

    async def of_keys() -> list[str]:
        return [each async for each in advice.of_keys(settings)]

    for said in (*advice.of_settings(settings), *asyncio.run(of_keys())):
        print(f"! {said}")
