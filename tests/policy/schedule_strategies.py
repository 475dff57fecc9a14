"""Drawn schedules and calendars, around clock changes, with a slow judge of each.

A judge walks every step or every minute and knows nothing of how the policy finds its answers.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from hypothesis import strategies as st

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
from gridsched.model.dst import DstPolicy
from gridsched.model.trigger import CalendarInterval, DailyTimeInterval, Simple, TimeOfDay
from gridsched.policy.localtime import to_instants, to_local, zone

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

CHANGES = {
    "America/New_York": (1_710_054_000_000, 1_730_613_600_000),
    "Europe/London": (1_774_746_000_000, 1_792_890_000_000),
    "Australia/Lord_Howe": (1_728_142_200_000, 1_712_415_600_000),
    "America/Sao_Paulo": (1_541_300_400_000, 1_518_919_200_000),
    "Africa/Casablanca": (1_710_036_000_000, 1_713_060_000_000),
    "Pacific/Apia": (1_325_239_200_000, 1_325_239_200_000),
    "UTC": (1_700_000_040_000, 1_700_000_040_000),
}
"""Zones with the instants of clock changes, all on whole minutes."""

POLICIES = [DstPolicy(gap, overlap) for gap in ("skip", "after") for overlap in ("first", "second")]
BOTH = DstPolicy("after", "both")


@st.composite
def places(draw: st.DrawFn) -> tuple[str, int]:
    """A zone and an instant within two days before one of its clock changes, on a whole minute."""
    name = draw(st.sampled_from(sorted(CHANGES)))
    change = draw(st.sampled_from(CHANGES[name]))
    return name, change - draw(st.integers(0, 2 * 24 * 60)) * MINUTE


def ends(start: int, most: int) -> st.SearchStrategy[int | None]:
    return st.one_of(st.none(), st.integers(0, most).map(lambda ms: start + ms))


@st.composite
def simples(draw: st.DrawFn) -> Simple:
    start = draw(st.integers(0, 10**13))
    interval = draw(st.integers(1, 10**6))
    return Simple(start, interval, draw(st.integers(-1, 30)), draw(ends(start, interval * 30)))


@st.composite
def calendar_intervals(draw: st.DrawFn, units: tuple[str, ...]) -> CalendarInterval:
    name, start = draw(places())
    start += draw(st.sampled_from([0, 0, 500, 12_345]))
    unit = draw(st.sampled_from(units))
    back = draw(st.integers(0, 400)) * DAY
    return CalendarInterval(
        start - back,
        draw(st.integers(1, 40)),
        unit,  # type: ignore[arg-type]
        name,
        draw(ends(start, 900 * DAY)),
        draw(st.sampled_from([None, BOTH, *POLICIES])),
    )


@st.composite
def daily_time_intervals(draw: st.DrawFn) -> DailyTimeInterval:
    name, start = draw(places())
    opening, closing = sorted(draw(st.lists(st.integers(0, 1439), min_size=2, max_size=2)))
    return DailyTimeInterval(
        draw(st.integers(1, 300)),
        "MINUTE",
        TimeOfDay(*divmod(opening, 60)),
        draw(st.sampled_from([None, TimeOfDay(*divmod(closing, 60))])),
        tuple(sorted(draw(st.sets(st.integers(1, 7), min_size=1)))),
        name,
        draw(st.sampled_from([None, start, start + 1])),
        draw(ends(start, 4 * DAY)),
    )


def steps_of(schedule: CalendarInterval, until: int) -> list[int]:
    """Every fire up to an instant, step by step from the start; dates move by one unit at a time."""
    tz = zone(schedule.zone)
    local = to_local(schedule.start, tz)
    dst = schedule.dst or DstPolicy("after", "first")
    found, day = {schedule.start}, local.date()
    while True:
        day = _next_day(day, schedule)
        later = [
            instant
            for instant in to_instants(datetime.combine(day, local.time()), tz, dst)
            if instant > schedule.start
        ]
        if (later and later[0] > until) or day.year > 2299:
            break
        found.update(later)
    end = schedule.end if schedule.end is not None else until + 1
    return sorted(fire for fire in found if fire < end or fire == schedule.start)


def _next_day(day: date, schedule: CalendarInterval) -> date:
    if schedule.unit in ("DAY", "WEEK"):
        return day + timedelta(days=schedule.interval * (7 if schedule.unit == "WEEK" else 1))
    months = schedule.interval * (12 if schedule.unit == "YEAR" else 1)
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def minutes_of(schedule: DailyTimeInterval, start: int, days: int) -> list[int]:
    """Every fire of the whole local days from an instant's on, by a look at every minute."""
    tz = zone(schedule.zone)
    by_day: dict[date, list[int]] = {}
    first = to_local(start, tz).date()
    start -= start % MINUTE
    for instant in range(start - DAY, start + (days + 2) * DAY, MINUTE):
        local = to_local(instant, tz)
        if first <= local.date() < first + timedelta(days=days) and _is_within(schedule, local):
            by_day.setdefault(local.date(), []).append(instant)
    fires: list[int] = []
    for minutes in by_day.values():
        fires += range(minutes[0], minutes[-1] + 1, schedule.interval * MINUTE)
    low = schedule.start if schedule.start is not None else 0
    high = schedule.end if schedule.end is not None else 10**14
    return [fire for fire in fires if low <= fire <= high]


