"""Tells what an error of Ollama means."""

from typing import Any

from prosa.adapters.models.faults import Complaint, Reply, Rules, texts
from prosa.adapters.models.repair import loose
from prosa.domain.errors import ContextTooLong, NoSuchModel, ProviderError, ProviderOverloaded

PROVIDER = "ollama"
RULES = Rules(
    PROVIDER,
    names={},
    phrases={
        "prompt too long": ContextTooLong,
        "context length": ContextTooLong,
        "exceeds the available context": ContextTooLong,
        "server busy": ProviderOverloaded,
        "model is required": NoSuchModel,
        "not found": NoSuchModel,
    },
)
"""Ollama gives no types; it has statuses, and sentences."""


def fault(reply: Reply, model: str = "") -> ProviderError:
    """The error for a response that is no answer."""
    return RULES.judge(complaint(reply.body, reply.status, reply.retry_after), model)


def midstream(payload: bytes, model: str = "") -> ProviderError:
    """The error for an `{"error": …}` line inside a stream."""
    return RULES.judge(complaint(payload), model)


def complaint(body: bytes, status: int | None = None, retry_after: float | None = None) -> Complaint:
    """Reads `{"error": "text"}`, and the object that stands there behind its `/v1` and its cloud."""
    told = loose(body)
    error: Any = told.get("error") if isinstance(told, dict) else None
    if isinstance(error, dict):
        error = error.get("message")
    return Complaint(next(iter(texts(error)), ""), (), status, retry_after)
