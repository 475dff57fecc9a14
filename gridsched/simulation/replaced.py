"""What the replacement of a trigger by another schedule means for a firing, as far as its answer tells.

The new schedule holds from when it was submitted: what was claimed of later instants is cancelled, unless
the new one names them too; what was due before stays with the old one.
"""

from __future__ import annotations

from gridsched.model.keys import parse_key
from gridsched.model.trigger import Trigger
from gridsched.policy.fire_times import fire_after
from gridsched.policy.misfire import MisfireAction, action
from gridsched.simulation.history import Bounds, Command


def is_known(replacement: Command) -> bool:
    """Is it known what it made of the trigger?"""
    trigger = replacement.trigger
    return replacement.answer == "accepted" and trigger is not None and replacement.made(trigger)


def leaves_out(replacement: Command, firing: str) -> bool:
    """Is the instant of the firing of this key to come, and none of the new schedule's? Said here
    once more, for what judges the policy is not to share its mistakes."""
    new, instant = replacement.trigger, _instant(firing)
    if new is None or instant < new.created_at:
        return False
    return fire_after(new.accepted or new.schedule, instant - 1) != instant


def drops(replacement: Command, firing: str, bounds: Bounds) -> bool:
    """Is it certain that a firing of this key is of the old schedule alone, and was to come?"""
    new = replacement.trigger
    if new is None or not is_known(replacement) or not leaves_out(replacement, firing):
        return False
    return not _may_have_shifted_to(new, _instant(firing), bounds)


def _may_have_shifted_to(trigger: Trigger, instant: int, bounds: Bounds) -> bool:
    """Once it has misfired, a trigger that is then shifted may name anything."""
    if action(trigger) is not MisfireAction.SHIFT:
        return False
    schedule = trigger.accepted or trigger.schedule
    return instant >= getattr(schedule, "start", 0) + bounds.threshold - bounds.skew


def _instant(firing: str) -> int:
    return parse_key(firing).scheduled or 0
