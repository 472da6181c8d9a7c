"""Instants and their ISO form, days and months."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from prosa.domain.time import SECOND, Instant, now, to_iso

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
moments = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def instant_of(moment: datetime) -> Instant:
    return Instant((moment - EPOCH) // timedelta(microseconds=1))


@given(moments)
def test_the_iso_form_is_the_moment(moment: datetime) -> None:
    shown = to_iso(instant_of(moment))
    assert datetime.fromisoformat(shown) == moment
    assert len(shown) == len("2026-11-21T09:30:00.123456Z")


def test_now_is_now() -> None:
    before = datetime.now(UTC)
    instant = now()
    assert (
        before - timedelta(seconds=1)
        < EPOCH + timedelta(microseconds=instant)
        < before + timedelta(seconds=1)
    )
    assert instant > 1_700_000_000 * SECOND
