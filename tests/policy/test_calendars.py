"""What calendars include, against a look at every minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from schedule_strategies import CHANGES, DAY, HOUR, MINUTE, calendars, excludes, scan

from gridsched.errors import InvalidCron, InvalidSchedule, NotFound
from gridsched.model.calendar import (
    AnnualCalendar,
    Calendar,
    CronCalendar,
    DailyCalendar,
    HolidayCalendar,
    MonthDay,
    MonthlyCalendar,
    WeeklyCalendar,
)
from gridsched.policy.calendar_checks import check_calendar
from gridsched.policy.calendars import ResolvedCalendar, included, next_included, resolve


def ms(utc: str) -> int:
    return int(datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp() * 1000)


def nears() -> st.SearchStrategy[int]:
    changes = sorted({change for pair in CHANGES.values() for change in pair})
    return st.tuples(st.sampled_from(changes), st.integers(-3 * 1440, 1440)).map(
        lambda drawn: drawn[0] + drawn[1] * MINUTE
    )


@settings(max_examples=80, deadline=None)
@given(st.lists(calendars(), min_size=1, max_size=3), nears())
def test_the_next_included_instant_is_the_first_minute_that_is(
    chain: list[Calendar], near: int
) -> None:
    calendar = ResolvedCalendar(tuple(chain))
    answer = next_included(calendar, near)
    want = (at for at in scan(near, 3000) if not any(excludes(link, at) for link in chain))
    first = next(want, None)
    if first is None:
        assert answer is None or answer > near + 2999 * MINUTE
    else:
        assert answer == first
        assert included(calendar, first)
        assert included(calendar, near) == (first == near)


def test_bounds_of_a_daily_calendar_are_to_the_millisecond() -> None:
    """Quartz also excludes the first and the last millisecond of the day."""
    daily = ResolvedCalendar((DailyCalendar(starting=time(8), ending=time(17)),))
    assert [included(daily, 8 * HOUR + off) for off in (-1, 0)] == [True, False]
    assert [included(daily, 17 * HOUR + off) for off in (0, 1)] == [False, True]
    assert included(daily, 0)
    assert included(daily, DAY - 1)
    inverted = ResolvedCalendar((DailyCalendar(starting=time(8), ending=time(17), invert=True),))
    assert next_included(inverted, 17 * HOUR + 1) == DAY + 8 * HOUR


def test_the_next_included_instant_is_included_by_the_base_too() -> None:
    """Quartz's weekly calendar does not ask its base again once it has moved on."""
    weekly = WeeklyCalendar(base="working hours")
    hours = DailyCalendar(starting=time(9), ending=time(17), invert=True)
    calendar = resolve("weekly", {"weekly": weekly, "working hours": hours})
    assert next_included(calendar, ms("2026-01-03T12:00")) == ms("2026-01-05T09:00")


def test_the_next_included_instant_is_never_before_the_one_asked_for() -> None:
    """Quartz's holiday calendar answers the midnight before."""
    calendar = ResolvedCalendar((HolidayCalendar(dates=(date(2026, 12, 25),)),))
    assert next_included(calendar, ms("2026-12-24T15:00")) == ms("2026-12-24T15:00")
    assert next_included(calendar, ms("2026-12-25T15:00")) == ms("2026-12-26T00:00")


def test_in_a_repeated_hour_both_passes_are_meant() -> None:
    """01:30 to 01:59 is excluded; the clock goes from 01:59 EDT back to 01:00 EST, included."""
    calendar = ResolvedCalendar(
        (
            DailyCalendar(
                starting=time(1, 30), ending=time(1, 59, 59, 999_000), zone="America/New_York"
            ),
        )
    )
    assert next_included(calendar, ms("2024-11-03T05:40")) == ms("2024-11-03T06:00")
    assert not included(calendar, ms("2024-11-03T06:40"))


def test_a_chain_is_found_by_name() -> None:
    a, b = WeeklyCalendar(base="b"), WeeklyCalendar()
    assert resolve("a", {"a": a, "b": b}) == ResolvedCalendar((a, b))
    assert resolve("b", {"a": a, "b": b}) == ResolvedCalendar((b,))


def test_a_chain_that_breaks_is_refused() -> None:
    with pytest.raises(NotFound, match="no calendar 'x'"):
        resolve("x", {})
    with pytest.raises(InvalidSchedule, match="'a': its base 'b' does not exist"):
        resolve("a", {"a": WeeklyCalendar(base="b")})
    with pytest.raises(InvalidSchedule, match="chains to itself: a -> b -> a"):
        resolve("a", {"a": WeeklyCalendar(base="b"), "b": WeeklyCalendar(base="a")})


@pytest.mark.parametrize(
    ("calendar", "part"),
    [
        (WeeklyCalendar(zone="Europe/Lundon"), "did you mean Europe/London"),
        (WeeklyCalendar(days=(0,)), "0 is not a day of this calendar: .* 1 \\(SUN\\) to 7"),
        (MonthlyCalendar(days=(32,)), "32 is not a day .* 1 to 31"),
        (AnnualCalendar(days=(MonthDay(2, 30),)), "no day 30 of month 2"),
        (DailyCalendar(starting=time(9), ending=time(8)), "starts at 09:00:00, after its end"),
    ],
)
def test_a_wrong_calendar_is_refused(calendar: Calendar, part: str) -> None:
    with pytest.raises(InvalidSchedule, match=part):
        check_calendar(calendar)


def test_a_wrong_expression_is_refused() -> None:
    with pytest.raises(InvalidCron):
        check_calendar(CronCalendar(expression="* * *"))


@given(calendars())
def test_a_calendar_is_the_same_after_its_way_through_the_grid(calendar: Calendar) -> None:
    check_calendar(calendar)
    assert msgspec.json.decode(msgspec.json.encode(calendar), type=Calendar) == calendar
