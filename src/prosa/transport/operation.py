"""One operation of the API: what it takes and gives, described once for the router and for the OpenAPI."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import cache, partial
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct, structs
from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from prosa.domain.errors import (
    Forbidden,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    OriginRefused,
    ProsaError,
    UnsupportedMediaType,
)
from prosa.domain.ids import parse_id
from prosa.domain.principal import ACCOUNT, CHAT, OPERATE, READ, Principal
from prosa.services.access.standing import Pass, require
from prosa.services.chat import Chat
from prosa.transport.errors import Headers, Refusal, language_of, refusal
from prosa.transport.identity import Identity, header
from prosa.transport.json import decode
from prosa.transport.remaining import telling

B = TypeVar("B")
Q = TypeVar("Q")

JSON: Headers = [(b"content-type", b"application/json")]


class Nothing(Struct, frozen=True):
    """No body, or no query."""


NOBODY = Principal("")


def always() -> bool:
    return True


class Call(Struct, Generic[B, Q], frozen=True):
    """A request that was understood: the caller is known, the body and the query are valid."""

    chat: Chat
    principal: Principal
    body: B
    query: Q
    path: dict[str, str]
    headers: dict[str, str]
    language: str
    raw: bytes
    secure: bool
    """Whether the request came over https, be it to a proxy that says so."""
    holds: Callable[[], bool] = always
    """Whether the caller would still be let in: for replies that last."""
    given: Pass | None = None
    """What his credential is good for; None where nobody asked."""
    chunks: AsyncIterator[bytes] | None = None
    """The body of an operation that takes one as it comes. Raises ClientDisconnect where it breaks off."""

    def id(self, name: str, missing: type[NotFound]) -> str:
        """The id in the path. Raises `missing` where it is none: it can't exist."""
        identity = parse_id(self.path[name])
        if identity is None:
            raise missing
        return identity


class Reply(Struct, frozen=True):
    status: int
    body: Any = None
    headers: Headers = []


class Stream(Struct, frozen=True):
    """A reply that writes itself, once nothing can be refused any more; `drop` lets go of what it has where
    it is not to write."""

    write: Callable[[Receive, Send], Awaitable[None]]
    drop: Callable[[], Awaitable[None]] | None = None


Handler = Callable[[Call[Any, Any]], Awaitable[Reply | Stream]]


class HeaderField(Struct, frozen=True):
    """A request header that an operation heeds, for its description."""

    name: str
    description: str
    pattern: str


class Failures(Struct, frozen=True):
    """The form of errors, and their statuses."""

    form: type[Struct]
    status_of: Callable[[type[ProsaError]], int]


class Operation(Struct, frozen=True):
    """`gives` maps statuses to the JSON's type (None: no body); `errors` are what the handler may raise
    beside what every operation can. `any_type` takes JSON whatever the Content-Type says."""

    method: str
    path: str
    summary: str
    handler: Handler
    takes: Any = Nothing
    query: type[Struct] = Nothing
    headers: tuple["HeaderField", ...] = ()
    gives: dict[int, Any] = {}
    errors: tuple[type[ProsaError], ...] = ()
    public: bool = False
    operator: bool = False
    """Whether it is for the operator alone."""
    scope: str | None = None
    """What a credential must be good for; None: a GET to read, others to talk; an operator's to operate."""
    any_type: bool = False
    uploads: tuple[str, ...] = ()
    """The media types of a body that is no form of ours, and is handed on as it comes ("*/*": any)."""
    stream: str | None = None
    """The media type of a 200 that is a stream (several have commas between them); with a form for 200,
    of one that may be."""
    failures: Failures | None = None
    """How its errors look, where it is not the native way."""
    limit: int | None = None
    """Bytes that its body may have, where it is more than usual."""
    deep: bool = False
    """Whether the last parameter of the path may have slashes."""

    @property
    def needs(self) -> str:
        """The scope that a credential must have."""
        if self.scope is not None:
            return self.scope
        return OPERATE if self.operator else READ if self.method == "GET" else CHAT

    @property
    def managing(self) -> bool:
        """Whether it is about somebody's account, or an operator's: so many a minute."""
        return self.needs in (ACCOUNT, OPERATE)

    @property
    def tag(self) -> str:
        """The group that it belongs to in the description."""
        first, _, rest = self.path.removeprefix("/").partition("/")
        if first == "v1":
            return "openai"
        return rest.partition("/")[0] if first == "api" else "operations"


