"""Calendars as users write them in a file or on a command line: by the names of what they exclude.

weekly     SAT,SUN            days of the week, or 1 (SUN) to 7 (SAT)
monthly    1,15               days of the month
annual     12-25,12-26        days of every year
holidays   2026-12-25         dates
country    GB                 its public holidays; with `years`, and a `subdivision` where wanted
daily      00:00-08:00        times of day, both inclusive; with `invert` all others
cron       * * 12 * * ?       seconds that match an expression
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, time
from typing import Any, Final, NamedTuple, TypeVar

from msgspec.structs import replace

from gridsched.errors import InvalidSchedule
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
from gridsched.model.weekdays import parse_day
from gridsched.policy.calendar_checks import check_calendar
from gridsched.policy.holiday_calendars import public_holidays

V = TypeVar("V")

MOST_YEARS: Final = 200
"""Years of public holidays that one calendar may have."""


class TimeRange(NamedTuple):
    """Two times of day, both inclusive."""

    starting: time
    ending: time


def days_of_week(text: str) -> tuple[int, ...]:
    """Such as SAT,SUN. Like the others here: InvalidSchedule says what is no part of such a list."""
    return tuple(parse_day(part) for part in text.split(","))


def days_of_month(text: str) -> tuple[int, ...]:
    """Such as 1,15."""
    return _each(text, int, "a day of the month, 1 to 31")


def days_of_year(text: str) -> tuple[MonthDay, ...]:
    """Such as 12-25,12-26: months with their days."""

    def read(part: str) -> MonthDay:
        month, day = part.split("-")
        return MonthDay(int(month), int(day))

    return _each(text, read, "a day of the year, such as 12-25")


def dates(text: str) -> tuple[date, ...]:
    """Such as 2026-12-25,2027-01-01."""
    return _each(text, date.fromisoformat, "a date, such as 2026-12-25")


def years(text: str) -> tuple[int, ...]:
    """Such as 2026-2028,2030."""

    def read(part: str) -> range:
        first, _, last = part.partition("-")
        bounds = [date(int(year), 1, 1).year for year in (first, last or first)]
        return range(bounds[0], bounds[1] + 1)

    found = _each(text, read, "a year or years, such as 2026-2028")
    if sum(map(len, found)) > MOST_YEARS or not all(map(len, found)):
        raise InvalidSchedule(f"{text!r} is not 1 to {MOST_YEARS} years, such as 2026-2028")
    return tuple(year for part in found for year in part)


def time_of_day(text: str) -> time:
    """Such as 08:00, with seconds and milliseconds where wanted."""
    try:
        at = time.fromisoformat(text)
    except ValueError:
        raise InvalidSchedule(f"{text!r} is not a time of day, such as 08:30") from None
    if at.tzinfo is not None:
        raise InvalidSchedule(f"{text!r} has an offset; it is local time")
    return at


def time_range(text: str) -> TimeRange:
    """Such as 00:00-08:00."""
    first, dash, last = text.partition("-")
    if not dash:
        raise InvalidSchedule(f"{text!r} is not two times of day, such as 00:00-08:00")
    return TimeRange(time_of_day(first.strip()), time_of_day(last.strip()))


def calendar_of(values: Mapping[str, Any]) -> Calendar:
    """The calendar of values as the functions above read them: one of KINDS with what goes with it,
    and `zone`, `base` and `description`. InvalidSchedule says what does not fit together."""
    kinds = [kind for kind in KINDS if kind in values]
    if len(kinds) != 1:
        raise InvalidSchedule(f"a calendar has exactly one of {', '.join(KINDS)}")
    kind = kinds[0]
    for name, owner in _COMPANIONS.items():
        if name in values and owner != kind:
            raise InvalidSchedule(f"{name} goes with {owner}, not with {kind}")
    common = {name: values[name] for name in ("zone", "base") if name in values}
    calendar = KINDS[kind](values, common)
    if "description" in values:
        calendar = replace(calendar, description=values["description"])
    check_calendar(calendar)
    return calendar


def _country(values: Mapping[str, Any], common: dict[str, Any]) -> Calendar:
    if "years" not in values:
        raise InvalidSchedule("country needs years, such as 2026-2028")
    return public_holidays(
        values["country"], values["years"], subdivision=values.get("subdivision"), **common
    )


def _daily(values: Mapping[str, Any], common: dict[str, Any]) -> Calendar:
    invert = values.get("invert", False)
    return DailyCalendar(**values["daily"]._asdict(), invert=invert, **common)


KINDS: Final[dict[str, Callable[[Mapping[str, Any], dict[str, Any]], Calendar]]] = {
    "weekly": lambda values, common: WeeklyCalendar(days=values["weekly"], **common),
    "monthly": lambda values, common: MonthlyCalendar(days=values["monthly"], **common),
    "annual": lambda values, common: AnnualCalendar(days=values["annual"], **common),
    "holidays": lambda values, common: HolidayCalendar(dates=values["holidays"], **common),
    "country": _country,
    "daily": _daily,
    "cron": lambda values, common: CronCalendar(expression=values["cron"], **common),
}
"""What a calendar excludes; it has exactly one of these."""

_COMPANIONS: Final = {"years": "country", "subdivision": "country", "invert": "daily"}


def _each(text: str, read: Callable[[str], V], what: str) -> tuple[V, ...]:
    try:
        return tuple(read(part.strip()) for part in text.split(","))
    except (ValueError, OverflowError):
        raise InvalidSchedule(f"{text!r} is not {what}, or several with commas between") from None
