"""The run's state machine: every state against every signal, and no way back from an end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosa.domain.runs import END_STATES, IllegalTransition, RunStatus, Signal, feed

S, R = Signal, RunStatus
OPEN_STATES = (R.QUEUED, R.IN_PROGRESS, R.REQUIRES_ACTION, R.CANCELLING)

ARROWS = {
    (R.QUEUED, S.BEGIN): R.IN_PROGRESS,
    (R.IN_PROGRESS, S.ASK): R.REQUIRES_ACTION,
    (R.REQUIRES_ACTION, S.ANSWER): R.QUEUED,
    (R.IN_PROGRESS, S.COMPLETE): R.COMPLETED,
    (R.CANCELLING, S.COMPLETE): R.COMPLETED,
    (R.CANCELLING, S.STOP): R.CANCELLING,
    **{(state, S.STOP): R.CANCELLING for state in (R.QUEUED, R.IN_PROGRESS, R.REQUIRES_ACTION)},
    **{(state, S.EXPIRE): R.EXPIRED for state in (R.QUEUED, R.IN_PROGRESS, R.REQUIRES_ACTION)},
    **{(state, S.STOPPED): R.CANCELLED for state in OPEN_STATES},
    **{(state, S.CUT): R.INCOMPLETE for state in OPEN_STATES},
    **{(state, S.FAIL): R.FAILED for state in OPEN_STATES},
}
"""All there are: what is not here must not be possible."""


@pytest.mark.parametrize("signal", Signal)
@pytest.mark.parametrize("status", RunStatus)
def test_each_state_takes_what_the_table_says_and_nothing_else(status: RunStatus, signal: Signal) -> None:
    after = ARROWS.get((status, signal))
    if after is not None:
        assert feed(status, signal) is after
        return
    with pytest.raises(IllegalTransition, match=f"{status}.*{signal}"):
        feed(status, signal)


def test_a_state_is_either_open_or_an_end() -> None:
    assert set(RunStatus) == {*OPEN_STATES, *END_STATES}
    assert END_STATES.isdisjoint(OPEN_STATES)


def test_every_open_state_can_be_cut_and_stopped() -> None:
    """Recovery relies on it: whatever state a crash leaves, an end can be reached at once."""
    for status in OPEN_STATES:
        assert {feed(status, S.CUT), feed(status, S.STOPPED)} <= END_STATES


@given(st.lists(st.sampled_from(Signal)))
def test_whatever_comes_there_is_one_end(signals: list[Signal]) -> None:
    status, ends = RunStatus.QUEUED, 0
    for signal in signals:
        before = status
        try:
            status = feed(status, signal)
        except IllegalTransition:
            assert before in END_STATES or (before, signal) not in ARROWS
            continue
        assert before not in END_STATES
        ends += status in END_STATES
    assert ends == (status in END_STATES)


@pytest.mark.hostile(61)
@given(st.permutations([S.STOP, S.COMPLETE, S.STOPPED, S.FAIL, S.CUT]))
def test_a_stop_wins_only_before_an_end(signals: list[Signal]) -> None:
    status = RunStatus.IN_PROGRESS
    for signal in signals:
        before = status
        try:
            status = feed(status, signal)
        except IllegalTransition:
            assert before in END_STATES
    first = next(signal for signal in signals if signal is not S.STOP)
    assert status is feed(RunStatus.IN_PROGRESS, first)
