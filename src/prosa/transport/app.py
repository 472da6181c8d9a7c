"""The application: all doors behind the middlewares, as one ASGI app."""

import time
from collections.abc import Awaitable, Sequence
from functools import partial
from typing import Any

import msgspec
from starlette.routing import Route, Router, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from prosa.domain.errors import NoSuchRoute, ProsaError
from prosa.kit.log import CONTEXT, log
from prosa.services.chat import Chat
from prosa.services.tracing import tracing
from prosa.transport.admin import access, audit, erasures, health, keys, traffic
from prosa.transport.admin import alerts as admin_alerts
from prosa.transport.admin import limits as admin_limits
from prosa.transport.admin import usage as admin_usage
from prosa.transport.crowd import Crowd, SocketLimits
from prosa.transport.identity import Identity, header
from prosa.transport.middleware.bodies import Bodies
from prosa.transport.middleware.hosts import Hosts
from prosa.transport.middleware.origins import Origins
from prosa.transport.middleware.turns import Turns
from prosa.transport.native import (
    apikeys,
    conversations,
    embeds,
    export,
    feed,
    feedback,
    files,
    imports,
    messages,
    models,
    plain,
    process,
    runs,
    search,
    session,
    socket,
    templates,
    usage,
    users,
)
from prosa.transport.native import chat as native_chat
from prosa.transport.openai import completions, embeddings
from prosa.transport.openai import models as openai_models
from prosa.transport.openai.errors import refusal as openai_refusal
from prosa.transport.operation import JSON, Door, Endpoint, Fixed, Operation
from prosa.transport.page import Page
from prosa.transport.requests import LEFT, PROBES, end, request_id, route_of, tell_of, traced
from prosa.transport.security import Security
from prosa.transport.tickets import routes as ticket_routes
from prosa.transport.tickets import socket as tickets
from prosa.transport.websocket import Handshake, SocketDoor, SocketEndpoint


