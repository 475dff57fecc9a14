"""Rows of the oracle's tables as gridsched's values, and Quartz's questions as gridsched's."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from msgspec.structs import replace

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
from gridsched.model.trigger import (
    CalendarInterval,
    Cron,
    DailyTimeInterval,
    Schedule,
    Simple,
    TimeOfDay,
)
from gridsched.model.weekdays import ALL_DAYS
from gridsched.policy import localtime
from gridsched.policy.calendars import ResolvedCalendar, next_included, resolve
from gridsched.policy.fire_times import fire_after
from gridsched.policy.localtime import QUARTZ, WALL_CLOCK, DstPolicy, to_instants, to_local

Row = dict[str, Any]


def schedule_of(row: Row) -> Schedule:
    """A trigger of any kind, with Quartz's way of taking clock changes."""
    return _SCHEDULES[row["kind"]](row)


def _simple(row: Row) -> Simple:
    return Simple(row["start"], row["repeatInterval"], row["repeatCount"], row["end"])


def _cron(row: Row) -> Cron:
    """A CronTriggerImpl drops the milliseconds of its start."""
    start = row["start"] // 1000 * 1000
    return Cron(row["expr"], row["zone"], start, row["end"], dst=QUARTZ)


def _calendar_interval(row: Row) -> CalendarInterval:
    """Java goes from day to day without looking which pass of a repeated hour it is in, and comes
    to the first; months and years it resolves anew, to the second."""
    skips = row["preserveHour"] and row["skipDay"]
    by_day = row["unit"] in ("DAY", "WEEK")
    return CalendarInterval(
        row["start"],
        row["interval"],
        row["unit"],
        row["zone"],
        row["end"],
        DstPolicy("skip" if skips else "after", "first" if by_day else "second"),
    )


def _daily_time_interval(row: Row) -> DailyTimeInterval:
    return DailyTimeInterval(
        row["interval"],
        row["unit"],
        TimeOfDay(*(row["startTimeOfDay"] or (0,))),
        row["endTimeOfDay"] and TimeOfDay(*row["endTimeOfDay"]),
        tuple(row["daysOfWeek"] or ALL_DAYS),
        row["zone"],
        row["start"],
        row["end"],
        row["repeatCount"],
        QUARTZ,
    )


_SCHEDULES = {
    "simple": _simple,
    "cron": _cron,
    "calendar_interval": _calendar_interval,
    "daily_time_interval": _daily_time_interval,
}


def with_quartz_end(schedule: Schedule) -> Schedule:
    """The schedule that fires, from one fire to the next, as Quartz's.

    A daily time interval looks whether its end has come before it goes on to the next fire of the
    day, and so makes one more on the day of the end. That fire is the end here.
    """
    if not isinstance(schedule, DailyTimeInterval) or schedule.end is None:
        return schedule
    unending, tz = replace(schedule, end=None), localtime.zone(schedule.zone)
    last_day = datetime.combine(to_local(schedule.end, tz), time())
    midnight = to_instants(last_day, tz, WALL_CLOCK)[0]
    fire = fire_after(unending, schedule.end - 1000)
    if fire is None or to_local(fire, tz).date() != last_day.date():
        return schedule
    is_first = fire == fire_after(unending, midnight - 1)
    if is_first and (schedule.start or 0) < midnight:
        return schedule
    return replace(schedule, end=max(fire, schedule.end))


def quartz_after(schedule: Schedule, after: int) -> int:
    """The instant after which Quartz's getFireTimeAfter looks for a fire of `with_quartz_end`.

    To a daily time interval the last second before its end is past the end.
    """
    over = isinstance(schedule, DailyTimeInterval) and after > (schedule.end or after) - 1000
    return after + _DAY if over and schedule.end else after


_DAY = 86_400_000


def calendar_of(row: Row | None) -> ResolvedCalendar | None:
    """A calendar with its bases.

    Quartz's DailyCalendar, not inverted, also excludes the first and the last millisecond of every
    day. Here these are calendars of their own.
    """
    chain: list[Calendar] = []
    while row is not None:
        chain.append(_calendar(row, {"zone": row["zone"]}))
        if row["type"] == "daily" and not row["invert"]:
            chain += [
                DailyCalendar(starting=at, ending=at, zone=row["zone"])
                for at in (time.min, _LAST_MS)
            ]
        row = row["base"]
    if not chain:
        return None
    last = len(chain) - 1
    by_name = {
        str(depth): replace(calendar, base=str(depth + 1) if depth < last else "")
        for depth, calendar in enumerate(chain)
    }
    return resolve("0", by_name)


_LAST_MS = time(23, 59, 59, 999_000)


def _calendar(row: Row, common: dict[str, str]) -> Calendar:
    match row["type"]:
        case "holiday":
            days = tuple(date.fromisoformat(day) for day in row["dates"])
            return HolidayCalendar(dates=days, **common)
        case "annual":
            return AnnualCalendar(days=tuple(MonthDay(*day) for day in row["days"]), **common)
        case "weekly":
            return WeeklyCalendar(days=tuple(row["days"]), **common)
        case "monthly":
            return MonthlyCalendar(days=tuple(row["days"]), **common)
        case "daily":
            bounds = _time(row["from"]), _time(row["to"])
            return DailyCalendar(
                starting=bounds[0], ending=bounds[1], invert=row["invert"], **common
            )
        case _:
            return CronCalendar(expression=row["expr"], **common)


def _time(text: str) -> time:
    hour, minute, second, ms = map(int, text.split(":"))
    return time(hour, minute, second, ms * 1000)


def quartz_next(calendar: Row, instant: int) -> int | None:
    """Quartz's getNextIncludedTime as questions about included instants.

    A daily or cron calendar looks from the next millisecond on, a holiday calendar from the start
    of the day. The others ask their base first, weekly and monthly ones not again.
    """
    if calendar["type"] in ("daily", "cron"):
        return next_included(_resolved(calendar), instant + 1)
    at: int | None = instant
    if calendar["base"]:
        at = quartz_next(calendar["base"], instant)
        if at is None:
            return None
        at = max(at, instant)
    if calendar["type"] == "annual":
        return next_included(_resolved(calendar), at)
    if calendar["type"] in ("weekly", "monthly"):
        return next_included(_resolved({**calendar, "base": None}), at)
    tz = localtime.zone(calendar["zone"])
    midnight = datetime.combine(to_local(at, tz), time())
    return next_included(_resolved(calendar), to_instants(midnight, tz, WALL_CLOCK)[0])


def _resolved(row: Row) -> ResolvedCalendar:
    calendar = calendar_of(row)
    assert calendar is not None
    return calendar
