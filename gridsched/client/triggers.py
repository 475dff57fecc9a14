"""How a user writes a trigger: `once`, `every`, `cron`, `calendar_interval`, `daily_time_interval`.

Everything that can be wrong with a trigger by itself is refused here, where it is written.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Any, Final, TypedDict, Unpack

from gridsched.errors import InvalidSchedule
from gridsched.model.dst import DstPolicy
from gridsched.model.trigger import (
    FOREVER,
    WHEN_SUBMITTED,
    CalendarInterval,
    Cron,
    DailyTimeInterval,
    Dialect,
    IntervalUnit,
    Misfire,
    Once,
    Simple,
    TimeOfDay,
    TimeUnit,
    Trigger,
)
from gridsched.model.weekdays import ALL_DAYS, parse_day
from gridsched.policy.checks import check_trigger

_LONGEST: Final = 36_500 * 86_400
"""Seconds of an interval: the next fire of a longer one is in no calendar."""


class TriggerOptions(TypedDict, total=False):
    """What every kind of trigger takes.

    name          default: the job's; scheduling again under one name replaces the trigger
    group         default: "DEFAULT"
    misfire       what becomes of missed instants; default: "SMART" (see `model.trigger.Misfire`)
    calendar      name of a stored calendar that excludes some of its instants
    priority      among triggers due at the same instant; default: the job's
    jitter        seconds, up to a day, within which each run starts after its instant
    catch_up      seconds: missed instants that are older are skipped; default: none is
    data          over the job's own (JSON)
    """

    name: str
    group: str
    description: str
    misfire: Misfire
    calendar: str
    priority: int
    jitter: float
    catch_up: float
    data: dict[str, Any]


def cron(
    expression: str,
    zone: str = "UTC",
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    dialect: Dialect = "quartz",
    dst: DstPolicy | None = None,
    **options: Unpack[TriggerOptions],
) -> Trigger:
    """Fires when local time in `zone` (IANA name) matches a cron expression.

    Quartz's syntax, six or seven fields; `dialect="unix"` for the classic five. `dst` says what
    becomes of times that the clocks skip or repeat; by default a time of day fires once on each day,
    and what repeats through the hours goes on. InvalidCron names the field at fault; InvalidSchedule
    an unknown zone, a naive datetime, an end before the start.
    """
    schedule = Cron(
        expression, zone, _optional(start, "start"), _optional(end, "end"), dialect, dst
    )
    return _checked(Trigger(schedule, **options))


def every(
    interval: timedelta | float,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    repeat_count: int = FOREVER,
    **options: Unpack[TriggerOptions],
) -> Trigger:
    """Fires at `start` (default: when it is accepted) and every `interval` (a timedelta, or
    seconds) after it, `repeat_count` times more (-1: for ever), before `end`."""
    seconds = interval.total_seconds() if isinstance(interval, timedelta) else float(interval)
    if not seconds <= _LONGEST:
        raise InvalidSchedule(f"repeat interval is {seconds:g} s; at most {_LONGEST} (100 years)")
    schedule = Simple(
        _optional(start, "start") or WHEN_SUBMITTED,
        round(seconds * 1000),
        repeat_count,
        _optional(end, "end"),
    )
    return _checked(Trigger(schedule, **options))


def once(at: datetime | None = None, **options: Unpack[TriggerOptions]) -> Trigger:
    """Fires once, at `at` (default: when it is accepted)."""
    return _checked(Trigger(Once(_optional(at, "at") or WHEN_SUBMITTED), **options))


def calendar_interval(
    interval: int,
    unit: IntervalUnit = "DAY",
    *,
    zone: str = "UTC",
    start: datetime | None = None,
    end: datetime | None = None,
    dst: DstPolicy | None = None,
    **options: Unpack[TriggerOptions],
) -> Trigger:
    """Fires at `start` (default: when it is accepted) and every `interval` units after it, before
    `end`.

    From DAY on each fire has the local time of day that `start` has in `zone` (IANA name); a month
    too short for its day has its last. Below, a unit is a length of time. `dst` says what becomes of
    times that the clocks skip or repeat; by default it fires once on each day.
    """
    begin = _optional(start, "start") or WHEN_SUBMITTED
    schedule = CalendarInterval(begin, interval, unit, zone, _optional(end, "end"), dst)
    return _checked(Trigger(schedule, **options))


def daily_time_interval(
    interval: int,
    unit: TimeUnit = "MINUTE",
    *,
    start_time_of_day: time = time(),
    end_time_of_day: time | None = None,
    days_of_week: Iterable[int | str] = ALL_DAYS,
    zone: str = "UTC",
    start: datetime | None = None,
    end: datetime | None = None,
    repeat_count: int = FOREVER,
    dst: DstPolicy | None = None,
    **options: Unpack[TriggerOptions],
) -> Trigger:
    """Fires at `start_time_of_day` and every `interval` units after it, up to `end_time_of_day`
    (default: all day), on `days_of_week` ("MON", or 1=SUN..7=SAT): local times in `zone`.

    Nothing fires before `start` or after `end`, nor once it has run `repeat_count` times more than
    the first (-1: for ever). `dst` says what becomes of the two times of day where the clocks skip
    or repeat them; by default a repeated hour is gone through twice.
    """
    schedule = DailyTimeInterval(
        interval,
        unit,
        _time_of_day(start_time_of_day, "start_time_of_day"),
        None if end_time_of_day is None else _time_of_day(end_time_of_day, "end_time_of_day"),
        tuple(parse_day(day) for day in days_of_week),
        zone,
        _optional(start, "start"),
        _optional(end, "end"),
        repeat_count,
        dst,
    )
    return _checked(Trigger(schedule, **options))


def instant(moment: datetime, what: str) -> int:
    """Epoch ms of an aware datetime; InvalidSchedule for a naive one."""
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise InvalidSchedule(
            f"{what} is {moment.isoformat()}, a datetime without a zone: give it one, such as "
            "datetime(..., tzinfo=zoneinfo.ZoneInfo('Europe/London'))"
        )
    return round(moment.timestamp() * 1000)


def _optional(moment: datetime | None, what: str) -> int | None:
    return None if moment is None else instant(moment, what)


def _time_of_day(at: time, what: str) -> TimeOfDay:
    if at.microsecond or at.tzinfo is not None:
        raise InvalidSchedule(
            f"{what} is {at.isoformat()}; it is local time in `zone`, in whole seconds"
        )
    return TimeOfDay(at.hour, at.minute, at.second)


def _checked(trigger: Trigger) -> Trigger:
    check_trigger(trigger)
    return trigger