Refuse = Callable[[ProsaError, str], Refusal]


class Door:
    """What every endpoint needs: the services, who is calling, and the language for those who name none.
    `forms` says how errors look below a path, where it is not the native way."""

    def __init__(
        self, chat: Chat, identity: Identity, language: str, forms: Mapping[str, Refuse] | None = None
    ) -> None:
        self.chat = chat
        self.identity = identity
        self.language = language
        self._standing = chat.access.standing
        self._forms = tuple((forms or {}).items())

    def language_of(self, scope: Scope) -> str:
        return language_of(header(scope, b"accept-language"), self.language)

    async def refuse(self, error: ProsaError, scope: Scope, send: Send) -> None:
        """Answers with the error's status, code and sentence."""
        told = self._told(error, scope)
        await respond(send, told.status, told.headers, told.body)

    async def refuse_method(self, allow: bytes, scope: Scope, send: Send) -> None:
        """Answers that only the methods in `allow` are taken here."""
        told = self._told(MethodNotAllowed(), scope)
        await respond(send, told.status, [*told.headers, (b"allow", allow)], told.body)

    def _told(self, error: ProsaError, scope: Scope) -> Refusal:
        path = scope["path"]
        tell = next((form for below, form in self._forms if path.startswith(below)), refusal)
        return tell(error, self.language_of(scope))

    async def call(self, operation: Operation, scope: Scope, receive: Receive) -> Call[Any, Any]:
        """Raises NotAuthenticated, Suspended, OriginRefused, Forbidden, ScopeMissing, RequestLimitReached,
        InvalidRequest, UnsupportedMediaType."""
        given, principal = None, NOBODY
        if not operation.public:
            given = await self.identity.of(scope)
            principal = self._admitted(given, operation, scope)
            if operation.managing:
                await self.chat.limits.requests.manage(principal, operating=operation.operator)
        _check_type(operation, scope)
        raw = await read_body(receive) if operation.takes is not Nothing else b""
        return Call(
            chat=self.chat,
            principal=principal,
            body=_body(operation, raw),
            query=_query(operation.query, scope),
            path=scope.get("path_params", {}),
            headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
            language=self.language_of(scope),
            raw=raw,
            secure=scope.get("scheme") == "https",
            holds=always if given is None else partial(self._standing.holds, given, principal),
            given=given,
            chunks=body_chunks(receive) if operation.uploads else None,
        )

    def _admitted(self, given: Pass, operation: Operation, scope: Scope) -> Principal:
        principal = self._standing.admit(given)
        if self.identity.forgeable(scope):
            raise OriginRefused
        require(principal, operation.needs)
        if operation.operator and not principal.is_operator:
            raise Forbidden
        return principal

    async def check(self, call: Call[Any, Any], reply: "Stream") -> None:
        """Raises NotAuthenticated, Suspended, Forbidden where the caller may not go on any more: he may have
        been shut out since he was let in. The reply is dropped then."""
        try:
            if call.given is not None:
                self._standing.still(call.given, call.principal)
        except ProsaError:
            if reply.drop is not None:
                await reply.drop()
            raise

    async def handle(self, operation: Operation, call: Call[Any, Any]) -> "Reply | Stream":
        """What the operation answers; an upload, which may take long, is broken off where the caller is shut
        out meanwhile: what he sends must not come after all that is his was erased."""
        if call.given is None or not operation.uploads:
            return await _handle(operation, call)
        with self._standing.attending(call.given, call.principal) as here:
            try:
                return await _handle(operation, call)
            except asyncio.CancelledError:
                if not here.over or here.cancelled_by_others():
                    raise
        self._standing.still(call.given, call.principal)
        raise Forbidden

    async def stream(self, reply: "Stream", call: Call[Any, Any], receive: Receive, send: Send) -> None:
        """Lets the reply write itself, to a caller who may be suspended meanwhile: then it breaks off."""
        if call.given is None:
            await reply.write(receive, send)
            return
        with self._standing.attending(call.given, call.principal) as here:
            try:
                await reply.write(receive, send)
            except asyncio.CancelledError:
                if not here.over or here.cancelled_by_others():
                    raise