class App:
    """Serves http and sockets over services that somebody else opens and closes."""

    def __init__(  # noqa: PLR0913 - each is a setting of its own
        self,
        chat: Chat,
        identity: Identity,
        *,
        language: str,
        origins: frozenset[str],
        limits: SocketLimits | None = None,
        metrics: health.Access = "operator",
        security: Security = Security(),  # noqa: B008 - frozen
    ) -> None:
        self._security = security
        self._secure = {"http": security.always, "https": security.over_https}
        self._chat = chat
        self._metrics = metrics
        self._door = Door(chat, identity, language, {"/v1/": openai_refusal})
        app: ASGIApp = Router(self._routes(identity), redirect_slashes=False, default=self._nowhere)
        larger = {each.path: each.limit for each in operations(identity) if each.limit is not None}
        app = Bodies(app, self._door, larger=larger)
        self._app = self._guarded(app, origins)
        self._crowd = Crowd(limits or SocketLimits())
        doors = [
            WebSocketRoute(each.path, SocketEndpoint(self._door, self._crowd, each.path, each.work))
            for each in SOCKETS
        ]
        self._sockets = self._guarded(Router(doors, default=self._nowhere), origins)
        self._turns: ASGIApp = self._served if identity.local else Turns(self._served, self._whose)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            await self._turns(scope, receive, send)

    async def _served(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Each answer has the id of its request; what is logged meanwhile has it, too."""
        identity = request_id(header(scope, b"x-request-id"))
        begun = time.perf_counter()
        token = CONTEXT.set({"request_id": identity})
        told = (b"x-request-id", identity.encode())
        span = None if tracing.tracer is None else traced(scope)
        status = LEFT
        try:
            if scope["type"] == "http":
                status = await self._http(scope, receive, send, told)
            else:
                handshake = Handshake(scope, send, told)
                await self._sockets(scope, receive, handshake)
                status = handshake.code
        finally:
            tell_of(scope, status, begun)
            if span is not None:
                end(span, scope, status)
            CONTEXT.reset(token)

    def _whose(self, scope: Scope) -> str:
        """Strangers are one caller, so that nobody gets turns by making up tokens; but whatever watches over
        this process must not wait among them."""
        user = self._door.identity.seen(scope)
        return scope["path"] if not user and scope["path"] in PROBES else user

    def _guarded(self, app: ASGIApp, origins: frozenset[str]) -> ASGIApp:
        """`app` for requests that come from where they may."""
        local = self._door.identity.local
        app = Origins(app, self._door, origins, local=local)
        return Hosts(app, self._door) if local else app

    async def _http(self, scope: Scope, receive: Receive, send: Send, told: tuple[bytes, bytes]) -> int:
        """Answers the status; 499 where the caller had left before it."""
        status = 0

        def watched(message: Message) -> Awaitable[None]:
            nonlocal status
            if not status:
                status = message["status"]
                more = self._secure.get(scope.get("scheme", "http"), ())
                message["headers"] = [*message.get("headers", ()), told, *more]
            return send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception:  # noqa: BLE001 - a request's edge: the caller gets a sentence, the log the trace
            log.exception("request_broke", method=scope["method"], route=route_of(scope))
            if not status:  # else the answer stays without its end, and the connection is closed
                await self._door.refuse(ProsaError(), scope, watched)
        return status or LEFT

    def _routes(self, identity: Identity) -> list[Route]:
        described = health.opened(operations(identity), self._metrics)
        routes = [Route(path, Endpoint(self._door, group)) for path, group in _by_path(described).items()]
        description = partial(
            _description,
            described,
            self._chat.catalogue.providers,
            self._chat.keys.providers,
            None if identity.local else identity.cookie,
        )
        return [
            *routes,
            Route("/openapi.json", Fixed(self._door, "/openapi.json", JSON, description)),
            Route("/{path:path}", Page(self._door, self._security.page)),
        ]

    async def _nowhere(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        await self._door.refuse(NoSuchRoute(), scope, send)


SOCKETS: list[SocketDoor] = [*socket.SOCKETS, *tickets.SOCKETS]
"""Every door for sockets."""


def operations(identity: Identity) -> list[Operation]:
    """Everything that the API can do, described once: the router, the OpenAPI and the tests read this."""
    return [
        *native_chat.OPERATIONS,
        *runs.OPERATIONS,
        *plain.OPERATIONS,
        *process.OPERATIONS,
        *messages.OPERATIONS,
        *conversations.OPERATIONS,
        *search.OPERATIONS,
        *feedback.OPERATIONS,
        *templates.OPERATIONS,
        *feed.OPERATIONS,
        *export.OPERATIONS,
        *imports.OPERATIONS,
        *ticket_routes.OPERATIONS,
        *files.OPERATIONS,
        *usage.OPERATIONS,
        *models.OPERATIONS,
        *completions.OPERATIONS,
        *embeddings.OPERATIONS,
        *openai_models.OPERATIONS,
        *session.operations(identity),
        *apikeys.OPERATIONS,
        *embeds.OPERATIONS,
        *keys.OPERATIONS,
        *access.OPERATIONS,
        *audit.OPERATIONS,
        *admin_limits.OPERATIONS,
        *erasures.OPERATIONS,
        *users.OPERATIONS,
        *admin_usage.OPERATIONS,
        *traffic.OPERATIONS,
        *admin_alerts.OPERATIONS,
        *health.OPERATIONS,
    ]


def _description(*given: Any) -> bytes:
    """What `/openapi.json` answers. To put it together takes 50 ms, and most servers are never asked."""
    from prosa.transport.openapi import describe

    return msgspec.json.encode(describe(*given))


def _by_path(operations: Sequence[Operation]) -> dict[str, list[Operation]]:
    paths: dict[str, list[Operation]] = {}
    for operation in operations:
        path = ":path}".join(operation.path.rsplit("}", 1)) if operation.deep else operation.path
        paths.setdefault(path, []).append(operation)
    return paths
