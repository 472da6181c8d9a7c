"""Tools that are addresses on the network: fixed by the operator, filled in by the model."""

import asyncio
import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import quote

import aiohttp
import msgspec
from msgspec import Struct

from prosa.adapters.tools.connector import connector
from prosa.adapters.tools.result import MOST, bounded
from prosa.adapters.tools.template import Template
from prosa.domain.errors import MisconfiguredError, ToolFailed
from prosa.domain.models import ToolSpec
from prosa.kit.log import log
from prosa.ports.tools import Caller

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Field = Literal["user_id", "client_id", "conversation_id", "run_id", "call_id", "language"]

MOST_OF_A_COMPLAINT = 300
"""Bytes of what a failing response says."""
SHORTEST_SECRET = 6
"""Characters. Cutting out less would tear plain words."""

_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_RULED = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding"})


class Plain(Struct, frozen=True):
    """A value of the operator's, in the open."""

    text: str


class Secret(Struct, frozen=True):
    """A value of the operator's that is cut out of whatever comes back; the prefix ("Bearer ") is not."""

    text: str
    prefix: str = ""


class Of(Struct, frozen=True):
    """A value that the call brings: for whom it is made, and where."""

    field: Field


Given = Plain | Secret | Of


class Endpoint(Struct, frozen=True):
    """Where a tool's calls go. `headers` and `query` go with each of them; `most` is in bytes."""

    url: str
    method: Method = "GET"
    headers: Mapping[str, Given] = {}
    query: Mapping[str, Given] = {}
    most: int = MOST
    allow_private: bool = False


class HttpTool:
    """Arguments fill the places in the address; the others are its query, or the JSON body of a POST, PUT or
    PATCH. Redirects are not followed. Raises MisconfiguredError."""

    kind: Literal["http"] = "http"

    def __init__(
        self,
        spec: ToolSpec,
        endpoint: Endpoint,
        *,
        always: bool = False,
        needs_approval: bool = False,
        timeout: float = 30.0,
    ) -> None:
        self._endpoint = endpoint
        self._template = Template(spec.name, endpoint.url)
        _check(spec.name, endpoint, self._template)
        self.spec = _completed(spec, self._template)
        self.always = always
        self.needs_approval = needs_approval
        self.timeout = timeout
        self._secrets = sorted(_secrets(endpoint), key=len, reverse=True)
        self._margin = max((len(secret.encode()) for secret in self._secrets), default=0)
        self._session: aiohttp.ClientSession | None = None

    async def call(self, arguments: dict[str, Any], caller: Caller) -> str:
        name = self.spec.name
        others = {key: value for key, value in arguments.items() if key not in self._template.places}
        query = {key: _value(given, caller) for key, given in self._endpoint.query.items()}
        headers = {key: _header(_value(given, caller)) for key, given in self._endpoint.headers.items()}
        body = None
        if self._endpoint.method in _WITH_BODY:
            body = msgspec.json.encode(others)
            headers = {"content-type": "application/json"} | {k.lower(): v for k, v in headers.items()}
        else:
            query = others | query
        url = self._template.fill(arguments, query)
        try:
            async with (
                asyncio.timeout(self.timeout),
                self._live_session().request(
                    self._endpoint.method, url, headers=headers, data=body, allow_redirects=False
                ) as response,
            ):
                return await self._read(response)
        except TimeoutError:
            raise ToolFailed(f"{name} took longer than {self.timeout:g} seconds.") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # What it says holds the address: the operator is told its kind, the model nothing.
            log.warning("tool_failed", tool=name, run=caller.run_id, error=type(error).__name__)
            if isinstance(error, aiohttp.ClientConnectorError | ValueError):
                raise ToolFailed(f"{name} can't be reached.") from None
            raise ToolFailed(f"The answer of {name} broke off.") from None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _read(self, response: aiohttp.ClientResponse) -> str:
        name, status = self.spec.name, response.status
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            raise ToolFailed(f"{name} answered with a redirect (status {status}), which is not followed.")
        if response.headers.get("content-encoding", "identity") != "identity":
            raise ToolFailed(f"{name} answered in a compressed form that it was not asked for.")
        failed = status >= HTTPStatus.BAD_REQUEST
        most = MOST_OF_A_COMPLAINT if failed else self._endpoint.most
        raw, more = await _first(response, most + self._margin)
        if b"\0" in raw:
            raise ToolFailed(f"{name} answered with something that is no text (status {status}).")
        try:
            text = raw.decode(response.get_encoding(), errors="replace")
        except (LookupError, RuntimeError):
            text = raw.decode(errors="replace")
        text = self._scrubbed(text)
        if more and self._margin:
            text = text[: -self._margin]  # where a secret may have begun
        text = bounded(text, most, more=more)
        if failed:
            raise ToolFailed(f"{name} answered with status {status}: {text}".removesuffix(": "))
        return text or f"(status {status}, and no text)"

    def _scrubbed(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "…")
        return text

    def _live_session(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=connector(allow_private=self._endpoint.allow_private),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"user-agent": "prosa", "accept": "application/json, text/*;q=0.9, */*;q=0.1",
                         "accept-encoding": "identity"},
                timeout=aiohttp.ClientTimeout(total=None),
                auto_decompress=False,
                trust_env=False,
            )  # fmt: skip
        return self._session


