"""Backfill: the instants of a trigger's own schedule in a range of the past, run now.

They are those of a trigger of its own, in the group BACKFILL, which never misfires. Running what has
run before is what a backfill is for: nothing is asked of the ledger.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, get_args

from msgspec.structs import replace

from gridsched.errors import InvalidSchedule
from gridsched.model.job import Job, Overlap
from gridsched.model.submission import Backfill, Submission
from gridsched.model.trigger import (
    FOREVER,
    Cron,
    DailyTimeInterval,
    Once,
    Schedule,
    Trigger,
)
from gridsched.policy.calendars import ResolvedCalendar
from gridsched.policy.fire_times import count_until, edition, fire_after

BACKFILL_GROUP: Final = "BACKFILL"

MAX_INSTANTS: Final = 5000
"""Instants that one backfill runs."""


def check_backfill(command: Backfill, now: int) -> None:
    """InvalidSchedule where the range is none of the past, or the policy none."""
    if command.overlap is not None and command.overlap not in get_args(Overlap):
        raise InvalidSchedule(
            f"overlap is {command.overlap!r}; one of {', '.join(get_args(Overlap))}"
        )
    if command.end <= command.start:
        raise InvalidSchedule(
            f"the range to backfill ends ({_written(command.end)}) before it has begun "
            f"({_written(command.start)})"
        )
    if command.start < 0 or command.end > now:
        raise InvalidSchedule(
            f"the range to backfill goes to {_written(command.end)}; it must be of the past, "
            "what is to come fires by itself"
        )


def plan_backfill(
    submission: Submission,
    command: Backfill,
    base: Trigger,
    job: Job,
    calendar: ResolvedCalendar | None,
) -> Trigger:
    """The trigger of a backfill; the same for the same submission. `calendar` is the base's."""
    check_backfill(command, submission.created_at)
    if job.disallow_concurrent and command.overlap is not None:
        raise InvalidSchedule(
            f"job {job.key} disallows concurrent execution: its runs take turns as it is, "
            "leave overlap out"
        )
    schedule = _ending(_from_ever(base), command.end)
    first = fire_after(schedule, command.start - 1, calendar)
    if first is None or first >= command.end:
        raise InvalidSchedule(
            f"trigger {base.key} has no instant from {_written(command.start)} up to "
            f"{_written(command.end)}"
        )
    count, _ = count_until(schedule, first, command.end - 1, MAX_INSTANTS + 1, calendar)
    if count > MAX_INSTANTS:
        raise InvalidSchedule(
            f"trigger {base.key} has more than {MAX_INSTANTS} instants in that range: "
            "backfill it in parts"
        )
    return Trigger(
        schedule,
        name=submission.id,
        group=BACKFILL_GROUP,
        job=base.job,
        description=f"backfill of {base.key}",
        data=base.data,
        misfire="IGNORE",
        calendar=base.calendar,
        priority=base.priority,
        overlap=None if job.disallow_concurrent else command.overlap or "buffer_all",
        next_fire=first,
        due=first,
        tzdata=edition(schedule, base.calendar),
        since=command.start,
        submission=submission.id,
        created_at=submission.created_at,
    )


def _from_ever(base: Trigger) -> Schedule:
    """Its schedule; a start that nobody wrote, the moment of its submission, bounds no backfill of
    what is told from the clock on the wall."""
    schedule = base.schedule
    if isinstance(schedule, Cron | DailyTimeInterval) and schedule.start == base.created_at:
        schedule = replace(schedule, start=None)
    if isinstance(schedule, DailyTimeInterval):
        schedule = replace(schedule, repeat_count=FOREVER)
    return schedule


def _ending(schedule: Schedule, end: int) -> Schedule:
    """Its instants before `end`, and no others but for a start that is later."""
    if isinstance(schedule, Once):
        return schedule
    last = end - 1 if isinstance(schedule, Cron | DailyTimeInterval) else end
    return replace(schedule, end=last if schedule.end is None else min(schedule.end, last))


def _written(instant: int) -> str:
    try:
        return datetime.fromtimestamp(instant / 1000, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return f"{instant} ms"