class Endpoint:
    """The operations of one path as an ASGI app."""

    def __init__(self, door: Door, operations: list[Operation]) -> None:
        self._door = door
        self.route = operations[0].path
        self._operations = {operation.method: operation for operation in operations}
        self._allow = ", ".join(sorted(self._operations)).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        operation = self._operations.get(scope["method"])
        if operation is None:
            await self._door.refuse_method(self._allow, scope, send)
            return
        try:
            call = await self._door.call(operation, scope, receive)
            if not operation.public:
                send = telling(call.chat, call.principal, scope["path"], send)
            reply = await self._door.handle(operation, call)
            if isinstance(reply, Stream):
                await self._door.check(call, reply)
        except ProsaError as error:
            await self._door.refuse(error, scope, send)
        except ClientDisconnect:
            return
        else:
            if isinstance(reply, Stream):
                await self._door.stream(reply, call, receive, send)
            else:
                await respond(send, reply.status, *_encoded(reply))


async def _handle(operation: Operation, call: Call[Any, Any]) -> Reply | Stream:
    """What is not the caller's own may be his desk's: a ticket's conversation belongs to all of a client.
    What he does as an operator, or with his account, he does as himself alone."""
    try:
        return await operation.handler(call)
    except NotFound:
        desk = call.principal.desk
        if desk is call.principal or operation.uploads or operation.needs not in (CHAT, READ):
            raise
        return await operation.handler(structs.replace(call, principal=desk))


class Fixed:
    """Always the same answer to a GET, made in a thread when it is first asked for."""

    def __init__(self, door: Door, route: str, headers: Headers, make: Callable[[], bytes]) -> None:
        self.route = route
        self._door = door
        self._headers = headers
        self._make = cache(make)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        if scope["method"] in ("GET", "HEAD"):
            await respond(send, 200, self._headers, await asyncio.to_thread(self._make))
        else:
            await self._door.refuse_method(b"GET, HEAD", scope, send)


def _encoded(reply: Reply) -> tuple[Headers, bytes]:
    if reply.body is None:
        return reply.headers, b""
    return [*JSON, *reply.headers], msgspec.json.encode(reply.body)


async def respond(send: Send, status: int, headers: Headers, body: bytes) -> None:
    sized = [*headers, (b"content-length", b"%d" % len(body))] if status != 204 else headers  # noqa: PLR2004
    await send({"type": "http.response.start", "status": status, "headers": sized})
    await send({"type": "http.response.body", "body": body})


async def read_body(receive: Receive) -> bytes:
    """Raises ClientDisconnect where the caller left before the end."""
    return b"".join([chunk async for chunk in body_chunks(receive)])


async def body_chunks(receive: Receive) -> AsyncIterator[bytes]:
    """Raises ClientDisconnect where the caller left before the end."""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        more = message.get("more_body", False)
        yield message.get("body", b"")


def _check_type(operation: Operation, scope: Scope) -> None:
    """Raises UnsupportedMediaType."""
    taken = operation.uploads or ("application/json",)
    if operation.any_type or "*/*" in taken or (operation.takes is Nothing and not operation.uploads):
        return
    kind = header(scope, b"content-type") or ("" if operation.uploads else "application/json")
    if kind.partition(";")[0].strip().lower() not in taken:
        raise UnsupportedMediaType


def _body(operation: Operation, raw: bytes) -> Any:
    if operation.takes is Nothing:
        return Nothing()
    return decode(raw, operation.takes)


def _query(form: type[Struct], scope: Scope) -> Struct:
    if form is Nothing:
        return Nothing()
    try:
        return msgspec.convert(dict(QueryParams(scope["query_string"])), form, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        raise InvalidRequest(f"{str(error).rstrip('.')}.") from error
