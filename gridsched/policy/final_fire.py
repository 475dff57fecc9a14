"""When a schedule is over: Quartz's getFinalFireTime.

It is told without a search, and so is not always a fire: a calendar may exclude it, an exclusive end
may fall on it, and of a daily time interval it is only the last instant that could be one.
"""

from __future__ import annotations

from datetime import datetime, time

from gridsched.model.trigger import (
    FOREVER,
    CalendarInterval,
    Cron,
    DailyTimeInterval,
    Once,
    Schedule,
    Simple,
)
from gridsched.policy import calendar_interval, cron, cron_parse, localtime


def final_fire(schedule: Schedule) -> int | None:
    """The instant (epoch ms) after which the schedule names none; None where it goes on for ever."""
    match schedule:
        case Once():
            return schedule.at
        case Simple():
            return _simple(schedule)
        case Cron():
            return _cron(schedule)
        case CalendarInterval():
            return calendar_interval.final_fire(schedule)
        case DailyTimeInterval():
            return _daily(schedule)


def _simple(schedule: Simple) -> int | None:
    repeats, end = schedule.repeat_count, schedule.end
    if end is not None and repeats != 0:
        within = (end - schedule.start) // schedule.interval
        repeats = within if repeats == FOREVER else min(repeats, within)
    return None if repeats == FOREVER else schedule.start + repeats * schedule.interval


def _cron(schedule: Cron) -> int | None:
    if schedule.end is None:
        return None
    expression = cron_parse.parse(schedule.expression, schedule.dialect)
    last = cron.previous_fire(expression, schedule.zone, schedule.end + 1, schedule.dst)
    return last if last is not None and last >= (schedule.start or 0) else None


def _daily(schedule: DailyTimeInterval) -> int | None:
    if schedule.end is None or schedule.end_time_of_day is None:
        return schedule.end
    tz = localtime.zone(schedule.zone)
    day = localtime.to_local(schedule.end, tz)
    closing = datetime.combine(day, time(*schedule.end_time_of_day))
    return max(schedule.end, int(closing.replace(tzinfo=tz, fold=1).timestamp()) * 1000)
