"""Instants and their ISO form, days and months."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosa.domain.time import SECOND, Instant, now, start_of_day, start_of_month, to_iso

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
moments = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def instant_of(moment: datetime) -> Instant:
    return Instant((moment - EPOCH) // timedelta(microseconds=1))


@given(moments)
def test_the_iso_form_is_the_moment(moment: datetime) -> None:
    shown = to_iso(instant_of(moment))
    assert datetime.fromisoformat(shown) == moment
    assert len(shown) == len("2026-11-21T09:30:00.123456Z")


@given(moments)
def test_days_begin_at_midnight(moment: datetime) -> None:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    assert start_of_day(instant_of(moment)) == instant_of(midnight)


@given(moments, st.integers(0, 24))
def test_months_begin_on_their_first(moment: datetime, ahead: int) -> None:
    years, month = divmod(moment.month - 1 + ahead, 12)
    first = datetime(moment.year + years, month + 1, 1, tzinfo=UTC)
    assert start_of_month(instant_of(moment), ahead) == instant_of(first)


@pytest.mark.parametrize(("text", "after"), [("2026-12-31", "2027-01-01"), ("2028-02-29", "2028-03-01")])
def test_the_next_month(text: str, after: str) -> None:
    instant = instant_of(datetime.fromisoformat(f"{text}T23:59:59.999999+00:00"))
    assert to_iso(start_of_month(instant, ahead=1)) == f"{after}T00:00:00.000000Z"


def test_now_is_now() -> None:
    before = datetime.now(UTC)
    instant = now()
    assert (
        before - timedelta(seconds=1)
        < EPOCH + timedelta(microseconds=instant)
        < before + timedelta(seconds=1)
    )
    assert instant > 1_700_000_000 * SECOND
