"""Tells what an error of Ollama means."""

from http import HTTPStatus
from typing import Any

from prosa.adapters.models.faults import Complaint, Reply, Rules, texts
from prosa.adapters.models.repair import loose
from prosa.domain.errors import ContextTooLong, NoSuchModel, ProviderError, ProviderOverloaded

PROVIDER = "ollama"
NO_MODEL = "no_such_model"
"""Our own word for a 404 that gives a reason: Ollama has no types."""
RULES = Rules(
    PROVIDER,
    names={NO_MODEL: NoSuchModel},
    phrases={
        "prompt too long": ContextTooLong,
        "context length": ContextTooLong,
        "exceeds the available context": ContextTooLong,
        "server busy": ProviderOverloaded,
        "model is required": NoSuchModel,
        "try pulling it": NoSuchModel,
    },
)
"""Ollama has statuses, and sentences."""


def fault(reply: Reply, model: str = "") -> ProviderError:
    """The error for a response that is no answer."""
    return RULES.judge(complaint(reply.body, reply.status, reply.retry_after), model)


def midstream(payload: bytes, model: str = "") -> ProviderError:
    """The error for an `{"error": …}` line inside a stream."""
    return RULES.judge(complaint(payload), model)


def unknown_route(error: ProviderError) -> bool:
    """Whether the server does not know the address that was asked: then its 404 gives no reason."""
    return type(error) is ProviderError and error.details.get("status") == HTTPStatus.NOT_FOUND


def complaint(body: bytes, status: int | None = None, retry_after: float | None = None) -> Complaint:
    """Reads `{"error": "text"}`, and the object that stands there behind its `/v1` and its cloud."""
    told = loose(body)
    error: Any = told.get("error") if isinstance(told, dict) else None
    if isinstance(error, dict):
        error = error.get("message")
    message = next(iter(texts(error)), "")
    names = (NO_MODEL,) if message and status == HTTPStatus.NOT_FOUND else ()
    return Complaint(message, names, status, retry_after)
