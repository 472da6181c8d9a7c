"""Talks HTTP with a provider: one request, its bytes as they arrive, every failure as one of the domain's."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import quote

import aiohttp
from msgspec import Struct
from yarl import URL

from prosa.adapters.models.decoder import Decoder
from prosa.adapters.models.faults import Reply, retry_after, scrubbed, told_outright
from prosa.adapters.models.watch import Watch
from prosa.domain.errors import (
    BrokenStream,
    MisconfiguredError,
    ProviderError,
    ProviderTimeout,
    ProviderUnreachable,
)
from prosa.domain.models import ModelEvent
from prosa.kit.secrets import remember

T = TypeVar("T")

MOST_OF_AN_ERROR = 64 * 1024
MOST_OF_AN_ANSWER = 64 * 1024 * 1024
"""Bytes of a response that is read in one piece: a thousand vectors of the longest kind."""
READ_SIZE = 64 * 1024
SHORTEST_SECRET = 6
"""Characters. Cutting out less (a version in a query, a key that stands for none) would tear plain words."""
NO_SECRETS = {"api-version"}
"""Names in a query whose values an error may tell."""
AFTERTHOUGHT = 0.25
"""Seconds that a response may take to end after its answer has."""


class Timeouts(Struct, frozen=True):
    """In seconds: to connect; to the answer's first byte; between two bytes; between two events, where a
    provider sends nothing but signs of life; and for an answer in one piece.
    """

    connect: float = 10.0
    first: float = 120.0
    silence: float = 60.0
    eventless: float = 600.0
    whole: float = 600.0


IN_GENERAL = Timeouts()


class Wire:
    """The connections to one provider's endpoint. `secrets` are cut out of everything that an error tells."""

    def __init__(
        self,
        provider: str,
        url: URL,
        *,
        headers: Mapping[str, str],
        secrets: Iterable[str] = (),
        timeouts: Timeouts = IN_GENERAL,
    ) -> None:
        if not all(value.isascii() and value.isprintable() for value in headers.values()):
            raise MisconfiguredError(f"The key of {provider} has characters that no key has. Copy it again.")
        if url.user is not None and "authorization" in headers:
            raise MisconfiguredError(f"The base URL of {provider} may not hold a user's name beside a key.")
        self._provider = provider
        self._url = url
        self._headers = {
            "accept": "text/event-stream, application/x-ndjson, application/json",
            "accept-encoding": "identity",  # compression would hold tokens back
            "content-type": "application/json",
            "user-agent": "prosa",
            **headers,
        }
        told = [value for name, value in url.query.items() if name not in NO_SECRETS]
        hidden = [
            secret for secret in (*secrets, url.password or "", *told) if len(secret) >= SHORTEST_SECRET
        ]
        self._secrets = [form for secret in hidden for form in (secret, quote(secret, safe=""))]
        remember(*self._secrets)
        self._timeouts = timeouts
        self._session: aiohttp.ClientSession | None = None

    async def answer(
        self,
        encode: Callable[[], bytes],
        decoder: Decoder,
        fault: Callable[[Reply], ProviderError],
        *,
        url: Callable[[], URL] | None = None,
    ) -> AsyncGenerator[ModelEvent, None]:
        """Posts what `encode` makes and yields what `decoder` reads, up to its `Finish`. `url` tells where
        to, if not to the wire's own. Closing the generator closes the connection at once.

        Raises what `fault` makes of another status than 200, `ProviderUnreachable`, `ProviderTimeout`,
        `BrokenStream`.
        """
        clock = asyncio.get_running_loop().time
        began = told = clock()
        silence, eventless = self._timeouts.silence, self._timeouts.eventless
        with self._breaking():
            response = await self._asked(url() if url else self._url, encode(), fault)
            content = response.content
            try:
                with Watch(content, self._timeouts.first - (clock() - began), self._silent) as watch:
                    watch.since = clock()
                    while not decoder.over and (data := await content.readany()):
                        watch.since = None
                        if events := decoder.feed(data):
                            told = clock()
                            for event in events:
                                yield event
                        elif clock() - told > eventless:
                            raise ProviderTimeout(self._provider)
                        if watch.limit != silence:
                            watch.limit_to(silence)
                        watch.since = clock()
                    watch.since = None
                    for event in decoder.end():
                        yield event
                await leave(content)
            finally:
                response.close()  # after the whole body this does nothing: it is in its pool again

    async def answer_whole(
        self,
        encode: Callable[[], bytes],
        decode: Callable[[bytes], Sequence[ModelEvent]],
        fault: Callable[[Reply], ProviderError],
        *,
        url: Callable[[], URL] | None = None,
    ) -> AsyncGenerator[ModelEvent, None]:
        """Posts what `encode` makes and yields what `decode` finds in the whole response."""
        for event in await self.read(url() if url else self._url, encode(), decode, fault):
            yield event

    async def read(
        self,
        url: URL,
        body: bytes | None,
        decode: Callable[[bytes], T],
        fault: Callable[[Reply], ProviderError],
    ) -> T:
        """What `decode` makes of the whole response to a POST of `body`, or to a GET without one. Raises as
        `post` does; an error that `decode` finds tells no secret either."""
        try:
            return decode(await self._fetched(url, body, fault))
        except ProviderError as error:
            raise scrubbed(error, self._secrets) from None

    async def _fetched(self, url: URL, body: bytes | None, fault: Callable[[Reply], ProviderError]) -> bytes:
        method = "GET" if body is None else "POST"
        with self._told():
            async with (
                asyncio.timeout(self._timeouts.whole),
                self._live_session().request(
                    method, url, data=body, headers=self._headers, allow_redirects=False
                ) as response,
            ):
                if response.status != HTTPStatus.OK:
                    raise fault(await self._reply(response))
                return await self._whole(response)

    async def _whole(self, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for piece in response.content.iter_any():
            body += piece
            if len(body) > MOST_OF_AN_ANSWER:
                raise BrokenStream(self._provider, reason="too large")
        return bytes(body)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _asked(
        self, url: URL, body: bytes, fault: Callable[[Reply], ProviderError]
    ) -> aiohttp.ClientResponse:
        response = await self._opened(url, body)
        if response.status == HTTPStatus.OK:
            return response
        try:
            raise fault(await self._reply(response))
        finally:
            response.close()

    async def _opened(self, url: URL, body: bytes) -> aiohttp.ClientResponse:
        with self._told():
            async with asyncio.timeout(self._timeouts.first):
                return await self._live_session().post(
                    url, data=body, headers=self._headers, allow_redirects=False
                )

    @contextmanager
    def _breaking(self) -> Iterator[None]:
        """What goes wrong with an answer, as one of the domain's errors, none of which tells a secret."""
        try:
            yield
        except ProviderError as error:
            raise scrubbed(error, self._secrets) from None
        except (aiohttp.ClientError, OSError) as error:
            raise BrokenStream(self._provider, reason=type(error).__name__) from None

    def _silent(self) -> ProviderTimeout:
        return ProviderTimeout(self._provider)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What goes wrong with a connection, as one of the domain's errors."""
        try:
            yield
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise ProviderUnreachable(self._provider, reason=type(error).__name__) from None
        except TimeoutError:
            raise ProviderTimeout(self._provider) from None
        except (aiohttp.ClientError, OSError) as error:
            raise BrokenStream(self._provider, reason=type(error).__name__) from None

    def _live_session(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, connect=self._timeouts.connect),
                read_bufsize=READ_SIZE,
                trust_env=False,
            )
        return self._session

    async def _reply(self, response: aiohttp.ClientResponse) -> Reply:
        """What a failing response says; a body that breaks off or never comes counts as far as it came."""
        body = bytearray()
        with suppress(aiohttp.ClientError, OSError):
            async with asyncio.timeout(self._timeouts.connect):
                async for piece in response.content.iter_any():
                    body += piece
                    if len(body) >= MOST_OF_AN_ERROR:
                        break
        status, headers = response.status, response.headers
        wait = (retry_after if status == HTTPStatus.TOO_MANY_REQUESTS else told_outright)(headers)
        return Reply(status, bytes(body[:MOST_OF_AN_ERROR]), wait, headers)


async def leave(content: aiohttp.StreamReader) -> None:
    """Gives an answered request the moment it takes to end, so that its connection can serve the next one."""
    if content.at_eof():
        return
    with suppress(TimeoutError, aiohttp.ClientError, OSError):
        async with asyncio.timeout(AFTERTHOUGHT):
            await content.readany()


def endpoint(provider: str, base_url: str, path: str) -> URL:
    """`path` below the base; the base may repeat its first part, and a query of the base is kept.

    Raises `MisconfiguredError`, which never shows the URL.
    """
    try:
        base = URL(base_url.strip())
    except ValueError:
        base = URL()
    if base.scheme not in {"http", "https"} or not base.host:
        raise MisconfiguredError(f"The base URL of {provider} is not an http or https URL.")
    first, _, others = path.partition("/")
    above = base.path.rstrip("/")
    below = others if above.endswith("/" + first) else path
    return base.with_path(f"{above}/{below}", keep_query=True)
