"""Calendar intervals: every so many seconds, hours, days, weeks, months or years from a start.

A step of a schedule is its kth interval: k = 0 is the start itself. Which step lies at an instant is
worked out, never walked to, so an old schedule costs no more than a new one.
"""

from __future__ import annotations

from bisect import bisect_right
from calendar import monthrange
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from math import gcd
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from gridsched.model.trigger import CalendarInterval
from gridsched.policy import localtime
from gridsched.policy.cron_parse import LAST_YEAR
from gridsched.policy.localtime import DstPolicy

ELAPSED_UNITS: Final = {"SECOND": 1_000, "MINUTE": 60_000, "HOUR": 3_600_000}
"""Units that are a length of time, in ms."""

_DAYS: Final = {"DAY": 1, "WEEK": 7}
_MONTHS: Final = {"MONTH": 1, "YEAR": 12}

LAST_DAY: Final = date(LAST_YEAR, 12, 31).toordinal()
"""The horizon."""

LOOK_BACK: Final = 7_200_000
"""ms; more than any clock is set back: what lies before the local time so long ago is over."""


def fire_after(schedule: CalendarInterval, after: int) -> int | None:
    """The first instant strictly after `after`; None at the end, or past the horizon (LAST_YEAR).

    The end is exclusive but for the start itself, as in Quartz's CalendarIntervalTriggerImpl.
    """
    if after < schedule.start:
        return schedule.start
    unit = ELAPSED_UNITS.get(schedule.unit)
    if unit is not None:
        every = schedule.interval * unit
        fire: int | None = after + every - (after - schedule.start) % every
    else:
        fire = _local_fire_after(schedule, after)
    return None if fire is None or (schedule.end is not None and fire >= schedule.end) else fire


def final_fire(schedule: CalendarInterval) -> int | None:
    """Quartz's getFinalFireTime: a fire at the end itself, else the last one that is not within the
    second before it. None where there is no end."""
    if schedule.end is None:
        return None
    unending = replace(schedule, end=None)
    fire = fire_after(unending, schedule.end - 1000)
    if fire is None or fire in (schedule.start, schedule.end):
        return fire
    unit = ELAPSED_UNITS.get(schedule.unit)
    return _local_fire_before(unending, fire) if unit is None else fire - schedule.interval * unit


def _local_fire_before(schedule: CalendarInterval, fire: int) -> int:
    for step in range(_plan(schedule).step_at(fire) + 1, 0, -1):
        for instant in reversed(_instants(schedule, step) or ()):
            if instant < fire:
                return instant
    return schedule.start


def _local_fire_after(schedule: CalendarInterval, after: int) -> int | None:
    plan = _plan(schedule)
    step = plan.step_at(after)
    while True:
        instants = _instants(schedule, step)
        if instants is None:
            return None
        for instant in instants:
            if instant > after:
                return instant
        step += 1


@lru_cache(maxsize=16384)
def _instants(schedule: CalendarInterval, step: int) -> tuple[int, ...] | None:
    """The instants of a step, in order: none where its time is skipped. None past the horizon."""
    plan = _plan(schedule)
    day = plan.day_of(step)
    if day is None:
        return None
    offset = plan.tz.utcoffset(datetime.combine(day, plan.at))
    again = plan.tz.utcoffset(datetime.combine(day, plan.at_again))
    if offset is not None and offset == again:
        seconds = (day.toordinal() - _EPOCH) * 86_400 - offset.days * 86_400 - offset.seconds
        return (seconds * 1000 + plan.at_ms,)
    return localtime.to_instants(datetime.combine(day, plan.at), plan.tz, plan.dst)


class _Plan(NamedTuple):
    """A schedule of days or months with what every question needs.

    at, at_again   the local time of day, in the first pass of a repeated hour and in the second
    at_ms          the same, in ms since midnight
    every          in days or months
    pins           the steps from which the day of the month is a shorter one, with that day
    """

    first: date
    at: time
    at_again: time
    at_ms: int
    tz: ZoneInfo
    dst: DstPolicy
    every: int
    monthly: bool
    pins: tuple[tuple[int, int], ...]

    def step_at(self, instant: int) -> int:
        """A step at or before the first one, past the start, that has an instant after `instant`."""
        day = datetime.fromtimestamp((instant - LOOK_BACK) // 1000, self.tz)
        if self.monthly:
            return max(1, (_month_index(day) - _month_index(self.first)) // self.every)
        return max(1, (day.toordinal() - self.first.toordinal()) // self.every)

    def day_of(self, step: int) -> date | None:
        """The local date of a step; None past the horizon."""
        if self.monthly:
            year, month = divmod(_month_index(self.first) + step * self.every, 12)
            return date(year, month + 1, self._day_of_month(step)) if year <= LAST_YEAR else None
        ordinal = self.first.toordinal() + step * self.every
        return date.fromordinal(ordinal) if ordinal <= LAST_DAY else None

    def _day_of_month(self, step: int) -> int:
        place = bisect_right(self.pins, step, key=lambda pin: pin[0])
        return self.pins[place - 1][1] if place else self.first.day


@lru_cache(maxsize=4096)
def _plan(schedule: CalendarInterval) -> _Plan:
    tz = localtime.zone(schedule.zone)
    start = localtime.to_local(schedule.start, tz)
    monthly = schedule.unit in _MONTHS
    every = schedule.interval * (_MONTHS if monthly else _DAYS)[schedule.unit]
    return _Plan(
        first=start.date(),
        at=start.time().replace(fold=0),
        at_again=start.time().replace(fold=1),
        at_ms=(start - datetime.combine(start, time())) // timedelta(milliseconds=1),
        tz=tz,
        dst=schedule.dst or localtime.WALL_CLOCK,
        every=every,
        monthly=monthly,
        pins=_pins(start.date(), every) if monthly else (),
    )


def _pins(first: date, every: int) -> tuple[tuple[int, int], ...]:
    """Where the day of the month is cut to a shorter month's last: it is not taken up again.

    Past one round of months only leap years differ, of which any eight years hold one that is not.
    """
    pins: list[tuple[int, int]] = []
    day = first.day
    rounds = 12 // gcd(every, 12) * 8
    for step in range(1, rounds + 1):
        year, month = divmod(_month_index(first) + step * every, 12)
        if year > LAST_YEAR or day <= 28:
            break
        length = monthrange(year, month + 1)[1]
        if length < day:
            day = length
            pins.append((step, day))
    return tuple(pins)


def _month_index(day: date) -> int:
    return day.year * 12 + day.month - 1


_EPOCH: Final = date(1970, 1, 1).toordinal()
