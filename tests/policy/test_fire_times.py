"""Fire times of every kind of schedule, against a slow judge of each."""

from __future__ import annotations

from datetime import UTC, datetime, time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from schedule_strategies import (
    DAY,
    MINUTE,
    calendar_intervals,
    calendars,
    daily_time_intervals,
    excludes,
    minutes_of,
    simples,
    steps_of,
)

from gridsched.model.calendar import Calendar, DailyCalendar, WeeklyCalendar
from gridsched.model.dst import DstPolicy
from gridsched.model.trigger import (
    WHEN_SUBMITTED,
    CalendarInterval,
    Cron,
    DailyTimeInterval,
    Once,
    Schedule,
    Simple,
    TimeOfDay,
    Trigger,
)
from gridsched.model.weekdays import ALL_DAYS
from gridsched.policy.calendars import ResolvedCalendar
from gridsched.policy.fire_times import (
    count_until,
    fire_after,
    first_fire,
    following,
    starting,
)
from gridsched.policy.localtime import QUARTZ, to_local, zone


def ms(utc: str) -> int:
    return int(datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp() * 1000)


def walk(
    schedule: Schedule, count: int, after: int = -1, calendar: ResolvedCalendar | None = None
) -> list[int]:
    found: list[int] = []
    at: int | None = after
    while at is not None and len(found) < count:
        at = fire_after(schedule, at, calendar)
        if at is not None:
            found.append(at)
    return found


def local(schedule: CalendarInterval | DailyTimeInterval, count: int) -> list[str]:
    tz = zone(schedule.zone)
    return [f"{to_local(fire, tz):%m-%d %H:%M}" for fire in walk(schedule, count)]


def agrees(schedule: Schedule, fires: list[int], afters: list[int]) -> None:
    """The walk is that of the judge, and so is the answer from any instant within it."""
    assert walk(schedule, len(fires), (fires[0] if fires else 0) - 1) == fires
    for after in afters:
        want = next((fire for fire in fires if fire > after), None)
        if want is not None:
            assert fire_after(schedule, after) == want


@given(simples(), st.data())
def test_simple_equals_its_judge(schedule: Simple, data: st.DataObject) -> None:
    count = 40 if schedule.repeat_count < 0 else schedule.repeat_count + 1
    fires = [schedule.start + n * schedule.interval for n in range(count)]
    if schedule.end is not None:
        fires = [fire for fire in fires if fire < schedule.end or fire == schedule.start]
    agrees(schedule, fires, data.draw(st.lists(st.integers(fires[0], fires[-1] + 1), max_size=5)))
    if schedule.repeat_count >= 0:
        assert fire_after(schedule, fires[-1]) is None


@settings(max_examples=150)
@given(calendar_intervals(("DAY", "WEEK", "MONTH", "YEAR")), st.data())
def test_calendar_interval_equals_its_judge(
    schedule: CalendarInterval, data: st.DataObject
) -> None:
    until = schedule.start + 1000 * DAY
    fires = steps_of(schedule, until)
    afters = data.draw(st.lists(st.integers(schedule.start - 10, until - 500 * DAY), max_size=5))
    agrees(schedule, fires[:400], [after for after in afters if after < fires[-1]])
    assert all(later > earlier for earlier, later in pairwise(fires))


@given(calendar_intervals(("SECOND", "MINUTE", "HOUR")))
def test_an_interval_up_to_an_hour_is_a_length_of_time(schedule: CalendarInterval) -> None:
    unit = {"SECOND": 1000, "MINUTE": 60_000, "HOUR": 3_600_000}[schedule.unit]
    same = Simple(schedule.start, schedule.interval * unit, end=schedule.end)
    assert walk(schedule, 30) == walk(same, 30)