def _is_within(schedule: DailyTimeInterval, local: datetime) -> bool:
    closing = schedule.end_time_of_day or TimeOfDay(23, 59, 59)
    opening = schedule.start_time_of_day
    is_day = local.isoweekday() % 7 + 1 in schedule.days_of_week
    return is_day and time(*opening) <= local.time() <= time(*closing)


# --- Calendars, which change on whole minutes only


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    name, near = draw(places())
    kind = draw(st.sampled_from([_holiday, _annual, _weekly, _monthly, _daily, _cron]))
    return kind(draw, name, to_local(near, zone(name)).date())


def _holiday(draw: st.DrawFn, name: str, near: date) -> Calendar:
    days = draw(st.sets(st.integers(0, 6), max_size=5))
    return HolidayCalendar(dates=tuple(near + timedelta(days=n) for n in days), zone=name)


def _annual(draw: st.DrawFn, name: str, near: date) -> Calendar:
    days = [near + timedelta(days=n) for n in draw(st.sets(st.integers(0, 6), max_size=5))]
    return AnnualCalendar(days=tuple(MonthDay(day.month, day.day) for day in days), zone=name)


def _weekly(draw: st.DrawFn, name: str, near: date) -> Calendar:
    return WeeklyCalendar(days=tuple(draw(st.sets(st.integers(1, 7), max_size=5))), zone=name)


def _monthly(draw: st.DrawFn, name: str, near: date) -> Calendar:
    return MonthlyCalendar(days=tuple(draw(st.sets(st.integers(1, 31), max_size=20))), zone=name)


def _daily(draw: st.DrawFn, name: str, near: date) -> Calendar:
    low, high = sorted(draw(st.lists(st.integers(0, 1439), min_size=2, max_size=2)))
    return DailyCalendar(
        starting=time(*divmod(low, 60)),
        ending=time(*divmod(high, 60), 59, 999_000),
        invert=draw(st.booleans()),
        zone=name,
    )


def _cron(draw: st.DrawFn, name: str, near: date) -> Calendar:
    expressions = ["* * 22-2 * * ?", "* 0-29 * * * ?", "* * * ? * MON-FRI", "* * 1 * * ?"]
    return CronCalendar(expression=draw(st.sampled_from(expressions)), zone=name)


def excludes(calendar: Calendar, instant: int) -> bool:
    """Whether a calendar, by itself, excludes the minute of an instant."""
    local = to_local(instant, zone(calendar.zone))
    weekday = local.isoweekday() % 7 + 1
    judges: dict[type, Callable[[Any], bool]] = {
        HolidayCalendar: lambda c: local.date() in c.dates,
        AnnualCalendar: lambda c: (local.month, local.day) in c.days,
        WeeklyCalendar: lambda c: weekday in c.days,
        MonthlyCalendar: lambda c: local.day in c.days,
        DailyCalendar: lambda c: (c.starting <= local.time() <= c.ending) != c.invert,
        CronCalendar: lambda c: _EXCLUDED[c.expression](local),
    }
    return judges[type(calendar)](calendar)


_EXCLUDED: dict[str, Callable[[datetime], bool]] = {
    "* * 22-2 * * ?": lambda local: local.hour >= 22 or local.hour <= 2,
    "* 0-29 * * * ?": lambda local: local.minute < 30,
    "* * * ? * MON-FRI": lambda local: local.isoweekday() <= 5,
    "* * 1 * * ?": lambda local: local.hour == 1,
}


def scan(start: int, count: int) -> Iterator[int]:
    """The whole minutes from an instant on."""
    first = -(-start // MINUTE) * MINUTE
    return iter(range(first, first + count * MINUTE, MINUTE))
