"""What is entered in the ledger: the report where it is whole, an estimate where it is not, nothing for nothing."""

from typing import Any

import pytest

from prosa.domain.models import Usage
from prosa.services.runs.settle import Attempt

REPORT = Usage(10, 5)


def attempt(**known: Any) -> Attempt:
    return Attempt("fake", "m", 108, 200, **known)


@pytest.mark.parametrize(
    ("made", "said", "usage", "estimated"),
    [
        (attempt(), "", Usage(), False),
        (attempt(called=True, finished=True, reported=REPORT), "hello", REPORT, False),
        (attempt(called=True), "", Usage(0, 0), True),
        (attempt(called=True, finished=True), "x" * 30, Usage(108, 18), True),
        (attempt(called=True), "x" * 30, Usage(108, 18), True),
        (attempt(called=True, unsaid=30), "", Usage(108, 10), True),
        (attempt(called=True, reported=Usage(10, 1)), "x" * 300, Usage(10, 108), True),
        (attempt(called=True, reported=Usage(10, 150)), "x" * 300, Usage(10, 150), True),
        (attempt(called=True), "x" * 3000, Usage(108, 200), True),
        (attempt(called=True, recalled=True), "x" * 300, Usage(), False),
    ],
)
def test_settle(made: Attempt, said: str, usage: Usage, estimated: bool) -> None:
    assert made.settled(said) == (usage, estimated)
