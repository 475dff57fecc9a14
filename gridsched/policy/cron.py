"""When a cron expression fires: pure searches over its masks, forwards and backwards.

A search steps from mask to mask in local time, and `localtime` turns what it finds into instants.
It looks at no more than every month up to the horizon, so it ends within milliseconds even where
nothing matches.
"""

from __future__ import annotations

from calendar import isleap
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from gridsched.policy import localtime
from gridsched.policy.cron_parse import (
    FIRST_YEAR,
    LAST_OCCURRENCE,
    CronExpression,
    DayRule,
    WeekdayInMonth,
)
from gridsched.policy.localtime import DstPolicy, Shift

_DAYS_IN_MONTH: Final = (0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_ALL_SECONDS: Final = (1 << 60) - 1
_ALL_MINUTES: Final = (1 << 60) - 1
_ALL_HOURS: Final = (1 << 24) - 1
_DAYS_IN_WEEK: Final = 7
_SUNDAY: Final = 1
_SATURDAY: Final = 7


def next_fire(
    expression: CronExpression, zone: str, after: int, dst: DstPolicy | None = None
) -> int | None:
    """The first instant after `after` at which the expression fires, in epoch ms.

    `zone` is an IANA name. Without `dst` the policy is `default_dst`'s. None: it never fires again
    up to the horizon (`cron_parse.LAST_YEAR`). InvalidSchedule if there is no such zone.
    """
    return _next_fire(expression, zone, after, dst or default_dst(expression))


def previous_fire(
    expression: CronExpression, zone: str, before: int, dst: DstPolicy | None = None
) -> int | None:
    """The last instant before `before` at which the expression fires; else as `next_fire`."""
    tz = localtime.zone(zone)
    second = (before - 1) // 1000 * 1000
    fires = [
        _fire(expression, _BACKWARDS, tz, localtime.latest_local(second, tz, policy), policy)
        for policy in localtime.single_passes(dst or default_dst(expression))
    ]
    return max((fire for fire in fires if fire is not None), default=None)


def matches_until(expression: CronExpression, local: datetime) -> datetime:
    """The end of a run of seconds that the expression all names, from a local time on: that time
    itself where it is not named (Quartz's isSatisfiedBy). The run may go on after it, for it is looked
    at within the minute; within the hour, the day, or up to the next day where all parts of the
    smaller ones are named."""
    year = local.year - FIRST_YEAR
    if year < 0 or not expression.years >> year & expression.months >> local.month & 1:
        return local
    if not _days_of(expression.days, local.year, local.month).matching >> local.day & 1:
        return local
    hours, minutes, seconds = _times_on(expression, local)
    if not hours >> local.hour & minutes >> local.minute & seconds >> local.second & 1:
        return local
    if seconds != _ALL_SECONDS:
        return local + timedelta(seconds=_run(seconds, local.second))
    if minutes != _ALL_MINUTES:
        return local.replace(second=0) + timedelta(minutes=_run(minutes, local.minute))
    hour = local.replace(minute=0, second=0)
    return hour + timedelta(hours=_run(hours, local.hour))


def default_dst(expression: CronExpression) -> DstPolicy:
    """The policy that surprises nobody, told from the expression alone.

    A schedule that repeats through the hours goes on firing as time goes by (`ELAPSED`): one that
    fires in every hour of the day, or more than once an hour in hours of which at least two follow
    one another. Every other one is a time of day, and fires once on each day (`WALL_CLOCK`).
    """
    hours = expression.hours
    often = expression.minutes.bit_count() * expression.seconds.bit_count() > 1
    runs_on = hours & (hours >> 1 | hours << 23) & _ALL_HOURS
    if hours == _ALL_HOURS or (often and runs_on):
        return localtime.ELAPSED
    return localtime.WALL_CLOCK


@lru_cache(maxsize=4096)
def never_fires(expression: CronExpression) -> bool:
    """Whether no day up to the horizon matches, whatever the zone (30 February)."""
    return _day(expression, _FORWARDS, FIRST_YEAR, 1, 1) is None


@lru_cache(maxsize=16384)
def _next_fire(expression: CronExpression, zone: str, after: int, dst: DstPolicy) -> int | None:
    """Remembered, as a herd of triggers shares few schedules."""
    tz = localtime.zone(zone)
    second = after // 1000 * 1000 + 1000
    fires = [
        _fire(expression, _FORWARDS, tz, localtime.earliest_local(second, tz, policy), policy)
        for policy in localtime.single_passes(dst)
    ]
    return min((fire for fire in fires if fire is not None), default=None)


class _Way(NamedTuple):
    """A direction of search.

    `seek(mask, at)` finds the bit at or next to `at`, or -1; from `edge` on it sees the whole of any
    mask. `leave(gap)` is the first local time past a gap.
    """

    step: int
    edge: int
    seek: Callable[[int, int], int]
    leave: Callable[[Shift], datetime]


class _Times(NamedTuple):
    """The times of a day: the product of three masks."""

    hours: int
    minutes: int
    seconds: int


class _Days(NamedTuple):
    """The days of one month; bit n is day n.

    `once`: those of them to which nW was moved on from a weekend. Quartz, past the day's first time,
    looks for n again, finds it gone by and goes on to the next month: we answer as it does.
    """

    matching: int
    once: int


def _bit_from(mask: int, at: int) -> int:
    at = max(at, 0)
    rest = mask >> at
    return at + (rest & -rest).bit_length() - 1 if rest else -1


def _bit_until(mask: int, at: int) -> int:
    return (mask & ((2 << at) - 1)).bit_length() - 1 if at >= 0 else -1


_FORWARDS: Final = _Way(1, 0, _bit_from, lambda gap: gap.end)
_BACKWARDS: Final = _Way(-1, 400, _bit_until, lambda gap: gap.start - timedelta(seconds=1))


def _fire(
    expression: CronExpression, way: _Way, tz: ZoneInfo, start: datetime, dst: DstPolicy
) -> int | None:
    """The first fire from a local time on, that time included, by a policy with one pass."""
    local = _local_fire(expression, way, start)
    while local is not None:
        shift = localtime.shift_at(local, tz)
        if shift is None or not shift.is_gap or dst.gap == "after":
            return localtime.to_instants(local, tz, dst)[0]
        local = _local_fire(expression, way, way.leave(shift))
    return None


def _local_fire(expression: CronExpression, way: _Way, start: datetime) -> datetime | None:
    """The first matching local time from `start` on, whether or not it exists."""
    year, month, day = start.year, start.month, start.day
    found = _day(expression, way, year, month, day)
    if found == start.date():
        at = _time(_times_on(expression, found), way, start)
        if at is not None:
            return datetime.combine(start, at)
        found = _day(expression, way, year, month, day + way.step)
    if found is None:
        return None
    hour, minute, second = (way.seek(mask, way.edge) for mask in _times_on(expression, found))
    return datetime.combine(found, time(hour, minute, second))


def _times_on(expression: CronExpression, day: date) -> _Times:
    """The times of a matching day: all, or only the first where Quartz fires only once."""
    times = _Times(expression.hours, expression.minutes, expression.seconds)
    rule = expression.days
    if (rule.nearest_weekday | rule.nearest_before_last) == 0:
        return times
    if not _days_of(rule, day.year, day.month).once >> day.day & 1:
        return times
    return _Times(*(mask & -mask for mask in times))


def _time(times: _Times, way: _Way, start: datetime) -> time | None:
    """The first matching time of day from that of `start` on, on the same day."""
    seek, step, edge = way.seek, way.step, way.edge
    hour, minute = start.hour, start.minute
    if times.hours >> hour & 1:
        if times.minutes >> minute & 1 and (found := seek(times.seconds, start.second)) >= 0:
            return time(hour, minute, found)
        if (found := seek(times.minutes, minute + step)) >= 0:
            return time(hour, found, seek(times.seconds, edge))
    if (found := seek(times.hours, hour + step)) >= 0:
        return time(found, seek(times.minutes, edge), seek(times.seconds, edge))
    return None


def _day(expression: CronExpression, way: _Way, year: int, month: int, day: int) -> date | None:
    """The first matching day from the given one on; `day` may lie just outside its month."""
    for found_year, found_month in _months(expression, way, year, month):
        at = day if (found_year, found_month) == (year, month) else way.edge
        found = way.seek(_days_of(expression.days, found_year, found_month).matching, at)
        if found >= 0:
            return date(found_year, found_month, found)
    return None


def _months(
    expression: CronExpression, way: _Way, year: int, month: int
) -> Iterator[tuple[int, int]]:
    """The matching months from the given one on, up to the horizon."""
    index = year - FIRST_YEAR
    while (found := way.seek(expression.years, index)) >= 0:
        at = month if FIRST_YEAR + found == year else way.edge
        while (at := way.seek(expression.months, at)) >= 0:
            yield FIRST_YEAR + found, at
            at += way.step
        index = found + way.step


def _days_of(rule: DayRule, year: int, month: int) -> _Days:
    """The days of a month that match."""
    leap_day = month == 2 and isleap(year)
    first_weekday = date(year, month, 1).isoweekday() % _DAYS_IN_WEEK + 1
    return _days_of_kind(rule, _DAYS_IN_MONTH[month] + leap_day, first_weekday)


@lru_cache(maxsize=16384)
def _days_of_kind(rule: DayRule, length: int, first_weekday: int) -> _Days:
    """As `_days_of`, for a month of so many days whose first is such a weekday: 28 kinds in all."""
    mask = rule.days
    moved_on = 0
    for day in range(1, length + 1):
        from_last = length - day
        weekday = (first_weekday + day - 2) % _DAYS_IN_WEEK + 1
        mask |= (rule.before_last >> from_last & 1 | rule.weekdays >> weekday & 1) << day
        if rule.nearest_weekday >> day & 1 or rule.nearest_before_last >> from_last & 1:
            nearest = _nearest_weekday(day, weekday, length)
            mask |= (nearest <= day) << nearest
            moved_on |= (nearest > day) << nearest
    if rule.in_month is not None:
        mask |= _nth_weekday(rule.in_month, length, first_weekday)
    return _Days((mask | moved_on) & ((2 << length) - 2), moved_on & ~mask)


def _nearest_weekday(day: int, weekday: int, length: int) -> int:
    """The day from Monday to Friday that is nearest, within the month."""
    if weekday == _SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == _SUNDAY:
        return day + 1 if day < length else day - 2
    return day


def _run(mask: int, at: int) -> int:
    """How many bits are set in a row, from `at` on."""
    rest = ~(mask >> at)
    return (rest & -rest).bit_length() - 1


def _nth_weekday(wanted: WeekdayInMonth, length: int, first_weekday: int) -> int:
    first = (wanted.weekday - first_weekday) % _DAYS_IN_WEEK + 1
    if wanted.nth == LAST_OCCURRENCE:
        return 1 << first + (length - first) // _DAYS_IN_WEEK * _DAYS_IN_WEEK
    return 1 << first + (wanted.nth - 1) * _DAYS_IN_WEEK
