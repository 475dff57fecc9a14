"""Values of the model in words: instants, durations, schedules, calendars, data."""

from __future__ import annotations

from datetime import datetime
from functools import singledispatch
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from gridsched.model.calendar import (
    AnnualCalendar,
    Calendar,
    CronCalendar,
    DailyCalendar,
    HolidayCalendar,
    MonthlyCalendar,
    WeeklyCalendar,
)
from gridsched.model.events import Delivery
from gridsched.model.http import HttpTask, ServiceOperation, redacted
from gridsched.model.job import Task
from gridsched.model.trigger import (
    FOREVER,
    WHEN_SUBMITTED,
    CalendarInterval,
    Cron,
    DailyTimeInterval,
    Once,
    Schedule,
    Simple,
    TimeOfDay,
)
from gridsched.model.weekdays import day_name

_UNITS: Final = (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000), ("ms", 1))


def moment(instant: int, zone: ZoneInfo) -> str:
    """An instant (epoch ms) in ISO 8601, as local time of a zone with its offset."""
    seconds, ms = divmod(instant, 1000)
    local = datetime.fromtimestamp(seconds, zone).replace(microsecond=ms * 1000)
    return local.isoformat(timespec="milliseconds" if ms else "seconds")


def duration(ms: int) -> str:
    """Milliseconds in the largest units that say them exactly: "1 min 30 s"."""
    if ms < 0:
        return f"-{duration(-ms)}"
    parts: list[str] = []
    for unit, size in _UNITS:
        number, ms = divmod(ms, size)
        if number:
            parts.append(f"{number} {unit}")
    return " ".join(parts) or "0 ms"


@singledispatch
def schedule(value: Schedule, zone: ZoneInfo) -> str:
    """A schedule in words, its instants in a zone."""
    raise TypeError(f"not a schedule: {value!r}")


@schedule.register
def _(value: Once, zone: ZoneInfo) -> str:
    return f"once {_at(value.at, zone)}"


@schedule.register
def _(value: Simple, zone: ZoneInfo) -> str:
    if value.repeat_count == 0:
        return f"once {_at(value.start, zone)}"
    return f"every {duration(value.interval)}{_times(value.repeat_count)}{_until(value.end, zone)}"


@schedule.register
def _(value: Cron, zone: ZoneInfo) -> str:
    unix = "" if value.dialect == "quartz" else f"{value.dialect} "
    return f"{unix}cron {value.expression} ({_where(value)}){_until(value.end, zone)}"


@schedule.register
def _(value: CalendarInterval, zone: ZoneInfo) -> str:
    return (
        f"{_every(value.interval, value.unit)} from {_at(value.start, zone)} "
        f"({_where(value)}){_until(value.end, zone)}"
    )


@schedule.register
def _(value: DailyTimeInterval, zone: ZoneInfo) -> str:
    first = value.start_time_of_day
    last = value.end_time_of_day or TimeOfDay(23, 59, 59)
    days = ",".join(map(day_name, value.days_of_week))
    return (
        f"{_every(value.interval, value.unit)} {_time(first)}–{_time(last)} {days} "
        f"({_where(value)}){_times(value.repeat_count)}{_until(value.end, zone)}"
    )


def _where(value: Cron | CalendarInterval | DailyTimeInterval) -> str:
    """The zone of a schedule, and its policy for clock changes where it has one of its own."""
    return value.zone if value.dst is None else f"{value.zone}; {value.dst}"


@singledispatch
def task(value: Task) -> str:
    """What a job does, where it calls no function."""
    return f"{value.__struct_config__.tag}"


@task.register
def _(value: HttpTask) -> str:
    return f"{value.method} {redacted(value.url)}"


@task.register
def _(value: ServiceOperation) -> str:
    return f"{value.service}/{value.operation}"


@task.register
def _(value: Delivery) -> str:
    return f"{value.event.name} of {value.event.task} to {value.subscriber}"


def calendar(value: Calendar) -> str:
    """What a calendar excludes, in words."""
    base = f", and what {value.base!r} excludes" if value.base else ""
    return f"{_excluded(value)} ({value.zone}){base}"


def _excluded(value: Calendar) -> str:
    match value:
        case WeeklyCalendar():
            return ",".join(map(day_name, value.days))
        case MonthlyCalendar():
            return f"day {','.join(map(str, value.days))} of the month"
        case AnnualCalendar():
            return f"{','.join(f'{month:02}-{day:02}' for month, day in value.days)} of every year"
        case HolidayCalendar():
            return _dates(value)
        case DailyCalendar():
            return f"{'all but ' if value.invert else ''}{value.starting}–{value.ending}"
        case CronCalendar():
            return f"cron {value.expression}"


def _dates(value: HolidayCalendar) -> str:
    if not value.dates:
        return "nothing"
    if len(value.dates) == 1:
        return str(value.dates[0])
    return f"{len(value.dates)} dates, {min(value.dates)} to {max(value.dates)}"


def _every(interval: int, unit: str) -> str:
    return f"every {interval} {unit.lower()}{'' if interval == 1 else 's'}"


def _time(time: TimeOfDay) -> str:
    return f"{time.hour:02d}:{time.minute:02d}:{time.second:02d}"


def _times(repeat_count: int) -> str:
    return "" if repeat_count == FOREVER else f", {repeat_count + 1} times"


def _at(instant: int, zone: ZoneInfo) -> str:
    return "when submitted" if instant == WHEN_SUBMITTED else moment(instant, zone)


def _until(end: int | None, zone: ZoneInfo) -> str:
    return "" if end is None else f" until {moment(end, zone)}"


def written(value: Any) -> str:
    """A value as JSON on one line."""
    return msgspec.json.encode(value).decode()


def printable(text: str) -> str:
    """Text on one line without anything that a terminal would obey."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def shorten(text: str, most: int) -> str:
    """Text of at most so many characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
