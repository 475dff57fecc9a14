"""Fire times of every kind of schedule: which instants it names, whatever became of them.

All instants are epoch ms. A schedule names strictly increasing instants; `fire_after` answers from
any point of it, so nothing here has a state.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from msgspec.structs import replace

from gridsched.model.trigger import (
    FOREVER,
    WHEN_SUBMITTED,
    CalendarInterval,
    Cron,
    DailyTimeInterval,
    Once,
    Schedule,
    Simple,
    Trigger,
)
from gridsched.policy import (
    calendar_interval,
    calendars,
    cron,
    cron_parse,
    daily_time_interval,
    localtime,
)
from gridsched.policy.calendars import ResolvedCalendar

HORIZON: Final = int(datetime(cron_parse.LAST_YEAR + 1, 1, 1, tzinfo=UTC).timestamp()) * 1000
"""Epoch ms from which on nothing is scheduled."""


def starting(schedule: Schedule, now: int) -> Schedule:
    """The schedule as it is submitted at `now`: one that says no start begins then."""
    if isinstance(schedule, Once):
        return Once(now) if schedule.at == WHEN_SUBMITTED else schedule
    return schedule if schedule.start else replace(schedule, start=now)


def first_fire(schedule: Schedule, calendar: ResolvedCalendar | None = None) -> int | None:
    """The first instant the schedule names; None where it names none."""
    return fire_after(schedule, -1, calendar)


def fire_after(
    schedule: Schedule, after: int, calendar: ResolvedCalendar | None = None
) -> int | None:
    """The first instant of the schedule strictly after `after` that the calendar includes.

    None where there is none, or where the calendar has excluded so many in a row (MAX_MOVES) that
    there will be none.
    """
    fire = _named_after(schedule, after)
    if calendar is None:
        return fire
    for _ in range(calendars.MAX_MOVES):
        if fire is None:
            return None
        until = calendars.excluded_until(calendar, fire)
        if until is None or until == fire:
            return until
        fire = _named_after(schedule, until - 1)
    return None


def _named_after(schedule: Schedule, after: int) -> int | None:
    fire = _FIRE_AFTER[type(schedule)](schedule, after)
    return None if fire is None or fire >= HORIZON else fire


def done_until(trigger: Trigger) -> int:
    """The instant up to which a trigger has been claimed; where it has not fired yet, the one before
    its schedule counts for it."""
    return trigger.since - 1 if trigger.previous_fire is None else trigger.previous_fire


def following(
    trigger: Trigger, after: int, runs: int, calendar: ResolvedCalendar | None = None
) -> int | None:
    """The trigger's next instant after one, when it has run `runs` times; None when it has ended."""
    schedule = trigger.schedule
    if isinstance(schedule, DailyTimeInterval) and runs > schedule.repeat_count != FOREVER:
        return None
    return fire_after(schedule, after, calendar)


def edition(schedule: Schedule, calendar: str) -> int:
    """The edition of the time zone data by which the instants of a schedule with a calendar of that
    name are computed here; 0 where they need none."""
    zone = getattr(schedule, "zone", "UTC")
    return localtime.EDITION if calendar or zone != "UTC" else 0


def count_until(
    schedule: Schedule,
    first: int,
    until: int,
    limit: int,
    calendar: ResolvedCalendar | None = None,
) -> tuple[int, int]:
    """How many instants lie from `first` (one of them) to `until`, and the last of these.

    Counts at most `limit` where it has to look at each; the rest is for another look.
    """
    if isinstance(schedule, Simple) and calendar is None:
        return _count_simple(schedule, first, until)
    count, last = 1, first
    while count < limit:
        fire = fire_after(schedule, last, calendar)
        if fire is None or fire > until:
            break
        count, last = count + 1, fire
    return count, last


def _count_simple(schedule: Simple, first: int, until: int) -> tuple[int, int]:
    if schedule.repeat_count == 0:
        return 1, first
    last = until if schedule.end is None else min(until, schedule.end - 1)
    more = max(0, last - first) // schedule.interval
    if schedule.repeat_count != FOREVER:
        done = (first - schedule.start) // schedule.interval
        more = min(more, schedule.repeat_count - done)
    return more + 1, first + more * schedule.interval


def _once(schedule: Once, after: int) -> int | None:
    return schedule.at if schedule.at > after else None


def _simple(schedule: Simple, after: int) -> int | None:
    """The end is exclusive but for the first instant, as in Quartz's SimpleTriggerImpl."""
    if after < schedule.start:
        return schedule.start
    if schedule.repeat_count == 0:
        return None
    times = (after - schedule.start) // schedule.interval + 1
    if times > schedule.repeat_count != FOREVER:
        return None
    instant = schedule.start + times * schedule.interval
    return None if schedule.end is not None and instant >= schedule.end else instant


def _cron(schedule: Cron, after: int) -> int | None:
    """The end is inclusive, as in Quartz's CronTriggerImpl."""
    if schedule.start is not None:
        after = max(after, schedule.start - 1)
    expression = cron_parse.parse(schedule.expression, schedule.dialect)
    instant = cron.next_fire(expression, schedule.zone, after, schedule.dst)
    if instant is None or (schedule.end is not None and instant > schedule.end):
        return None
    return instant


_FIRE_AFTER: Final[dict[type, Callable[[Any, int], int | None]]] = {
    Once: _once,
    Simple: _simple,
    Cron: _cron,
    CalendarInterval: calendar_interval.fire_after,
    DailyTimeInterval: daily_time_interval.fire_after,
}
