"""Misfire: what becomes of instants that nobody claimed within the threshold.

The one place of this decision. The rules are those of `updateAfterMisfire` in Quartz's
SimpleTriggerImpl, CronTriggerImpl, CalendarIntervalTriggerImpl and DailyTimeIntervalTriggerImpl, and
of RAMJobStore's applyMisfire. What each kind of schedule means by SMART:

    once, simple without repeats      FIRE_NOW
    simple with a finite count        RESCHEDULE_NOW_WITH_EXISTING_REPEAT_COUNT
    simple for ever                   RESCHEDULE_NEXT_WITH_REMAINING_COUNT
    every other kind                  FIRE_ONCE_NOW

FIRE_NOW of a simple schedule with repeats is RESCHEDULE_NOW_WITH_REMAINING_REPEAT_COUNT.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

from msgspec.structs import replace

from gridsched.model.trigger import FOREVER, Misfire, Once, Schedule, Simple, Trigger
from gridsched.policy.calendars import ResolvedCalendar
from gridsched.policy.fire_times import following


class MisfireAction(Enum):
    """What to do with a trigger whose next fire is overdue beyond the threshold."""

    FIRE_ALL = "fire every missed instant"
    FIRE_ONCE = "one run for all missed instants, then the next instant after now"
    SHIFT = "one run now, from which the schedule starts again with the repeats it has left"
    SKIP = "no run; go on with the next instant after now"


_ACTIONS: Final[dict[Misfire, MisfireAction]] = {
    "IGNORE": MisfireAction.FIRE_ALL,
    "FIRE_NOW": MisfireAction.FIRE_ONCE,
    "RESCHEDULE_NOW_WITH_EXISTING_REPEAT_COUNT": MisfireAction.SHIFT,
    "RESCHEDULE_NOW_WITH_REMAINING_REPEAT_COUNT": MisfireAction.SHIFT,
    "RESCHEDULE_NEXT_WITH_REMAINING_COUNT": MisfireAction.SKIP,
    "RESCHEDULE_NEXT_WITH_EXISTING_COUNT": MisfireAction.SKIP,
    "FIRE_ONCE_NOW": MisfireAction.FIRE_ONCE,
    "DO_NOTHING": MisfireAction.SKIP,
}

OF_SIMPLE: Final[tuple[Misfire, ...]] = (
    "SMART",
    "IGNORE",
    "FIRE_NOW",
    "RESCHEDULE_NOW_WITH_EXISTING_REPEAT_COUNT",
    "RESCHEDULE_NOW_WITH_REMAINING_REPEAT_COUNT",
    "RESCHEDULE_NEXT_WITH_REMAINING_COUNT",
    "RESCHEDULE_NEXT_WITH_EXISTING_COUNT",
)
"""The instructions that simple schedules take, and those of a single instant."""

OF_OTHERS: Final[tuple[Misfire, ...]] = ("SMART", "IGNORE", "FIRE_ONCE_NOW", "DO_NOTHING")
"""The instructions that every other kind takes."""

OUTSIDE_CATCH_UP: Final = "older than the trigger's catch-up window"
"""Why an instant is skipped that no misfire instruction was asked about."""


class AfterMisfire(NamedTuple):
    """How a trigger goes on after a misfire.

    next_fire         the instant that a run for the missed ones is due at (now), or the next instant
                      of the schedule after now; None: it has ended
    times_triggered   what Quartz counts against the repeats of `schedule` from here on
    """

    schedule: Schedule
    next_fire: int | None
    times_triggered: int


def instructions(schedule: Schedule) -> tuple[Misfire, ...]:
    """The misfire instructions that a kind of schedule takes."""
    return OF_SIMPLE if isinstance(schedule, Once | Simple) else OF_OTHERS


def is_overdue(instant: int, now: int, threshold: int) -> bool:
    """Is an instant that has not run by now later than the threshold (ms) allows?"""
    return now - instant >= threshold


def oldest(trigger: Trigger, now: int) -> int:
    """The instant before which nothing missed is caught up with."""
    return 0 if trigger.catch_up is None else now - round(trigger.catch_up * 1000)


def misfired(trigger: Trigger, now: int, threshold: int) -> bool:
    """Is the trigger's next fire later than the threshold (ms) allows?"""
    return trigger.next_fire is not None and is_overdue(trigger.next_fire, now, threshold)


