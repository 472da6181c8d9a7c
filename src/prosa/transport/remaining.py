"""What is left of a caller's limits, in the headers of his answers."""

from starlette.types import Message, Send

from prosa.domain.money import Picodollars, to_dollars
from prosa.domain.principal import Principal
from prosa.domain.time import SECOND, now
from prosa.services.chat import Chat
from prosa.transport.errors import Headers


def telling(chat: Chat, principal: Principal, path: str, send: Send) -> Send:
    """`send` that adds the headers of a caller who has limits to the beginning of an answer."""
    if not chat.limits.of(principal).told:
        return send

    def tell(message: Message) -> object:
        if message["type"] == "http.response.start":
            named = _as_openai if path.startswith("/v1/") else _as_ours
            message["headers"] = [*message["headers"], *named(chat, principal)]
        return send(message)

    return tell  # type: ignore[return-value]  # it gives what `send` gives, without a frame of its own


def _as_ours(chat: Chat, principal: Principal) -> Headers:
    headers: Headers = []
    if (window := chat.limits.requests.last.get(principal.user_id)) is not None:
        headers += [
            (b"x-ratelimit-limit", b"%d" % window.limit),
            (b"x-ratelimit-remaining", b"%d" % window.left),
            (b"x-ratelimit-reset", b"%d" % window.resets),
        ]
    left, limits = chat.limits.last(principal), chat.limits.of(principal)
    if left is not None and left.tokens is not None and limits.tokens_at_most is not None:
        headers.append((b"x-prosa-remaining-tokens", b"%d" % left.tokens))
    if left is not None and left.cost is not None and limits.cost_at_most is not None:
        headers.append((b"x-prosa-remaining-cost", to_dollars(Picodollars(left.cost)).encode()))
    return headers


def _as_openai(chat: Chat, principal: Principal) -> Headers:
    headers: Headers = []
    most = chat.limits.of(principal).tokens_at_most
    if (window := chat.limits.requests.last.get(principal.user_id)) is not None:
        headers += [
            (b"x-ratelimit-limit-requests", b"%d" % window.limit),
            (b"x-ratelimit-remaining-requests", b"%d" % window.left),
            (b"x-ratelimit-reset-requests", b"%ds" % window.resets),
        ]
    left = chat.limits.last(principal)
    if left is not None and left.tokens is not None and most is not None:  # limits may be others than then
        headers += [
            (b"x-ratelimit-limit-tokens", b"%d" % most),
            (b"x-ratelimit-remaining-tokens", b"%d" % left.tokens),
            (b"x-ratelimit-reset-tokens", b"%ds" % max(0, (left.tokens_reset_at - now()) // SECOND)),
        ]
    return headers
