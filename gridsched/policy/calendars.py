"""Which instants a calendar includes, its bases with it.

A calendar is looked at in moves: it includes an instant, or excludes it and says how far. So what
is excluded for years costs no more than what is excluded for a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from gridsched.errors import InvalidSchedule, NotFound
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
from gridsched.policy import cron, cron_parse, localtime
from gridsched.policy.localtime import DstPolicy

MAX_MOVES: Final = 1000
"""Moves in a row after which what has been excluded so far is taken to be excluded for ever."""

_EVERY: Final = DstPolicy("after", "both")
"""A local time of a calendar is meant whenever a clock shows it."""

_DAY: Final = timedelta(days=1)
_MS: Final = timedelta(milliseconds=1)
_LONGEST_WALK: Final = 366 * 9
"""Days; from one 29 February to the next are eight years at most."""


class ResolvedCalendar(msgspec.Struct, frozen=True, cache_hash=True):
    """A calendar and its bases, in the order in which they chain. Made by `resolve`."""

    chain: tuple[Calendar, ...]


def resolve(name: str, by_name: Mapping[str, Calendar]) -> ResolvedCalendar:
    """The calendar of that name with its bases; NotFound or InvalidSchedule where the chain breaks
    or comes back to itself."""
    if name not in by_name:
        raise NotFound(f"there is no calendar {name!r}")
    chain: dict[str, Calendar] = {}
    following = name
    while following:
        if following in chain:
            raise InvalidSchedule(
                f"calendar {name!r} chains to itself: {' -> '.join([*chain, following])}"
            )
        if following not in by_name:
            raise InvalidSchedule(
                f"calendar {[*chain][-1]!r}: its base {following!r} does not exist"
            )
        chain[following] = by_name[following]
        following = by_name[following].base
    return ResolvedCalendar(tuple(chain.values()))


def included(calendar: ResolvedCalendar, instant: int) -> bool:
    """Whether the calendar and all its bases include an instant (epoch ms)."""
    return excluded_until(calendar, instant) == instant


def next_included(calendar: ResolvedCalendar, instant: int) -> int | None:
    """The first included instant at or after one; None where there is none within MAX_MOVES."""
    at: int | None = instant
    for _ in range(MAX_MOVES):
        if at is None:
            return None
        following = excluded_until(calendar, at)
        if following == at:
            return at
        at = following
    return None


def excluded_until(calendar: ResolvedCalendar, instant: int) -> int | None:
    """The instant itself where it is included; else a later one, before which none is. None: none
    ever is."""
    furthest = instant
    for link in calendar.chain:
        until = _MOVES[type(link)](link, instant)
        if until is None:
            return None
        furthest = max(furthest, until)
    return furthest


def _by_day(calendar: Calendar, instant: int) -> int | None:
    tz = localtime.zone(calendar.zone)
    excludes = _day_test(calendar)
    day = datetime.fromtimestamp(instant // 1000, tz).date()
    if not excludes(day):
        return instant
    for _ in range(_LONGEST_WALK):
        day += _DAY
        if not excludes(day):
            return _first_after(instant, datetime.combine(day, time()), tz)
    return None


@lru_cache(maxsize=1024)
def _day_test(calendar: Calendar) -> Callable[[date], bool]:
    match calendar:
        case HolidayCalendar(dates=dates):
            return frozenset(dates).__contains__
        case AnnualCalendar(days=month_days):
            annual = frozenset(month_days)
            return lambda day: MonthDay(day.month, day.day) in annual
        case WeeklyCalendar(days=days):
            weekly = frozenset(days)
            return lambda day: day.isoweekday() % 7 + 1 in weekly
        case MonthlyCalendar(days=days):
            monthly = frozenset(days)
            return lambda day: day.day in monthly
    raise TypeError(f"not a calendar of days: {calendar!r}")


def _by_time(calendar: DailyCalendar, instant: int) -> int | None:
    tz = localtime.zone(calendar.zone)
    local = localtime.to_local(instant, tz)
    within = calendar.starting <= local.time() <= calendar.ending
    if within == calendar.invert:
        return instant
    if not calendar.invert:
        end = datetime.combine(local, calendar.ending) + _MS
    else:
        day = local if local.time() < calendar.starting else local + _DAY
        end = datetime.combine(day, calendar.starting)
    return _first_after(instant, end, tz)


def _by_cron(calendar: CronCalendar, instant: int) -> int | None:
    expression = cron_parse.parse(calendar.expression)
    tz = localtime.zone(calendar.zone)
    local = localtime.to_local(instant // 1000 * 1000, tz)
    end = cron.matches_until(expression, local)
    return instant if end == local else _first_after(instant, end, tz)


def _first_after(instant: int, local: datetime, tz: ZoneInfo) -> int:
    """When a clock next shows a local time, or is set back to before it while on its way there."""
    here = localtime.to_local(instant, tz)
    change = localtime.shift_at(here, tz)
    later = [*localtime.to_instants(local.replace(fold=0), tz, _EVERY)]
    if change is not None and not change.is_gap:
        later.append(change.instant)
    return min(candidate for candidate in later if candidate > instant)


_MOVES: Final[dict[type, Callable[[Any, int], int | None]]] = {
    HolidayCalendar: _by_day,
    AnnualCalendar: _by_day,
    WeeklyCalendar: _by_day,
    MonthlyCalendar: _by_day,
    DailyCalendar: _by_time,
    CronCalendar: _by_cron,
}
