"""Where the command works on keys: in the store itself, or through the server that has it to itself."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from prosa import bootstrap
from prosa.commands.address import address
from prosa.config import Settings, variable
from prosa.domain.errors import KeyNotFound, MisconfiguredError, StoreLocked
from prosa.domain.ids import parse_id
from prosa.domain.principal import ADMIN, COMMAND
from prosa.services.keys.keys import Keys
from prosa.transport.admin.keys import KeyForm, ResealedForm, key_form
from prosa.transport.native.forms import Page

if TYPE_CHECKING:
    from aiohttp import ClientSession

WHO = "command"
VALID = 60
"""Seconds that a token of the command's own is good for."""
PATIENCE = 60
"""Seconds for an answer: a rotation of the master key touches every key."""


class Desk(Protocol):
    """All raise ProsaError."""

    async def list(self) -> list[KeyForm]: ...

    async def add(self, provider: str, secret: str, label: str, weight: int) -> KeyForm: ...

    async def rotate(self, key_id: str, secret: str) -> KeyForm: ...

    async def retire(self, key_id: str) -> None: ...

    async def rotate_master(self) -> int: ...


@asynccontextmanager
async def desk(settings: Settings, url: str | None) -> AsyncIterator[Desk]:
    """The server at `url`; without one the store, and where that is a server's alone, the server where the
    settings say that it listens."""
    async with AsyncExitStack() as stack:
        if url is None:
            try:
                keys = await stack.enter_async_context(bootstrap.keys(settings))
            except StoreLocked:
                url = address(settings.host, settings.port)
            else:
                yield Store(keys)
                return
        session = await stack.enter_async_context(session_of(settings))
        yield Server(session, url.rstrip("/"))


class Store:
    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    async def list(self) -> list[KeyForm]:
        return [key_form(each) for each in await self._keys.list(by=COMMAND)]

    async def add(self, provider: str, secret: str, label: str, weight: int) -> KeyForm:
        return key_form(await self._keys.add(provider, secret, label=label, weight=weight, by=COMMAND))

    async def rotate(self, key_id: str, secret: str) -> KeyForm:
        return key_form(await self._keys.rotate(_known(key_id), secret, by=COMMAND))

    async def retire(self, key_id: str) -> None:
        await self._keys.retire(_known(key_id), by=COMMAND)

    async def rotate_master(self) -> int:
        return await self._keys.rotate_master(by=COMMAND)


class Server:
    def __init__(self, session: "ClientSession", url: str) -> None:
        self._session = session
        self._url = url

    async def list(self) -> list[KeyForm]:
        found = await self._call("GET", "/keys")
        return msgspec.json.decode(found, type=Page[KeyForm]).items

    async def add(self, provider: str, secret: str, label: str, weight: int) -> KeyForm:
        body = {"provider": provider, "key": secret, "label": label, "weight": weight}
        return msgspec.json.decode(await self._call("POST", "/keys", body), type=KeyForm)

    async def rotate(self, key_id: str, secret: str) -> KeyForm:
        answer = await self._call("POST", f"/keys/{_known(key_id)}/rotate", {"key": secret})
        return msgspec.json.decode(answer, type=KeyForm)

    async def retire(self, key_id: str) -> None:
        await self._call("DELETE", f"/keys/{_known(key_id)}")

    async def rotate_master(self) -> int:
        answer = await self._call("POST", "/master/rotate")
        return msgspec.json.decode(answer, type=ResealedForm).resealed

    async def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> bytes:
        return await called(self._session, method, self._url, path, body)


async def called(
    session: "ClientSession", method: str, url: str, path: str, body: dict[str, Any] | None = None
) -> bytes:
    """What the server at `url` answers to an operator. Raises MisconfiguredError."""
    from aiohttp import ClientError

    try:
        async with session.request(
            method, f"{url}/api/admin{path}", json=body, allow_redirects=False
        ) as response:
            answer = await response.read()
            if response.ok:
                return answer
    except (ClientError, OSError, ValueError):
        raise MisconfiguredError(
            f"The database is in use by another process, and no Prosa answers at {url}. "
            "Say where it listens with --url, or stop it."
        ) from None
    raise MisconfiguredError(sentence(answer, url))


def session_of(settings: Settings, patience: float | None = PATIENCE) -> "ClientSession":
    """A session of the command's own, as an operator; `patience` in seconds for an answer."""
    from aiohttp import ClientSession, ClientTimeout

    return ClientSession(
        headers=headers(settings, WHO, [ADMIN]), timeout=ClientTimeout(total=patience), trust_env=False
    )


def _known(key_id: str) -> str:
    found = parse_id(key_id)
    if found is None:
        raise KeyNotFound
    return found


def sentence(answer: bytes, url: str) -> str:
    try:
        return str(msgspec.json.decode(answer)["message"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return f"What answers at {url} is no Prosa, or an older one. Say where it listens with --url."


def headers(settings: Settings, user: str, roles: Sequence[str] = ()) -> dict[str, str]:
    """A token of `user`, which the command signs itself; a server without tokens needs none."""
    found: dict[str, str] = {"Accept-Language": settings.language}
    identity = bootstrap.identity(settings)
    key = variable("PROSA_API_KEY")
    if key is not None:
        found["Authorization"] = f"Bearer {key}"
    elif not identity.local:
        if not identity.signs:
            raise MisconfiguredError(
                "The server has the database to itself and takes tokens that are signed elsewhere. Set "
                "PROSA_API_KEY to an API key with the scope `admin`, or stop it."
            )
        claims = {**identity.claim(user, admin=ADMIN in roles), "exp": int(time.time()) + VALID}
        found["Authorization"] = f"Bearer {identity.sign(claims)}"
    return found
