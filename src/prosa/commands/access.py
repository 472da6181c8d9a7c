"""`prosa api-keys`, `prosa suspend`, `prosa unsuspend`: who may call, in the store or through its server."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar
from urllib.parse import quote

import msgspec
import typer

from prosa import bootstrap, config
from prosa.commands.address import address
from prosa.domain.access import ApiKeyNotFound
from prosa.domain.errors import InvalidRequest, StoreLocked
from prosa.domain.ids import parse_id
from prosa.domain.principal import CHAT, COMMAND
from prosa.domain.time import DAY, Instant, now
from prosa.services.access.access import Access, NewApiKey
from prosa.services.audit import Audit
from prosa.services.keys.masters import Masters
from prosa.transport.admin.access import SuspensionForm, suspension_form
from prosa.transport.native.apikeys import ApiKeyForm, MadeKeyForm, api_key_form, made_key_form
from prosa.transport.native.forms import Page

if TYPE_CHECKING:
    from aiohttp import ClientSession

T = TypeVar("T")
Kind = Literal["user", "client"]
Ask = Callable[[str, str, dict[str, Any] | None], Awaitable[bytes]]
"""(method, path below /api/admin, body) → the answer."""

keys = typer.Typer(no_args_is_help=True, help="Make, list and revoke API keys.")

Url = Annotated[str | None, typer.Option(help="The server to ask, if not the one of this machine.")]
User = Annotated[str, typer.Option(help="The user's id.")]
Client = Annotated[str, typer.Option(help="The tenant or customer account.")]

MOST = 200


@keys.command()
def add(
    user: User,
    name: Annotated[str, typer.Option(help="What people call it.")],
    client: Client = "",
    scope: Annotated[
        list[str] | None, typer.Option(help="chat (usual), read, embed or admin; repeatable.")
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, help="How long it is good; without it, until revoked.")
    ] = None,
    url: Url = None,
) -> None:
    """Make a key for a user. It is printed once."""
    ends = None if days is None else Instant(now() + days * DAY)
    asked = NewApiKey(user, client, name, tuple(scope or [CHAT]), ends)

    async def here(access: Access) -> MadeKeyForm:
        return made_key_form(await access.add(asked, COMMAND))

    async def there(ask: Ask) -> MadeKeyForm:
        body: dict[str, Any] = {"userId": user, "name": name, "scopes": list(asked.scopes)}
        body |= {"clientId": client} if client else {}
        if days is not None:
            until = time.gmtime(time.time() + days * 86_400)
            body["expiresAt"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", until)
        return msgspec.json.decode(await ask("POST", "/api-keys", body), type=MadeKeyForm)

    made = _done(url, here, there)
    print(f"Key:            {made.key}")
    if made.signing_secret is not None:
        print(f"kid:            {made.kid}")
        print(f"Signing secret: {made.signing_secret}")
    print(f"Made {made.id} for {made.user_id}. It is not shown again.")


@keys.command(name="list")
def list_(user: User = "", url: Url = None) -> None:
    """Show the newest keys, of one user or of all."""

    async def here(access: Access) -> list[ApiKeyForm]:
        found, _ = await access.look(COMMAND, user or None, MOST, None)
        return [api_key_form(each) for each in found]

    async def there(ask: Ask) -> list[ApiKeyForm]:
        whose = f"&userId={quote(user, safe='')}" if user else ""
        found = await ask("GET", f"/api-keys?limit={MOST}{whose}", None)
        return msgspec.json.decode(found, type=Page[ApiKeyForm]).items

    rows: list[tuple[str, ...]] = [
        ("id", "user", "client", "name", "scopes", "key", "expires", "last used", "state")
    ]
    rows += [_row(each) for each in _done(url, here, there)]
    _print(rows, "There are no API keys. Make one with `prosa api-keys add`.")


@keys.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="The key's id, as `prosa api-keys list` shows it.")],
    url: Url = None,
) -> None:
    """Let nobody in with a key any more, on any node, and cut off who is."""
    known = parse_id(key_id)
    if known is None:
        raise ApiKeyNotFound

    async def there(ask: Ask) -> None:
        await ask("DELETE", f"/api-keys/{known}", None)

    _done(url, lambda access: access.revoke(known, None, COMMAND), there)
    print(f"Revoked {known}.")


def suspend(
    user: User = "",
    client: Client = "",
    reason: Annotated[str, typer.Option(help="For whoever reads the list.")] = "",
    *,
    only_admin: Annotated[bool, typer.Option("--only-admin", help="Take the operator's role alone.")] = False,
    url: Url = None,
) -> None:
    """Refuse a user or a client, whatever they call with, and cut their streams and sockets off."""
    kind, subject = _subject(user, client)
    part: Literal["", "admin"] = "admin" if only_admin else ""

    async def there(ask: Ask) -> None:
        body = {f"{kind}Id": subject, "reason": reason, "only": part or None}
        await ask("POST", "/suspensions", body)

    async def here(access: Access) -> None:
        await access.suspend(kind, subject, COMMAND, part=part, reason=reason)

    _done(url, here, there)
    print(f"The {kind} {subject} is {'no operator any more' if only_admin else 'suspended'}.")


def unsuspend(user: User = "", client: Client = "", url: Url = None) -> None:
    """Let a user or a client in again."""
    kind, subject = _subject(user, client)

    async def there(ask: Ask) -> None:
        await ask("DELETE", f"/suspensions?{kind}Id={quote(subject, safe='')}", None)

    _done(url, lambda access: access.lift(kind, subject, COMMAND), there)
    print(f"The {kind} {subject} is let in again.")


def suspensions(url: Url = None) -> None:
    """Show who is suspended."""

    async def here(access: Access) -> list[SuspensionForm]:
        return [suspension_form(each) for each in await access.suspensions(COMMAND)]

    async def there(ask: Ask) -> list[SuspensionForm]:
        return msgspec.json.decode(await ask("GET", "/suspensions", None), type=Page[SuspensionForm]).items

    rows: list[tuple[str, ...]] = [("user", "client", "only", "since", "by", "reason")]
    rows += [
        (each.user_id or "-", each.client_id or "-", each.only or "-", each.created_at[:16], each.created_by,
         each.reason or "-")
        for each in _done(url, here, there)
    ]  # fmt: skip
    _print(rows, "Nobody is suspended.")


@asynccontextmanager
async def opened(settings: config.Settings) -> AsyncIterator[Access]:
    """Straight in the store, where no server needs to run. Raises StoreLocked where one runs that can't share
    its store, MisconfiguredError, StoreUnavailable."""
    store, vault = bootstrap.store(settings), bootstrap.vault(settings)
    try:
        await store.open(lambda _kind, _ids: None)
        yield Access(store, vault, Audit(store), Masters(store, vault))
    finally:
        await store.close()


def _done(url: str | None, here: Callable[[Access], Awaitable[T]], there: Callable[[Ask], Awaitable[T]]) -> T:
    """In the store itself; where that is a server's alone, or `url` says so, by the server."""
    settings = config.load()

    async def all_of_it() -> T:
        if url is None:
            try:
                async with opened(settings) as access:
                    return await here(access)
            except StoreLocked:
                pass
        from prosa.commands.desk import called, session_of

        at = (url or address(settings.host, settings.port)).rstrip("/")
        session: ClientSession
        async with session_of(settings) as session:
            return await there(lambda method, path, body: called(session, method, at, path, body))

    return asyncio.run(all_of_it())


def _subject(user: str, client: str) -> tuple[Kind, str]:
    if bool(user) == bool(client):
        raise InvalidRequest("name either --user or --client.")
    return ("user", user) if user else ("client", client)


def _row(key: ApiKeyForm) -> tuple[str, ...]:
    state = "revoked" if key.revoked_at else "active"
    return (key.id, key.user_id, key.client_id or "-", key.name, " ".join(key.scopes), f"…{key.hint}",
            key.expires_at[:10] if key.expires_at else "never",
            key.last_used_at[:16] if key.last_used_at else "never", state)  # fmt: skip


def _print(rows: list[tuple[str, ...]], nothing: str) -> None:
    if len(rows) == 1:
        print(nothing)
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