@settings(max_examples=25, deadline=None)
@given(daily_time_intervals(), st.data())
def test_daily_time_interval_equals_its_judge(
    schedule: DailyTimeInterval, data: st.DataObject
) -> None:
    near = schedule.start or 1_710_054_000_000
    fires = minutes_of(schedule, near, 4)
    if not fires:
        return
    afters = data.draw(st.lists(st.integers(fires[0] - 1, fires[-1] - 1), max_size=5))
    agrees(schedule, fires, afters)


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(
        calendar_intervals(("HOUR", "DAY", "WEEK")),
        daily_time_intervals(),
        st.builds(Simple, st.just(1_709_000_040_000), st.integers(1, 2000).map(MINUTE.__mul__)),
        # From the 2nd of January: before, it is 1969 in some zones, and cron knows years from 1970.
        st.builds(Cron, st.just("0 0/20 * * * ?"), st.just("Europe/London"), st.just(86_400_000)),
    ),
    calendars(),
    calendars(),
)
def test_with_a_calendar_the_fires_are_those_it_includes(
    schedule: Schedule, first: Calendar, second: Calendar
) -> None:
    calendar = ResolvedCalendar((first, second))
    plain = walk(schedule, 60)
    included = [f for f in plain if not excludes(first, f) and not excludes(second, f)]
    assert walk(schedule, len(included), calendar=calendar) == included


# --- By hand


def test_a_day_that_loses_its_hour_fires_after_the_gap_and_the_others_on_time() -> None:
    """Quartz without preserveHour fires at 01:30 that day and every day from there on."""
    start = ms("2024-03-09T07:30")
    schedule = CalendarInterval(start, 1, "DAY", "America/New_York")
    assert local(schedule, 4) == ["03-09 02:30", "03-10 03:00", "03-11 02:30", "03-12 02:30"]
    skipping = CalendarInterval(start, 1, "DAY", "America/New_York", dst=DstPolicy("skip", "first"))
    assert local(skipping, 3) == ["03-09 02:30", "03-11 02:30", "03-12 02:30"]


def test_no_day_fires_twice_however_long_ago_it_began() -> None:
    """Quartz, past 20 intervals, leaps over the gap and fires at 01:30 and at 02:30 on the 30th."""
    schedule = CalendarInterval(ms("2024-03-09T07:30"), 1, "DAY", "America/New_York")
    days = [day for day, _ in (fire.split() for fire in local(schedule, 60))]
    assert len(set(days)) == len(days)


def test_both_passes_fire_twice() -> None:
    schedule = CalendarInterval(
        ms("2024-11-02T05:30"), 1, "DAY", "America/New_York", dst=DstPolicy("after", "both")
    )
    assert local(schedule, 4) == ["11-02 01:30", "11-03 01:30", "11-03 01:30", "11-04 01:30"]


def test_a_month_that_is_too_short_cuts_the_later_ones_too_as_in_quartz() -> None:
    schedule = CalendarInterval(ms("2024-01-31T12:00"), 1, "MONTH")
    assert local(schedule, 4) == ["01-31 12:00", "02-29 12:00", "03-29 12:00", "04-29 12:00"]
    leap = CalendarInterval(ms("2024-02-29T12:00"), 1, "YEAR")
    assert local(leap, 6)[4:] == ["02-28 12:00", "02-28 12:00"]


def test_an_end_is_the_end() -> None:
    """Quartz looks at the end before it goes on within the day, and fires at 03:30 too."""
    schedule = DailyTimeInterval(
        1, "HOUR", TimeOfDay(2, 30), start=ms("2027-10-29T00:00"), end=ms("2027-10-29T02:45")
    )
    assert local(schedule, 3) == ["10-29 02:30"]


def test_nothing_fires_before_the_start() -> None:
    """Quartz drops its milliseconds, and fires up to 999 ms before it."""
    start = ms("2032-04-10T00:00") + 593
    schedule = DailyTimeInterval(8, "HOUR", start=start)
    assert local(schedule, 1) == ["04-10 08:00"]


def test_a_fire_within_the_end_is_not_left_out() -> None:
    """Quartz rounds up past midnight first, and finds that beyond the end."""
    schedule = DailyTimeInterval(
        935, "MINUTE", TimeOfDay(0), start=ms("2028-04-26T22:05"), end=ms("2028-04-27T01:09")
    )
    assert local(schedule, 2) == ["04-27 00:00"]


def test_a_window_that_opens_in_a_gap_opens_behind_it_that_day_only() -> None:
    """Quartz opens an hour later, and where it looks from that day on keeps the hour."""
    schedule = DailyTimeInterval(
        1, "HOUR", TimeOfDay(2, 30), TimeOfDay(3, 40), zone="America/New_York",
        start=ms("2028-03-12T05:00"),
    )  # fmt: skip
    assert local(schedule, 4) == ["03-12 03:00", "03-13 02:30", "03-13 03:30", "03-14 02:30"]


