"""What holds a secret does not show it, wherever it is printed."""

import pytest

from prosa.providers import Given, Plan
from prosa.toml import Times
from prosa.transport.admin.keys import NewKey, NextKey

CANARY = "sk-canary-0123456789"


@pytest.mark.hostile(21)
@pytest.mark.parametrize(
    "holder",
    [
        Given(CANARY, f"http://x?key={CANARY}"),
        Plan("openai", None, f"http://ana:{CANARY}@x", CANARY, needs_key=True, setting="X", times=Times()),
        NewKey("openai", CANARY),
        NextKey(CANARY),
    ],
    ids=lambda holder: type(holder).__name__,
)
def test_a_holder_of_a_secret_is_printed_without_it(holder: object) -> None:
    assert CANARY not in f"{holder!r} {holder!s} {[holder]!r}"
