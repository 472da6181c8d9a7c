"""What is entered in the ledger: the report where it is whole, an estimate where it is not, nothing for nothing."""

import pytest

from prosa.domain.models import ChatRequest, Role, Turn, Usage
from prosa.domain.opening import Prepared
from prosa.services.runs.settle import Taken, settle

ASKED = Prepared("fake", ChatRequest("m", (Turn(Role.USER, "x" * 300),), max_tokens=200), 500, None, 108)
REPORT = Usage(10, 5)


@pytest.mark.parametrize(
    ("taken", "said", "usage", "estimated"),
    [
        (Taken(), "", Usage(), False),
        (Taken(called=True, finished=True, reported=REPORT), "hello", REPORT, False),
        (Taken(called=True), "", Usage(0, 0), True),
        (Taken(called=True, finished=True), "x" * 30, Usage(108, 18), True),
        (Taken(called=True), "x" * 30, Usage(108, 18), True),
        (Taken(called=True, thought=30), "", Usage(108, 10), True),
        (Taken(called=True, reported=Usage(10, 1)), "x" * 300, Usage(10, 108), True),
        (Taken(called=True, reported=Usage(10, 150)), "x" * 300, Usage(10, 150), True),
        (Taken(called=True), "x" * 3000, Usage(108, 200), True),
    ],
)
def test_settle(taken: Taken, said: str, usage: Usage, estimated: bool) -> None:
    assert settle(taken, ASKED, said) == (usage, estimated)
