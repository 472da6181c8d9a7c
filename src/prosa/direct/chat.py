"""Seeds 000 and 003 as functions of the default Prosa: a whole answer that is stored, and a page's route."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from prosa.direct.opened import default_prosa
from prosa.domain.errors import ProsaError
from prosa.domain.principal import LOCAL
from prosa.services.process import Answer
from prosa.transport.errors import language_of, refusal

PATH = "/api/chat"


async def process_user_chat_message(  # noqa: PLR0913 - each is a knob of the same request
    user_message_content: str,
    client_id: str = "",
    session_id: str = "default",
    chat_history: Sequence[Mapping[str, str]] | None = None,
    *,
    user_message_id: str | None = None,
    attachments: Sequence[str | Path] = (),
    user_id: str = LOCAL.user_id,
) -> Answer:
    """`Prosa.process_user_chat_message` of the Prosa that is open in this event loop, else of one by the
    settings, which is opened at the first call. Raises ProsaError."""
    prosa = await default_prosa()
    return await prosa.process_user_chat_message(
        user_message_content,
        client_id,
        session_id,
        chat_history,
        user_message_id=user_message_id,
        attachments=attachments,
        user_id=user_id,
    )


async def create_branch(
    conversation_id: str,
    from_message_id: str,
    new_message: str,
    *,
    user_id: str = LOCAL.user_id,
    provider: str | None = None,
    model: str | None = None,
) -> Answer:
    """`Prosa.create_branch` of the Prosa that is open in this event loop, else of one by the settings.

    Begins an alternative branch with `new_message` and waits for its answer: beside `from_message_id` where
    that is a message of the user, else below it. `answer.message` is the new answer, and
    `answer.message.parent_id` the id of the new message. Raises ConversationNotFound, MessageNotFound,
    ProsaError.

        answer = await create_branch("support-42", message.id, "Shorter, please.")
    """
    prosa = await default_prosa()
    return await prosa.create_branch(
        conversation_id, from_message_id, new_message, user_id=user_id, provider=provider, model=model
    )


async def handle_chat_request(request: Request) -> Response:
    """`POST /api/chat` of the Prosa that is open in this event loop (else of one by the settings), as the
    answer of a route of your own, whatever its path: `{messages}` in, the bare text out as it is written;
    errors are JSON with their status. Who is calling, limits and origins are as there; the conversation is
    stored. The request's body may have been read before."""
    try:
        prosa = await default_prosa()
    except ProsaError as error:
        told = refusal(error, language_of(request.headers.get("accept-language"), "en"))
        response = Response(told.body, told.status)
        response.raw_headers.extend(told.headers)
        return response
    return Delegated(prosa.asgi, request)


class Delegated(Response):
    """An answer that another application gives. Its status and headers are known once it begins."""

    def __init__(self, app: ASGIApp, request: Request) -> None:
        super().__init__()
        self._app = app
        self._body = request.stream()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        inner = {**scope, "path": PATH, "raw_path": PATH.encode(), "root_path": "", "path_params": {}}
        await self._app(inner, _reading(self._body, receive), send)
        if self.background is not None:
            await self.background()


def _reading(body: AsyncGenerator[bytes, None], receive: Receive) -> Receive:
    """The request's body, be it read by the route already or not, then what follows it."""
    ended = False

    async def read() -> Message:
        nonlocal ended
        if ended:
            return await receive()
        try:
            piece = await anext(body, b"")
        except ClientDisconnect:
            return {"type": "http.disconnect"}
        ended = not piece  # Starlette ends a body with an empty piece
        return {"type": "http.request", "body": piece, "more_body": not ended}

    return read
