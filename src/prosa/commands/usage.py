"""`prosa usage`: what users have used, by model, user and day."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlencode

import msgspec
import typer

from prosa import bootstrap, config
from prosa.commands.address import address
from prosa.config import Settings
from prosa.domain.errors import StoreLocked
from prosa.domain.principal import COMMAND
from prosa.domain.usage import Wanted

if TYPE_CHECKING:
    from prosa.transport.admin.usage import AdminUsageForm
    from prosa.transport.native.usage import SumForm

MOST = 20
"""Rows of a table that are printed."""


def usage(
    user: Annotated[str | None, typer.Option(help="Of this user alone.")] = None,
    client: Annotated[str | None, typer.Option(help="Of this client alone.")] = None,
    since: Annotated[str | None, typer.Option(help="A day or a moment; without it, this month.")] = None,
    until: Annotated[str | None, typer.Option(help="The last day, or a moment.")] = None,
    url: Annotated[
        str | None, typer.Option(help="The server to ask, if not the one of this machine.")
    ] = None,
) -> None:
    """Say what was used this month, by model, user and day. It is a row of the audit log."""
    asked = {"userId": user, "clientId": client, "since": since, "until": until}
    _tell(asyncio.run(_found(config.load(), asked, url)))


async def _found(settings: Settings, asked: dict[str, str | None], url: str | None) -> "AdminUsageForm":
    from prosa.transport.admin.usage import AdminUsageForm, admin_form
    from prosa.transport.native.moments import span

    if url is None:
        try:
            async with bootstrap.reports(settings) as reports:
                bounds = span(asked["since"], asked["until"], reports.calendar)
                wanted = Wanted(asked["userId"], asked["clientId"])
                return admin_form(await reports.of_all(COMMAND, wanted, *bounds))
        except StoreLocked:
            url = address(settings.host, settings.port)
    from prosa.commands.desk import called, session_of

    query = urlencode({name: value for name, value in asked.items() if value is not None})
    async with session_of(settings) as session:
        answer = await called(session, "GET", url.rstrip("/"), f"/usage?{query}")
    return msgspec.json.decode(answer, type=AdminUsageForm)


def _tell(found: "AdminUsageForm") -> None:
    print(f"{found.total_tokens:,} tokens in {found.requests:,} requests: ${found.cost_exact}")
    print(f"{found.prompt_tokens:,} of prompts, {found.completion_tokens:,} of answers")
    if found.estimated:
        print(f"! {found.estimated:,} requests have estimated tokens.")
    if found.unpriced:
        print(f"! {found.unpriced:,} requests have no known price, and are in no cost.")
    _table("By model", [(f"{each.provider}/{each.model}", each) for each in found.models])
    users = [
        (f"{each.user_id} ({each.client_id})" if each.client_id else each.user_id, each)
        for each in found.users
    ]
    _table("By user", users)
    _table("By day", [(each.day, each) for each in found.days])


def _table(title: str, rows: "Sequence[tuple[str, SumForm]]") -> None:
    if not rows:
        return
    print(f"\n{title}")
    shown = rows[-MOST:] if title == "By day" else rows[:MOST]
    width = max(len(name) for name, _ in shown)
    for name, each in shown:
        counts = f"{each.total_tokens:>13,} tokens  {each.requests:>7,} requests"
        print(f"  {name:{width}}  {counts}  ${each.cost_exact}")
