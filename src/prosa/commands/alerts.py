"""`prosa alerts`: whether alerts arrive."""

import asyncio
import sys

import typer

from prosa import bootstrap
from prosa.domain.alerts import Alert, Kind
from prosa.domain.errors import MisconfiguredError, ProsaError
from prosa.domain.ids import new_id
from prosa.domain.time import now

app = typer.Typer(no_args_is_help=True, help="Try whether alerts arrive.")


@app.callback()
def group() -> None:
    """Try whether alerts arrive."""


@app.command()
def test() -> None:
    """Send one to the webhook and to apprise's addresses of prosa.toml, at once."""
    if not asyncio.run(_send()):
        sys.exit(1)


async def _send() -> bool:
    """Whether all took it. Raises MisconfiguredError where there is nobody to tell."""
    messengers = bootstrap.told()
    if not messengers:
        raise MisconfiguredError(
            "There is nobody to tell: set `webhook` or `apprise` in [alerts] of prosa.toml."
        )
    alert = Alert(new_id(), Kind.TEST, "test", "", 0, {}, now())
    arrived = True
    for messenger in messengers:
        try:
            await messenger.send(alert)
        except ProsaError as error:
            print(f"{messenger.name}: {error}", file=sys.stderr)
            arrived = False
        else:
            print(f"{messenger.name}: delivered.")
        finally:
            await messenger.close()
    return arrived