def test_a_window_goes_through_a_repeated_hour_twice() -> None:
    schedule = DailyTimeInterval(
        30, "MINUTE", TimeOfDay(1), TimeOfDay(2), zone="America/New_York",
        start=ms("2024-11-03T04:00"), end=ms("2024-11-03T12:00"),
    )  # fmt: skip
    assert [fire[6:] for fire in local(schedule, 9)] == [
        *("01:00", "01:30", "01:00", "01:30", "02:00"),
    ]


def test_repeats_of_a_daily_time_interval_are_used_up_by_runs() -> None:
    schedule = DailyTimeInterval(1, "HOUR", repeat_count=2)
    trigger = Trigger(schedule)
    assert following(trigger, DAY, 2) == DAY + 3_600_000
    assert following(trigger, DAY, 3) is None


def test_cron_takes_its_dst_policy() -> None:
    after = ms("2024-03-10T00:00")
    for dst, hour in ((None, "03:00"), (QUARTZ, "02:30")):
        fire = fire_after(Cron("0 30 2 * * ?", "America/New_York", dst=dst), after)
        assert fire is not None
        assert f"{to_local(fire, zone('America/New_York')):%H:%M}" == hour


@pytest.mark.parametrize(
    "schedule",
    [
        CalendarInterval(ms("2026-01-03T12:00"), 1, "WEEK"),
        Cron("0 0 12 ? * SAT"),
        DailyTimeInterval(1, "HOUR", days_of_week=(7,)),
        Simple(ms("2026-01-03T12:00"), 7 * DAY),
    ],
)
def test_a_trigger_whose_every_fire_is_excluded_has_none(schedule: Schedule) -> None:
    assert first_fire(schedule, ResolvedCalendar((WeeklyCalendar(days=(7,)),))) is None


@pytest.mark.parametrize("calendar", [None, ResolvedCalendar((WeeklyCalendar(days=(5,)),))])
@pytest.mark.parametrize(
    "schedule",
    [
        Simple(DAY, 10**15),
        Simple(DAY, 2**62, 2**60),
        CalendarInterval(DAY, 10**12, "SECOND"),
        CalendarInterval(DAY, 2**62, "MINUTE"),
        CalendarInterval(DAY, 10**12, "HOUR"),
        CalendarInterval(DAY, 10**12, "DAY"),
        CalendarInterval(DAY, 10**12, "YEAR"),
    ],
)
def test_nothing_is_named_beyond_the_last_year(
    schedule: Schedule, calendar: ResolvedCalendar | None
) -> None:
    """DAY is a Friday; a Thursday, weekday 5, it is not."""
    assert first_fire(schedule, calendar) == DAY
    assert fire_after(schedule, DAY, calendar) is None
    assert fire_after(schedule, DAY, ResolvedCalendar((WeeklyCalendar(days=(6,)),))) is None
    assert first_fire(schedule, ResolvedCalendar((WeeklyCalendar(days=(6,)),))) is None


def test_a_calendar_that_excludes_everything_is_known_at_once() -> None:
    noon = time(12)
    halves = (
        DailyCalendar(starting=time.min, ending=noon),
        DailyCalendar(starting=noon, ending=time.max),
    )
    assert first_fire(Simple(DAY, 1), ResolvedCalendar(halves)) is None
    assert first_fire(Simple(DAY, 1), ResolvedCalendar((WeeklyCalendar(days=ALL_DAYS),))) is None


@given(simples(), st.integers(0, 10**7), st.integers(0, 40))
def test_counting_a_simple_schedule_is_as_walking_it(schedule: Simple, span: int, at: int) -> None:
    fires = walk(schedule, 400)
    first = fires[min(at, len(fires) - 1)]
    within = [fire for fire in fires if first <= fire <= first + span]
    if within[-1] != fires[-1]:
        assert count_until(schedule, first, first + span, 1) == (len(within), within[-1])


def test_a_schedule_without_a_start_begins_when_it_is_submitted() -> None:
    assert starting(Once(WHEN_SUBMITTED), 5) == Once(5)
    assert starting(Simple(WHEN_SUBMITTED, 1), 5) == Simple(5, 1)
    assert starting(Cron("0 0 0 * * ?"), 5).start == 5  # type: ignore[union-attr]
    assert starting(DailyTimeInterval(1), 5).start == 5  # type: ignore[union-attr]
    assert starting(CalendarInterval(7, 1), 5).start == 7  # type: ignore[union-attr]
