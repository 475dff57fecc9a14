"""Checks of a trigger before it is accepted: at the facade, at config load, and by the owner.

Every refusal is an InvalidSchedule (or one of its kind) that names the field, what it holds and what
is allowed.
"""

from __future__ import annotations

import math
from typing import Final, get_args

from gridsched.errors import InvalidSchedule
from gridsched.model.dst import DstPolicy
from gridsched.model.job import check_data
from gridsched.model.trigger import (
    FOREVER,
    CalendarInterval,
    Cron,
    DailyTimeInterval,
    IntervalUnit,
    Once,
    Schedule,
    Simple,
    TimeOfDay,
    TimeUnit,
    Trigger,
)
from gridsched.model.weekdays import ALL_DAYS
from gridsched.policy import cron, cron_parse, localtime
from gridsched.policy.calendar_interval import ELAPSED_UNITS
from gridsched.policy.fire_times import HORIZON, first_fire
from gridsched.policy.misfire import instructions

MAX_JITTER: Final = 86_400

_DAY: Final = 86_400_000


def check_trigger(trigger: Trigger) -> None:
    """InvalidSchedule (InvalidCron, InvalidKey, InvalidJob), saying what is wrong, where it is.

    Says nothing of the calendar that it names: that is for the node that holds calendars.
    """
    schedule = trigger.schedule
    match schedule:
        case Once():
            _check_instant(schedule.at, "at")
        case Simple():
            _check_simple(schedule)
        case Cron():
            _check_cron(schedule)
        case CalendarInterval():
            _check_calendar_interval(schedule)
        case DailyTimeInterval():
            _check_daily_time_interval(schedule)
    _check_misfire(trigger)
    _check_lateness(trigger)
    check_data(trigger.data, f"trigger {trigger.name!r}")
    if first_fire(schedule) is None:
        raise InvalidSchedule(f"trigger {trigger.name!r} will never fire")


def _check_misfire(trigger: Trigger) -> None:
    allowed = instructions(trigger.schedule)
    if trigger.misfire not in allowed:
        raise InvalidSchedule(
            f"misfire instruction {trigger.misfire!r} is none of {_name(trigger.schedule)}; "
            f"one of {', '.join(allowed)}"
        )


def _check_lateness(trigger: Trigger) -> None:
    if not 0 <= trigger.jitter <= MAX_JITTER:
        raise InvalidSchedule(
            f"jitter is {trigger.jitter!r}; from 0 to {MAX_JITTER} seconds (a day)"
        )
    if trigger.catch_up is not None and not 0 < trigger.catch_up < math.inf:
        raise InvalidSchedule(f"catch_up is {trigger.catch_up!r}; it must be above 0 seconds")


def _name(schedule: Schedule) -> str:
    return f"a {type(schedule).__struct_config__.tag} trigger"


def _check_simple(schedule: Simple) -> None:
    _check_repeat_count(schedule.repeat_count)
    if schedule.repeat_count != 0 and schedule.interval <= 0:
        raise InvalidSchedule(f"repeat interval is {schedule.interval} ms; it must be above 0")
    _check_bounds(schedule.start, schedule.end)


def _check_cron(schedule: Cron) -> None:
    expression = cron_parse.parse(schedule.expression, schedule.dialect)
    localtime.zone(schedule.zone)
    _check_dst(schedule.dst)
    _check_bounds(schedule.start, schedule.end)
    if cron.never_fires(expression):
        raise InvalidSchedule(f"cron expression {schedule.expression!r} names no instant")


def _check_calendar_interval(schedule: CalendarInterval) -> None:
    _check_one_of(schedule.unit, get_args(IntervalUnit), "interval unit")
    if schedule.interval < 1:
        raise InvalidSchedule(
            f"interval is {schedule.interval} {schedule.unit}; it must be 1 or more"
        )
    localtime.zone(schedule.zone)
    _check_dst(schedule.dst)
    _check_bounds(schedule.start, schedule.end)


def _check_daily_time_interval(schedule: DailyTimeInterval) -> None:
    _check_one_of(schedule.unit, get_args(TimeUnit), "interval unit")
    most = _DAY // ELAPSED_UNITS[schedule.unit]
    if not 1 <= schedule.interval <= most:
        raise InvalidSchedule(
            f"interval is {schedule.interval} {schedule.unit}; from 1 to {most} (24 hours)"
        )
    _check_times_of_day(schedule.start_time_of_day, schedule.end_time_of_day)
    if not schedule.days_of_week or not set(schedule.days_of_week) <= set(ALL_DAYS):
        raise InvalidSchedule(
            f"days of week are {list(schedule.days_of_week)}; some of 1 (Sunday) to 7 (Saturday)"
        )
    _check_repeat_count(schedule.repeat_count)
    localtime.zone(schedule.zone)
    _check_dst(schedule.dst)
    _check_bounds(schedule.start, schedule.end)


def _check_times_of_day(start: TimeOfDay, end: TimeOfDay | None) -> None:
    for name, at in (("start", start), ("end", end)):
        if at is not None and not (
            0 <= at.hour <= 23 and 0 <= at.minute <= 59 and 0 <= at.second <= 59
        ):
            raise InvalidSchedule(f"{name} time of day is {_written(at)}; 00:00:00 to 23:59:59")
    if end is not None and end < start:
        raise InvalidSchedule(
            f"end time of day ({_written(end)}) is before start time of day ({_written(start)})"
        )


def _written(at: TimeOfDay) -> str:
    return f"{at.hour:02}:{at.minute:02}:{at.second:02}"


def _check_repeat_count(repeat_count: int) -> None:
    if repeat_count < FOREVER:
        raise InvalidSchedule(f"repeat count is {repeat_count}; 0 or more, or {FOREVER} for ever")


def _check_dst(dst: DstPolicy | None) -> None:
    if dst is not None:
        _check_one_of(dst.gap, ("skip", "after"), "dst.gap")
        _check_one_of(dst.overlap, ("first", "second", "both"), "dst.overlap")


def _check_one_of(value: object, allowed: tuple[str, ...], field: str) -> None:
    if value not in allowed:
        raise InvalidSchedule(f"{field} is {value!r}; one of {', '.join(allowed)}")


def _check_bounds(start: int | None, end: int | None) -> None:
    _check_instant(start, "start")
    _check_instant(end, "end")
    if start is not None and end is not None and end < start:
        raise InvalidSchedule(f"end ({end}) is before start ({start}), both epoch ms")


def _check_instant(instant: int | None, field: str) -> None:
    if instant is not None and not 0 <= instant < HORIZON:
        raise InvalidSchedule(
            f"{field} is {instant} (epoch ms); from 1970 to {cron_parse.LAST_YEAR}"
        )