def action(trigger: Trigger) -> MisfireAction:
    """The action that the trigger's misfire instruction and kind ask for."""
    return _ACTIONS[instruction(trigger)]


def skipped_by(trigger: Trigger) -> str:
    """Why an instant of the trigger is skipped that its misfire instruction leaves out."""
    return f"skipped by {instruction(trigger)}"


def apply_misfire(
    trigger: Trigger, now: int, threshold: int, calendar: ResolvedCalendar | None = None
) -> AfterMisfire | None:
    """How the trigger goes on if it has misfired and its instruction does not ignore that; else
    None, and it goes on as it is."""
    if not misfired(trigger, now, threshold) or trigger.misfire == "IGNORE":
        return None
    return after_misfire(trigger, now, calendar)


def after_misfire(
    trigger: Trigger, now: int, calendar: ResolvedCalendar | None = None
) -> AfterMisfire:
    """How a trigger that has a next fire goes on, whether or not that is overdue."""
    runs = trigger.fired - trigger.misfired
    match action(trigger):
        case MisfireAction.FIRE_ALL:
            return AfterMisfire(trigger.schedule, trigger.next_fire, runs)
        case MisfireAction.FIRE_ONCE:
            return AfterMisfire(trigger.schedule, now, runs)
        case MisfireAction.SKIP:
            fire = following(trigger, now, runs, calendar)
            return AfterMisfire(trigger.schedule, fire, runs + _given_up(trigger, fire))
        case MisfireAction.SHIFT:
            return _shift(trigger, now)


def instruction(trigger: Trigger) -> Misfire:
    """The trigger's instruction, with what SMART and FIRE_NOW stand for."""
    schedule, chosen = trigger.schedule, trigger.misfire
    if not isinstance(schedule, Once | Simple):
        return "FIRE_ONCE_NOW" if chosen == "SMART" else chosen
    repeats = schedule.repeat_count if isinstance(schedule, Simple) else 0
    if chosen == "SMART" and repeats == FOREVER:
        return "RESCHEDULE_NEXT_WITH_REMAINING_COUNT"
    if chosen == "SMART" and repeats > 0:
        return "RESCHEDULE_NOW_WITH_EXISTING_REPEAT_COUNT"
    if chosen == "FIRE_NOW" and repeats != 0:
        return "RESCHEDULE_NOW_WITH_REMAINING_REPEAT_COUNT"
    return "FIRE_NOW" if chosen == "SMART" else chosen


def _given_up(trigger: Trigger, fire: int | None) -> int:
    """The repeats that go by with the instants that are skipped."""
    schedule, first = trigger.schedule, trigger.next_fire
    if trigger.misfire == "RESCHEDULE_NEXT_WITH_EXISTING_COUNT" or not isinstance(schedule, Simple):
        return 0
    if fire is None or first is None or schedule.repeat_count == 0:
        return 0
    return (fire - first) // schedule.interval


def _shift(trigger: Trigger, now: int) -> AfterMisfire:
    """It starts again now; where its end has gone by, it has ended."""
    schedule, first = trigger.schedule, trigger.next_fire
    runs = trigger.fired - trigger.misfired
    if not isinstance(schedule, Simple) or first is None:
        return AfterMisfire(schedule, now, runs)
    if schedule.repeat_count > 0:
        gone_to = first if instruction(trigger).endswith("EXISTING_REPEAT_COUNT") else now
        done = (gone_to - schedule.start) // schedule.interval
        schedule = replace(schedule, repeat_count=max(0, schedule.repeat_count - done))
        runs = 0
    if schedule.end is not None and schedule.end < now:
        return AfterMisfire(schedule, None, runs)
    return AfterMisfire(replace(schedule, start=now), now, runs)
