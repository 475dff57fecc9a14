"""Daily time intervals: every so often between two times of day, on some days of the week.

A day has a window of instants, worked out once. Its fires are counted from the window's first
instant, in elapsed time.
"""

from __future__ import annotations

from datetime import date, datetime, time
from functools import lru_cache
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from gridsched.model.trigger import DailyTimeInterval, TimeOfDay
from gridsched.policy import localtime
from gridsched.policy.calendar_interval import ELAPSED_UNITS, LAST_DAY, LOOK_BACK
from gridsched.policy.localtime import DstPolicy

BOTH_PASSES: Final = DstPolicy("after", "both")
"""The policy that surprises nobody: a repeated hour is gone through twice."""

_LAST_SECOND: Final = TimeOfDay(23, 59, 59)


class _Window(NamedTuple):
    """The first and the last instant of a day at which it may fire; empty where last < first."""

    first: int
    last: int


_CLOSED: Final = _Window(0, -1)


def fire_after(schedule: DailyTimeInterval, after: int) -> int | None:
    """The first instant strictly after `after`; None at the end, or past the horizon (LAST_YEAR).

    The repeat count does not count here: it is the trigger's, as only runs use it up.
    """
    if schedule.start is not None:
        after = max(after, schedule.start - 1)
    every = schedule.interval * ELAPSED_UNITS[schedule.unit]
    seconds = max(after - LOOK_BACK, 0) // 1000
    day = datetime.fromtimestamp(seconds, localtime.zone(schedule.zone)).toordinal()
    while day <= LAST_DAY:
        first, last = _window(schedule, day)
        fire = first if after < first else after + every - (after - first) % every
        if fire <= last:
            return None if schedule.end is not None and fire > schedule.end else fire
        day += 1
    return None


@lru_cache(maxsize=16384)
def _window(schedule: DailyTimeInterval, ordinal: int) -> _Window:
    """The window of a local date, given by its ordinal."""
    day = date.fromordinal(ordinal)
    if day.isoweekday() % 7 + 1 not in schedule.days_of_week:
        return _CLOSED
    tz, dst = localtime.zone(schedule.zone), schedule.dst or BOTH_PASSES
    opening = datetime.combine(day, time(*schedule.start_time_of_day))
    closing = datetime.combine(day, time(*(schedule.end_time_of_day or _LAST_SECOND)))
    return _Window(_edge(opening, tz, dst, 0), _edge(closing, tz, dst, -1))


def _edge(local: datetime, tz: ZoneInfo, dst: DstPolicy, which: Literal[0, -1]) -> int:
    """The instant of a window's opening (`which` 0) or closing (-1).

    In a gap "after" opens behind it and closes before it. "skip" reads the time by the clock as it
    was before the change, as Java's GregorianCalendar and so Quartz does.
    """
    shift = localtime.shift_at(local, tz)
    if shift is None or not shift.is_gap:
        return localtime.to_instants(local, tz, dst)[which]
    if dst.gap == "after":
        return shift.instant + which
    return int(local.replace(tzinfo=tz).timestamp()) * 1000
