"""Days and months where clocks are changed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosa.domain.calendar import Calendar, Period, Span, check
from prosa.domain.time import DAY, SECOND, Instant, from_iso, to_iso

HOUR = 3_600 * SECOND
UTC_DAYS, BERLIN, SAO_PAULO = Calendar(), Calendar("Europe/Berlin"), Calendar("America/Sao_Paulo")


def at(text: str) -> Instant:
    found = from_iso(text)
    assert found is not None
    return found


def test_days_and_months() -> None:
    moment = at("2026-12-01T01:30:00.000001Z")
    assert UTC_DAYS.day(moment) == "2026-12-01"
    assert SAO_PAULO.day(moment) == "2026-11-30"
    assert to_iso(SAO_PAULO.start_of_day(moment)) == "2026-11-30T03:00:00.000000Z"
    assert to_iso(SAO_PAULO.start_of_month(moment)) == "2026-11-01T03:00:00.000000Z"
    assert to_iso(SAO_PAULO.start_of_month(moment, ahead=2)) == "2027-01-01T03:00:00.000000Z"
    assert to_iso(UTC_DAYS.start_of_month(moment, ahead=1)) == "2027-01-01T00:00:00.000000Z"


def test_a_day_may_have_23_or_25_hours() -> None:
    for day, hours in (("2026-03-29", 23), ("2026-10-25", 25), ("2026-10-26", 24)):
        begins = BERLIN.start_of_day(at(f"{day}T12:00:00Z"))
        assert BERLIN.start_of_day(begins, ahead=1) - begins == hours * HOUR
        assert BERLIN.day(begins) == day
        assert BERLIN.day(Instant(begins - 1)) < day


def test_a_day_whose_midnight_does_not_exist() -> None:
    begins = SAO_PAULO.moment(2018, 11, 4)
    assert to_iso(begins) == "2018-11-04T03:00:00.000000Z"
    assert (SAO_PAULO.day(begins), SAO_PAULO.day(Instant(begins - 1))) == ("2018-11-04", "2018-11-03")


def test_time_is_cut_where_clocks_are_changed() -> None:
    since, until = at("2026-01-01"), at("2027-01-01")
    assert UTC_DAYS.spans(since, until) == [Span(since, until, 0)]
    spring, autumn = at("2026-03-29T01:00:00Z"), at("2026-10-25T01:00:00Z")
    assert BERLIN.spans(since, until) == [
        Span(since, spring, HOUR), Span(spring, autumn, 2 * HOUR), Span(autumn, until, HOUR)
    ]  # fmt: skip
    assert BERLIN.spans(until, until) == []


def test_each_moment_of_a_span_is_of_the_day_that_its_offset_says() -> None:
    for span in BERLIN.spans(at("2026-01-01"), at("2027-01-01")):
        for moment in range(span.since, span.until, 7 * HOUR + 1):
            told = datetime.fromtimestamp((moment + span.offset) // DAY * 86_400, UTC).date().isoformat()
            assert told == BERLIN.day(Instant(moment))


@pytest.mark.parametrize(
    "name", ["", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "a\0b", "x" * 5_000]
)
def test_what_is_no_time_zone(name: str) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        check(name)


ZONES = (
    "UTC",
    "Europe/Lisbon",
    "America/Sao_Paulo",
    "America/Havana",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
)
moments = st.datetimes(datetime(1970, 1, 2), datetime(2037, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(moments)
def test_days_and_months_as_periods(moment: datetime) -> None:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight.replace(day=1)
    instant, after = at(moment.isoformat()), (first + timedelta(days=31)).replace(day=1)
    tomorrow = midnight + timedelta(days=1)
    assert UTC_DAYS.day_of(instant) == Period(at(midnight.isoformat()), at(tomorrow.isoformat()))
    assert UTC_DAYS.month_of(instant) == Period(at(first.isoformat()), at(after.isoformat()))


@given(moments, st.sampled_from(ZONES))
def test_periods_of_a_zone_meet_each_other(moment: datetime, zone: str) -> None:
    instant, calendar = at(moment.isoformat()), Calendar(zone)
    for of in (calendar.day_of, calendar.month_of):
        period = of(instant)
        assert period.since <= instant < period.until
        after, before = of(period.until), of(Instant(period.since - 1))
        assert (after.since, before.until) == (period.until, period.since)
