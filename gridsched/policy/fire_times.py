"""Fire times of every kind of schedule: which instants it names, whatever became of them.

All instants are epoch ms. A schedule names strictly increasing instants; `fire_after` answers from
any point of it, so nothing here has a state.
"""

from __future__ import annotations

from functools import singledispatch

from gridsched.model.trigger import FOREVER, Cron, Once, Schedule, Simple
from gridsched.policy import cron, cron_parse


def first_fire(schedule: Schedule) -> int | None:
    """The first instant the schedule names; None where it names none."""
    return fire_after(schedule, -1)


@singledispatch
def fire_after(schedule: Schedule, after: int) -> int | None:
    """The first instant of the schedule strictly after `after`; None where there is none."""
    raise TypeError(f"not a schedule: {schedule!r}")


@fire_after.register
def _(schedule: Once, after: int) -> int | None:
    return schedule.at if schedule.at > after else None


@fire_after.register
def _(schedule: Simple, after: int) -> int | None:
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


@fire_after.register
def _(schedule: Cron, after: int) -> int | None:
    """The end is inclusive, as in Quartz's CronTriggerImpl."""
    if schedule.start is not None:
        after = max(after, schedule.start - 1)
    expression = cron_parse.parse(schedule.expression, schedule.dialect)
    instant = cron.next_fire(expression, schedule.zone, after, None)
    if instant is None or (schedule.end is not None and instant > schedule.end):
        return None
    return instant


def count_until(schedule: Schedule, first: int, until: int, limit: int) -> tuple[int, int]:
    """How many instants lie from `first` (one of them) to `until`, and the last of these.

    Counts at most `limit`; the rest is for another look.
    """
    if isinstance(schedule, Simple) and until > first and schedule.repeat_count != 0:
        return _count_simple(schedule, first, until, limit)
    count, last = 1, first
    while count < limit:
        following = fire_after(schedule, last)
        if following is None or following > until:
            break
        count, last = count + 1, following
    return count, last


def _count_simple(schedule: Simple, first: int, until: int, limit: int) -> tuple[int, int]:
    more = (until - first) // schedule.interval
    if schedule.repeat_count != FOREVER:
        done = (first - schedule.start) // schedule.interval
        more = min(more, schedule.repeat_count - done)
    if schedule.end is not None:
        more = min(more, max(0, (schedule.end - 1 - first) // schedule.interval))
    more = min(more, limit - 1)
    return more + 1, first + more * schedule.interval
