"""Calendars: what they exclude, a trigger that names one does not fire at (Quartz's Calendar).

A calendar lies in Calendar-Store under a name, and may name another as its `base`: an instant is
included only if every calendar of the chain includes it. Local times and dates are those of `zone`
(IANA); days of the week are 1=SUN..7=SAT.
"""

from __future__ import annotations

from datetime import date, time
from typing import NamedTuple

import msgspec


class MonthDay(NamedTuple):
    """A day of every year."""

    month: int
    day: int


class _Calendar(msgspec.Struct, frozen=True, omit_defaults=True, cache_hash=True, kw_only=True):
    """base         name of the calendar that must include an instant too; "": none
    description     for the reader
    """

    zone: str = "UTC"
    base: str = ""
    description: str = ""


class HolidayCalendar(_Calendar, frozen=True, tag="holiday"):
    """Excludes these local dates."""

    dates: tuple[date, ...]


class AnnualCalendar(_Calendar, frozen=True, tag="annual"):
    """Excludes these days of every year."""

    days: tuple[MonthDay, ...]


class WeeklyCalendar(_Calendar, frozen=True, tag="weekly"):
    """Excludes these days of the week; Saturday and Sunday, where none are given."""

    days: tuple[int, ...] = (1, 7)


class MonthlyCalendar(_Calendar, frozen=True, tag="monthly"):
    """Excludes these days of the month (1..31)."""

    days: tuple[int, ...]


class DailyCalendar(_Calendar, frozen=True, tag="daily"):
    """Excludes the local times of day from `starting` to `ending`, both inclusive, to the
    millisecond; with `invert` all others."""

    starting: time
    ending: time
    invert: bool = False


class CronCalendar(_Calendar, frozen=True, tag="cron"):
    """Excludes the seconds that match a cron expression (in Quartz's dialect)."""

    expression: str


Calendar = (
    HolidayCalendar
    | AnnualCalendar
    | WeeklyCalendar
    | MonthlyCalendar
    | DailyCalendar
    | CronCalendar
)
