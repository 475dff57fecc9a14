"""Misfire: what becomes of instants that nobody claimed within the threshold.

The one place of this decision. Quartz's instructions and what SMART means for each kind are in the
javadoc of org.quartz.SimpleTrigger and CronTrigger (`updateAfterMisfire`):

    once, simple without repeats      FIRE_NOW
    simple with a finite count        RESCHEDULE_NOW_WITH_EXISTING_REPEAT_COUNT
    simple for ever                   RESCHEDULE_NEXT_WITH_REMAINING_COUNT
    cron                              FIRE_ONCE_NOW
    any, IGNORE                       every missed instant fires, late
"""

from __future__ import annotations

from enum import Enum

from gridsched.model.trigger import FOREVER, Simple, Trigger


class MisfireAction(Enum):
    """What to do with a trigger whose next fire is overdue beyond the threshold."""

    FIRE_ALL = "fire every missed instant"
    FIRE_ONCE = "one run for all missed instants, then the next instant after now"
    SHIFT = "the missed instant fires now and the rest follow at the interval from now"
    SKIP = "no run; go on with the next instant after now"


def misfired(trigger: Trigger, now: int, threshold: int) -> bool:
    """Is the trigger's next fire later than the threshold (ms) allows?"""
    return trigger.next_fire is not None and trigger.next_fire <= now - threshold


def action(trigger: Trigger) -> MisfireAction:
    """The action that the trigger's misfire instruction and kind ask for."""
    if trigger.misfire == "IGNORE":
        return MisfireAction.FIRE_ALL
    schedule = trigger.schedule
    if not isinstance(schedule, Simple) or schedule.repeat_count == 0:
        return MisfireAction.FIRE_ONCE
    return MisfireAction.SKIP if schedule.repeat_count == FOREVER else MisfireAction.SHIFT
