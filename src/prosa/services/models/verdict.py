"""What an error of a provider calls for: the same again, another key, another target, or nothing of that."""

from http import HTTPStatus

from prosa.domain.errors import (
    BrokenStream,
    ContentRefused,
    NotSupported,
    ProsaError,
    ProviderError,
    ProviderOverloaded,
    ProviderRefused,
    ProviderSuspended,
    ProviderTimeout,
    ProviderUnreachable,
    QueueFull,
)
from prosa.domain.files import ModelTakesNoImages
from prosa.domain.models import Asked, ModelEvent, Queued, Reset, UsageReport

QUIET: frozenset[type[ModelEvent]] = frozenset({Asked, Queued, Reset, UsageReport})
"""Events that show nothing of an answer: after these alone it can still begin anew and nobody will notice."""

_FAULTS = (ProviderTimeout, ProviderUnreachable, ProviderOverloaded, BrokenStream)
_HELD_BACK = (QueueFull, ProviderSuspended)


def fault(error: ProsaError) -> bool:
    """Whether the provider itself has failed, whatever it was asked."""
    return isinstance(error, _FAULTS) or (type(error) is ProviderError and _server_side(error))


def held_back(error: ProsaError) -> bool:
    """Whether one of us kept the request from the provider."""
    return isinstance(error, _HELD_BACK)


def repeatable(error: ProsaError) -> bool:
    """Whether the same request to the same provider may succeed in a moment."""
    if not isinstance(error, ProviderError) or held_back(error):
        return False
    return error.retryable and (type(error) is not ProviderError or _server_side(error))


def curable_elsewhere(error: ProsaError) -> bool:
    """Whether another provider or model may answer: not a wrong request, and what one has refused to talk
    about is not carried to the next."""
    if isinstance(error, NotSupported | ModelTakesNoImages):
        return True
    return isinstance(error, ProviderError) and not isinstance(error, ProviderRefused | ContentRefused)


def _server_side(error: ProviderError) -> bool:
    """A status of 5xx, or none that is known."""
    status = error.details.get("status")
    return status is None or status >= HTTPStatus.INTERNAL_SERVER_ERROR
