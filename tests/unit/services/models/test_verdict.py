"""What each error calls for."""

import pytest

from prosa.domain import errors as e
from prosa.services.models.verdict import curable_elsewhere, fault, held_back, repeatable

VERDICTS = {  # the provider's fault, worth repeating, worth asking elsewhere
    e.ProviderTimeout("p"): (True, True, True),
    e.ProviderUnreachable("p"): (True, True, True),
    e.ProviderOverloaded("p"): (True, True, True),
    e.BrokenStream("p"): (True, True, True),
    e.ProviderError("p", status=500): (True, True, True),
    e.ProviderError("p"): (True, True, True),
    e.ProviderError("p", status=405): (False, False, True),
    e.RateLimited("p", 1.0): (False, True, True),
    e.QuotaExhausted("p"): (False, False, True),
    e.ProviderKeyRefused("p"): (False, False, True),
    e.NoUsableKey("p"): (False, False, True),
    e.NoSuchModel("p", model="m"): (False, False, True),
    e.ContextTooLong("p"): (False, False, True),
    e.NotSupported("pictures"): (False, False, True),
    e.QueueFull("p", 1): (False, False, True),
    e.ProviderSuspended("p", 1): (False, False, True),
    e.ProviderRefused("p", detail="no"): (False, False, False),
    e.ContentRefused("p"): (False, False, False),
    e.InvalidRequest("no"): (False, False, False),
    e.TokenLimitReached(remaining=0, resetsAt=""): (False, False, False),
}


@pytest.mark.parametrize(("error", "verdict"), VERDICTS.items(), ids=repr)
def test_verdicts(error: e.ProsaError, verdict: tuple[bool, bool, bool]) -> None:
    assert (fault(error), repeatable(error), curable_elsewhere(error)) == verdict


def test_what_we_hold_back_ourselves() -> None:
    assert [error.code for error in VERDICTS if held_back(error)] == ["queue_full", "provider_suspended"]
