"""Reports of exceptions to Sentry, or what speaks like it: where they happened, and no word of content."""

import asyncio
from typing import Any

import sentry_sdk
from sentry_sdk.transport import Transport
from sentry_sdk.utils import event_from_exception

from prosa.kit.faults import HIDDEN, chain, saying
from prosa.kit.log import CONTEXT
from prosa.kit.secrets import hidden

LAST = 0.5
"""Seconds that what is left has at the end."""

KEPT = frozenset(
    ("event_id", "timestamp", "level", "platform", "exception", "release", "environment", "tags", "sdk")
)
"""Of an event, all that may leave."""


class Reports:
    """Sends in a thread of its own; where nobody takes it, it is dropped."""

    def __init__(self, dsn: str, version: str, transport: Transport | None = None) -> None:
        """Raises ValueError where `dsn` is none."""
        options: dict[str, Any] = {} if transport is None else {"transport": transport}
        try:
            self._client = sentry_sdk.Client(
                dsn,
                release=f"prosa@{version}",
                default_integrations=False,
                auto_enabling_integrations=False,
                include_local_variables=False,
                include_source_context=False,
                max_request_body_size="never",
                max_breadcrumbs=0,
                auto_session_tracking=False,
                send_client_reports=False,
                server_name="",
                before_send=_stripped,
                shutdown_timeout=LAST,
                **options,
            )
        except Exception as error:  # the library's own kinds of error are many, and tell the same
            raise ValueError("no DSN") from error

    def report(self, event: str, error: BaseException) -> None:
        """Told of every exception that is logged."""
        told, hint = event_from_exception(error, client_options=self._client.options)
        told["tags"] = {"event": event, **CONTEXT.get()}
        self._client.capture_event(told, hint)

    async def close(self) -> None:
        """Sends what is left, if it is taken soon."""
        await asyncio.to_thread(self._client.close, timeout=LAST)


def _stripped(event: Any, hint: Any) -> Any:
    """What may leave: types, places and codes."""
    error = (hint.get("exc_info") or (None, None, None))[1]
    known = {} if error is None else {(type(link).__name__, str(link)): saying(link) for link in chain(error)}
    for told in event.get("exception", {}).get("values", ()):
        told["value"] = hidden(known.get((told.get("type"), told.get("value")), HIDDEN))
        for frame in told.get("stacktrace", {}).get("frames", ()):
            for name in ("vars", "pre_context", "context_line", "post_context", "abs_path"):
                frame.pop(name, None)
    kept = {name: value for name, value in event.items() if name in KEPT}
    kept["tags"] = {name: hidden(str(value)) for name, value in event.get("tags", {}).items()}
    return kept
