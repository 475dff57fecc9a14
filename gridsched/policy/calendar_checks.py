"""Checks of a calendar before it is stored."""

from __future__ import annotations

from collections.abc import Iterable

from gridsched.errors import InvalidSchedule
from gridsched.model.calendar import (
    AnnualCalendar,
    Calendar,
    CronCalendar,
    DailyCalendar,
    MonthlyCalendar,
    WeeklyCalendar,
)
from gridsched.policy import cron_parse, localtime

_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def check_calendar(calendar: Calendar) -> None:
    """InvalidSchedule (InvalidCron), saying which field is wrong, where it is."""
    localtime.zone(calendar.zone)
    match calendar:
        case WeeklyCalendar():
            _check_days(calendar.days, 7, "days of the week are 1 (SUN) to 7 (SAT)")
        case MonthlyCalendar():
            _check_days(calendar.days, 31, "days of the month are 1 to 31")
        case AnnualCalendar():
            _check_annual(calendar)
        case DailyCalendar() if calendar.starting > calendar.ending:
            raise InvalidSchedule(
                f"daily calendar: it starts at {calendar.starting}, after its end, "
                f"{calendar.ending}; for a range over midnight exclude the rest of the day and "
                "invert it"
            )
        case CronCalendar():
            cron_parse.parse(calendar.expression)
        case _:
            pass


def _check_days(days: Iterable[int], most: int, allowed: str) -> None:
    for day in days:
        if not 1 <= day <= most:
            raise InvalidSchedule(f"{day} is not a day of this calendar: {allowed}")


def _check_annual(calendar: AnnualCalendar) -> None:
    for month, day in calendar.days:
        if not 1 <= month <= 12 or not 1 <= day <= _LENGTHS[month - 1]:
            raise InvalidSchedule(f"annual calendar: there is no day {day} of month {month}")
