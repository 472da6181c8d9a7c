"""Every failure has a code of its own and a sentence in both languages."""

import inspect

import pytest

from prosa.domain import errors
from prosa.domain.errors import (
    AnswerFailed,
    CostLimitReached,
    InvalidRequest,
    ProsaError,
    RateLimited,
    RunInProgress,
    TokenLimitReached,
)

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, ProsaError)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_code_and_two_sentences(kind: type[ProsaError]) -> None:
    assert kind.code.isidentifier()
    assert kind.code == kind.code.lower()
    for sentence in (kind.en, kind.pt):
        assert sentence.startswith("{") or sentence[0].isupper()


def test_no_code_twice() -> None:
    codes = [kind.code for kind in KINDS]
    assert len(set(codes)) == len(codes)


def test_details_fill_the_sentence() -> None:
    error = TokenLimitReached(remaining=3, resetsAt="tomorrow")
    assert "3 tokens remain until tomorrow" in str(error)
    assert "restam 3 tokens" in error.sentence("pt")
    assert error.retryable
    assert not CostLimitReached(remaining="0", resetsAt="then").retryable


def test_text_from_outside_is_no_template() -> None:
    """Hostile 26: what a caller wrote is shown as it is."""
    assert (
        str(InvalidRequest("{0.__class__} %n {{7*7}}"))
        == "The request is not valid: {0.__class__} %n {{7*7}}"
    )


def test_shown_details() -> None:
    assert RunInProgress("r").details == {"runId": "r"}
    assert RateLimited("p", 2.0).details["retry_after"] == 2.0
    assert AnswerFailed("timeout", "Late.").code == "timeout"
    assert AnswerFailed.code == "answer_failed"