async def _first(response: aiohttp.ClientResponse, most: int) -> tuple[bytes, bool]:
    """The first `most` bytes of the body, and whether it goes on; then its connection is closed."""
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > most:
            response.close()
            return bytes(body[:most]), True
    return bytes(body), False


def _check(name: str, endpoint: Endpoint, template: Template) -> None:
    if template.private and not endpoint.allow_private:
        raise MisconfiguredError(
            f"The url of the tool {name} leads to this machine or its network. If that is meant, set "
            "allow_private = true."
        )
    for key, given in endpoint.headers.items():
        if not _HEADER_NAME.fullmatch(key) or key.lower() in _RULED:
            raise MisconfiguredError(f"The tool {name} can't send a header called {key!r}.")
        text = "" if isinstance(given, Of) else _fixed(given)
        if not (text.isascii() and text.isprintable()):
            raise MisconfiguredError(
                f"The header {key} of the tool {name} has characters that no header has."
            )


def _completed(spec: ToolSpec, template: Template) -> ToolSpec:
    """The spec with a schema that is an object, asks for what the address needs, and takes nothing else."""
    schema = {"type": "object", "properties": {}, "additionalProperties": False, **spec.parameters}
    properties = schema["properties"] if isinstance(schema["properties"], dict) else {}
    for place in sorted(template.places - properties.keys()):
        raise MisconfiguredError(
            f"The url of the tool {spec.name} has {{{place}}}, which is none of its parameters. Add it."
        )
    required = schema.get("required", [])
    if template.places and isinstance(required, list):
        schema["required"] = [*required, *sorted(template.places - set(required))]
    return msgspec.structs.replace(spec, parameters=schema)


def _secrets(endpoint: Endpoint) -> Iterable[str]:
    """Every form in which a secret may come back."""
    for given in (*endpoint.headers.values(), *endpoint.query.values()):
        if isinstance(given, Secret) and len(given.text) >= SHORTEST_SECRET:
            yield from {given.text, quote(given.text), quote(given.text, safe=""),
                        msgspec.json.encode(given.text)[1:-1].decode()}  # fmt: skip


def _value(given: Given, caller: Caller) -> str:
    if not isinstance(given, Of):
        return _fixed(given)
    if given.field in {"user_id", "client_id"}:
        return str(getattr(caller.principal, given.field))
    return str(getattr(caller, given.field))


def _fixed(given: Plain | Secret) -> str:
    return given.prefix + given.text if isinstance(given, Secret) else given.text


def _header(text: str) -> str:
    """`text` as a header can hold it; what it can't is percent-encoded."""
    return text if text.isascii() and text.isprintable() else quote(text, safe=" !#$&'()*+,/:;=?@[]~")
